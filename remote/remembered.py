"""What is remembered of objects: the SHA-256 of each version, so that an unchanged one need not be read to be known."""

from __future__ import annotations

import contextlib
from pathlib import Path

import numpy as np

from ..errors import StorageError
from ..storage import atomic_path, cache_folder, digest
from .path import RemotePath

_KEY, _DIGEST = 16, 32


class Remembered:
    """Digests of the objects of a folder, in a file of the local cache: 48 bytes each.

    Parameters
    ----------
    folder : RemotePath
    """

    def __init__(self, folder: RemotePath) -> None:
        self._file = cache_folder() / "objects" / f"{digest(str(folder))[:32]}.npy"
        self._table = _read(self._file)
        self._first = _first(self._table)
        self._new = bytearray()

    def get(self, key: bytes) -> str:
        """SHA-256 (hex) of the version with this key; '' where it is not known."""
        place = int(np.searchsorted(self._first, np.frombuffer(key[:8], ">u8")[0]))
        for row in self._table[place : place + 8]:
            if row[:_KEY].tobytes() == key:
                return row[_KEY:].tobytes().hex()
        return ""

    def add(self, key: bytes, image_id: str) -> None:
        """Remember a digest from the next `save` on."""
        self._new += key + bytes.fromhex(image_id)

    def save(self) -> None:
        """Write what is new; where the cache cannot be written, objects are read again."""
        if not self._new:
            return
        new = np.frombuffer(bytes(self._new), np.uint8).reshape(-1, _KEY + _DIGEST)
        table = np.concatenate([self._table, new])
        table = table[np.argsort(_first(table), kind="stable")]
        with contextlib.suppress(StorageError), atomic_path(self._file) as temporary, temporary.open("wb") as stream:
            np.save(stream, table)


def _read(file: Path) -> np.ndarray:
    try:
        table = np.load(file)
        if table.dtype == np.uint8 and table.shape[1:] == (_KEY + _DIGEST,):
            return np.asarray(table)
    except (OSError, ValueError, EOFError):
        pass
    return np.empty((0, _KEY + _DIGEST), np.uint8)


def _first(table: np.ndarray) -> np.ndarray:
    """The first eight bytes of each key as a number, by which the table is sorted."""
    return np.ascontiguousarray(table[:, :8]).view(">u8").ravel()

"""Parcels: pieces of work as bytes for processes that may be elsewhere; what is large in them is sent there once."""

from __future__ import annotations

import hashlib
import io
import pickle
from collections import OrderedDict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from cloudpickle import Pickler

from ..processes.workers import sendable
from ..storage import file_digest

_LARGE_BYTES, _LARGE_COUNT = 1 << 16, 1_000
"""An array, and a list or tuple, that is sent once: labels, ids and paths of the images, not with each piece."""
_KNOWN, _OPENED = 256, 64
"""Large parts whose digest is remembered here; those that a process keeps."""
_LARGE, _FILE, _WRITTEN, _PATH = "large", "file", "written", "path"


class Parcel(NamedTuple):
    """A piece of work, and the digests of the large parts and files that whoever opens it needs."""

    data: bytes
    parts: tuple[str, ...]


class Packing:
    """Makes parcels.

    Parameters
    ----------
    keep : callable
        Called once with each digest, and with the bytes of a large part or the path of a file.
    folder : Path, optional
        A folder that whoever opens the parcels does not see: files in it are sent like large parts, and other paths
        in it are where results are written. By default all paths mean the same there.
    """

    def __init__(self, keep: Callable[[str, bytes | Path], None], folder: Path | None = None) -> None:
        self._keep, self._folder = keep, folder
        self._known: OrderedDict[int, tuple[Any, str]] = OrderedDict()
        self._files: dict[tuple[Path, int, int], str] = {}

    def pack(self, work: Callable[..., Any], piece: tuple[Any, ...]) -> Parcel:
        """A parcel of a call."""
        stream, parts = io.BytesIO(), dict[str, None]()
        _Packer(stream, self, parts).dump((work, piece))
        return Parcel(stream.getvalue(), tuple(parts))

    def name_of(self, part: Any, parts: dict[str, None]) -> tuple[str, str] | None:
        """What stands for a part in the bytes; None for the part itself."""
        if isinstance(part, Path):
            kind, name = self._place(part.absolute())
        elif _is_large(part):
            kind, name = _LARGE, self._digest(part)
        else:
            return None
        if kind in (_LARGE, _FILE):
            parts[name] = None
        return kind, name

    def _digest(self, part: Any) -> str:
        """Digest of a large part; the part is kept with it, since another may be where it was in memory."""
        if id(part) not in self._known:
            data = pickle.dumps(part, protocol=pickle.HIGHEST_PROTOCOL)
            name = hashlib.sha256(data).hexdigest()
            self._known[id(part)] = part, name
            self._keep(name, data)
            if len(self._known) > _KNOWN:
                self._known.popitem(last=False)
        return self._known[id(part)][1]

    def _place(self, path: Path) -> tuple[str, str]:
        if self._folder is None or not path.is_relative_to(self._folder):
            return _PATH, str(path)
        if not path.is_file():
            return _WRITTEN, path.relative_to(self._folder).as_posix()
        facts = path.stat()
        state = path, facts.st_mtime_ns, facts.st_size
        if state not in self._files:
            self._files[state] = file_digest(path)
            self._keep(self._files[state], path)
        return _FILE, self._files[state]


def _is_large(part: Any) -> bool:
    if type(part) is np.ndarray:
        return bool(part.nbytes >= _LARGE_BYTES and not part.dtype.hasobject)
    return type(part) in (tuple, list) and len(part) >= _LARGE_COUNT


class _Packer(Pickler):
    def __init__(self, stream: io.BytesIO, packing: Packing, parts: dict[str, None]) -> None:
        super().__init__(stream, protocol=pickle.HIGHEST_PROTOCOL)
        self._packing, self._parts = packing, parts

    def persistent_id(self, part: Any) -> tuple[str, str] | None:
        return self._packing.name_of(part, self._parts)


class _Unpacker(pickle.Unpickler):
    def __init__(self, data: bytes, files: Mapping[str, str], written: str) -> None:
        super().__init__(io.BytesIO(data))
        self._files, self._written = files, written

    def persistent_load(self, name: tuple[str, str]) -> Any:
        kind, value = name
        if kind == _LARGE:
            return _opened(value, self._files[value])
        if kind == _FILE:
            return Path(self._files[value])
        return Path(self._written, value) if kind == _WRITTEN else Path(value)


_kept: OrderedDict[str, Any] = OrderedDict()


def _opened(name: str, path: str) -> Any:
    """A large part, kept in this process for the next piece."""
    if name not in _kept:
        with open(path, "rb") as stream:
            _kept[name] = pickle.load(stream)
        if len(_kept) > _OPENED:
            _kept.popitem(last=False)
    _kept.move_to_end(name)
    return _kept[name]


def compute(data: bytes, files: Mapping[str, str], written: str, begin: Callable[[str], None]) -> tuple[bool, bytes]:
    """Open a parcel and compute its piece.

    Parameters
    ----------
    data : bytes
        Of the parcel.
    files : mapping
        Digest -> where that part or file lies.
    written : str
        Folder for what the piece writes, where it does not see the run's.
    begin : callable
        See `leukobench.machine.Executor.map`.

    Returns
    -------
    bool
        Whether it ended without an exception.
    bytes
        What it gave, or the exception, pickled: whoever passes it on need not be able to import its classes.
    """
    try:
        work, piece = _Unpacker(data, files, written).load()
        return True, pickle.dumps(work(*piece, begin), protocol=pickle.HIGHEST_PROTOCOL)
    except (Exception, SystemExit) as error:
        return False, pickle.dumps(sendable(error))

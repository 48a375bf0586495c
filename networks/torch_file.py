"""Read the tensors of a PyTorch checkpoint without PyTorch, by an unpickler that can build only tensors."""

from __future__ import annotations

import collections
import math
import pickle
import struct
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from ..errors import WeightsError

_LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
_LEGACY_PROTOCOL = 1001
_STORAGES = {
    "FloatStorage": "<f4",
    "DoubleStorage": "<f8",
    "HalfStorage": "<f2",
    "LongStorage": "<i8",
    "IntStorage": "<i4",
    "ShortStorage": "<i2",
    "CharStorage": "<i1",
    "ByteStorage": "<u1",
    "BoolStorage": "|b1",
}


@dataclass
class _Storage:
    dtype: np.dtype
    size: int
    values: np.ndarray | None = None


@dataclass(frozen=True)
class _View:
    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    def array(self) -> np.ndarray:
        """Copy of the tensor; the bounds are checked, since strides read from a file could reach any memory."""
        last = self.offset + sum((n - 1) * step for n, step in zip(self.shape, self.strides, strict=True))
        inside = min((self.offset, *self.shape, *self.strides)) >= 0 and last < self.storage.size
        values = self.storage.values
        # Steps of 0 would let a few bytes stand for a tensor that fills the memory.
        small = math.prod(self.shape) <= self.storage.size
        if values is None or not small or not (inside or 0 in self.shape):
            raise ValueError("a tensor reaches outside its storage")
        strides = [step * values.itemsize for step in self.strides]
        return np.lib.stride_tricks.as_strided(values[self.offset :], self.shape, strides).copy()


@dataclass(frozen=True)
class _StorageType:
    name: str


def _rebuild_tensor(storage: Any, offset: Any, shape: Any, strides: Any, *_: Any) -> _View:
    if not isinstance(storage, _Storage) or not all(isinstance(n, int) for n in (offset, *shape, *strides)):
        raise pickle.UnpicklingError("a tensor is not described by a storage and whole numbers")
    return _View(storage, offset, tuple(shape), tuple(strides))


@dataclass
class _Storages:
    """Storages by key; the pickle names them before their bytes are read."""

    by_key: dict[str, _Storage] = field(default_factory=dict)

    def storage_of(self, identity: Any) -> _Storage:
        kind, storage_type, key, _, size, *view = identity
        if kind != "storage" or not isinstance(storage_type, _StorageType) or any(view) or not isinstance(size, int):
            raise pickle.UnpicklingError(f"an unknown kind of storage: {identity!r}")
        return self.by_key.setdefault(str(key), _Storage(np.dtype(_STORAGES[storage_type.name]), size))


class _TensorUnpickler(pickle.Unpickler):
    def __init__(self, stream: Any, storages: _Storages) -> None:
        super().__init__(stream)
        self._storages = storages

    def find_class(self, module: str, name: str) -> Any:
        if module == "torch" and name in _STORAGES:
            return _StorageType(name)
        allowed: dict[tuple[str, str], Callable[..., Any]] = {
            ("collections", "OrderedDict"): collections.OrderedDict,
            ("torch._utils", "_rebuild_tensor_v2"): _rebuild_tensor,
        }
        if (module, name) not in allowed:
            raise pickle.UnpicklingError(f"it contains '{module}.{name}', which is not a tensor")
        return allowed[module, name]

    def persistent_load(self, pid: Any) -> _Storage:
        return self._storages.storage_of(pid)


def read_tensors(path: Path) -> dict[str, np.ndarray]:
    """Read the tensors of a checkpoint written by ``torch.save(model.state_dict(), path)``.

    Parameters
    ----------
    path : Path
        File in the zip format of PyTorch 1.6 and later, or in the older format.

    Returns
    -------
    dict of str to numpy.ndarray
        One C-contiguous array a name, in the order of the file.

    Raises
    ------
    WeightsError
        The file is damaged, not a checkpoint, or contains an object that is not a tensor.
    """
    try:
        with path.open("rb") as stream:
            state = _read_zip(stream) if zipfile.is_zipfile(stream) else _read_legacy(stream)
        return {name: view.array() for name, view in state.items()}
    except (pickle.UnpicklingError, zipfile.BadZipFile, struct.error, ValueError, TypeError, AttributeError) as error:
        raise _refusal(path, str(error)) from error
    except (EOFError, KeyError, IndexError, OverflowError, MemoryError, RecursionError, OSError) as error:
        raise _refusal(path, f"{type(error).__name__}: {error}") from error


def _read_legacy(stream: BinaryIO) -> dict[str, _View]:
    stream.seek(0)
    storages = _Storages()
    header = [_TensorUnpickler(stream, storages).load() for _ in range(3)]
    if header[:2] != [_LEGACY_MAGIC, _LEGACY_PROTOCOL] or not header[2]["little_endian"]:
        raise ValueError("it does not begin like a PyTorch checkpoint")
    state = _TensorUnpickler(stream, storages).load()
    for key in _TensorUnpickler(stream, storages).load():
        storage = storages.by_key[key]
        (size,) = struct.unpack("<q", stream.read(8))
        if size != storage.size:
            raise ValueError("a storage is not of the length announced")
        storage.values = _values(storage, stream.read(size * storage.dtype.itemsize))
    return _check_state(state)


def _read_zip(stream: BinaryIO) -> dict[str, _View]:
    storages = _Storages()
    with zipfile.ZipFile(stream) as archive:
        (pickled,) = [name for name in archive.namelist() if name.endswith("data.pkl")]
        folder = pickled.removesuffix("data.pkl")
        if folder + "byteorder" in archive.namelist() and archive.read(folder + "byteorder") != b"little":
            raise ValueError("its numbers are not little-endian")
        with archive.open(pickled) as opened:
            state = _TensorUnpickler(opened, storages).load()
        for key, storage in storages.by_key.items():
            storage.values = _values(storage, archive.read(f"{folder}data/{key}"))
    return _check_state(state)


def _values(storage: _Storage, content: bytes) -> np.ndarray:
    if len(content) != storage.size * storage.dtype.itemsize:
        raise ValueError("it ends too early")
    return np.frombuffer(content, storage.dtype)


def _check_state(state: Any) -> dict[str, _View]:
    if not isinstance(state, dict) or not state or not all(isinstance(view, _View) for view in state.values()):
        raise ValueError("it does not hold a plain dictionary of tensors")
    return state


def _refusal(path: Path, reason: str) -> WeightsError:
    return WeightsError(
        f"The weights file {path} cannot be read: {reason}.",
        expected="a PyTorch checkpoint that holds only tensors, as torch.save(model.state_dict(), path) writes it",
        received=str(path),
        fix="copy the file again, or save only the state_dict.",
    )

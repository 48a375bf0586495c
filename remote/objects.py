"""Objects of a store: how they are listed and read, many requests at a time, and what a failure means."""

from __future__ import annotations

import contextlib
import errno
import functools
import io
import os
import threading
from collections.abc import Iterator
from typing import IO, Any

from ..errors import LeukobenchError, StorageError
from .path import RemotePath, without_secrets

THREADS = 16
"""Requests at a time: they wait for the network, and need no core."""
_FIRST = 8 * 2**20
"""Bytes of a first request, which is the only one for nearly every image; what is larger is read one at a time."""
_BLOCK = 2**18
_EXTRAS = {"s3": "pip install leukobench[s3]", "s3a": "pip install leukobench[s3]"}
_larger = threading.Lock()


def read_object(path: RemotePath, most: int | None = None, size: int | None = None) -> bytes:
    """Bytes of an object, at most `most` and one: then it is larger.

    At most `_FIRST` bytes are in flight in each thread, and the rest of one larger object in all of them; but where the
    caller knows the `size`, and so how much it asks for.

    Raises
    ------
    FileNotFoundError
    StorageError
        The store does not answer, or refuses.
    """
    with store_errors(path):
        files = file_system(path.protocol)
        if size:
            return bytes(files.cat_file(path.key, start=0, end=size))
        try:
            data = bytes(files.cat_file(path.key, start=0, end=_FIRST))
        except OSError as error:  # a range of an empty object is none
            if error.errno != errno.EINVAL or files.info(path.key)["size"]:
                raise
            return b""
        if len(data) < _FIRST:
            return data
        with _larger:
            size = int(files.info(path.key)["size"])
            end = size if most is None else min(size, most + 1)
            return data + bytes(files.cat_file(path.key, start=_FIRST, end=end)) if end > _FIRST else data[:end]


class ObjectFile(io.RawIOBase):
    """An object as a file for reading, by a request for each range: what is not read is not sent.

    Parameters
    ----------
    path : RemotePath
    size : int, optional
        Bytes; the store is asked where it is not known.

    Raises
    ------
    FileNotFoundError
    StorageError
    """

    def __init__(self, path: RemotePath, size: int | None = None) -> None:
        super().__init__()
        self._path, self._place = path, 0
        with store_errors(path):
            self._size = int(file_system(path.protocol).info(path.key)["size"]) if size is None else size

    def readable(self) -> bool:
        """Yes."""
        return True

    def seekable(self) -> bool:
        """Yes."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place."""
        self._place = offset + (0, self._place, self._size)[whence]
        return self._place

    def tell(self) -> int:
        """The place that the next bytes are read from."""
        return self._place

    def readinto(self, buffer: Any) -> int:
        """Read as many bytes as there is room for."""
        end = min(self._place + len(buffer), self._size)
        if end <= self._place:
            return 0
        with store_errors(self._path):
            data = file_system(self._path.protocol).cat_file(self._path.key, start=self._place, end=end)
        buffer[: len(data)] = data
        self._place += len(data)
        return len(data)


def open_object(path: RemotePath, mode: str = "r", **options: Any) -> IO[Any]:
    """Open an object for reading, as `pathlib.Path.open` does with ``r`` or ``rb``.

    Raises
    ------
    FileNotFoundError
    StorageError
    """
    stream = io.BufferedReader(ObjectFile(path), _BLOCK)
    return stream if "b" in mode else io.TextIOWrapper(stream, **options)


def kind_of(path: RemotePath) -> str:
    """``"file"``, ``"directory"``, or '' where there is nothing of this name.

    Raises
    ------
    StorageError
    """
    with store_errors(path):
        try:
            return str(file_system(path.protocol).info(path.key)["type"])
        except FileNotFoundError:
            return ""


@contextlib.contextmanager
def store_errors(path: RemotePath) -> Iterator[None]:
    """Turn whatever a store raises into a `StorageError` with a fix, but that there is no such object.

    A refusal is none of the object alone, such as of a file that may not be read: credentials expire in the middle of a
    run, and every image from then on would be left out.
    """
    try:
        yield
    except (FileNotFoundError, LeukobenchError):
        raise
    except Exception as error:  # as many kinds as botocore, aiohttp and fsspec have
        raise _store_error(path, error) from error


def file_system(protocol: str) -> Any:
    """The file system of fsspec, one in each process; credentials come by its usual environment."""
    return _file_system(protocol, os.getpid())


@functools.cache
def _file_system(protocol: str, process: int) -> Any:
    try:
        import fsspec

        return fsspec.filesystem(protocol, use_listings_cache=False, skip_instance_cache=True)
    except (ImportError, ValueError) as error:  # the second where fsspec knows no such protocol
        needed = _EXTRAS.get(protocol, f"install the package of fsspec that reads {protocol}://")
        raise StorageError(f"Paths such as {protocol}:// cannot be read.", received=str(error), fix=needed) from error


def _store_error(path: RemotePath, error: Exception) -> StorageError:
    name = type(error).__name__
    received = without_secrets(f"{name}: {error}".strip(": "))[:300]
    if "Credentials" in name or "ProfileNotFound" in name:
        fix = "set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, in the environment."
        return StorageError(f"There are no credentials for {path}.", received=received, fix=fix)
    if isinstance(error, PermissionError):
        fix = "check that the credentials of the environment may list, read and, for a cache, write there."
        return StorageError(f"Access to {path} is denied.", received=received, fix=fix)
    fix = "check the connection and AWS_ENDPOINT_URL, and run the same command again: finished work is kept."
    return StorageError(f"{path} does not answer.", received=received, fix=fix)

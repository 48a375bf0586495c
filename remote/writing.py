"""Writing objects: each appears whole or not at all, so that no lock and no temporary name is needed."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import cast

from ..errors import StorageError
from ..storage import fault_point
from .objects import file_system, store_errors
from .path import RemotePath


def write_object(path: RemotePath, data: bytes | memoryview) -> None:
    """Write an object in one request; where it is too large for one, its parts become visible together at the end.

    Raises
    ------
    StorageError
        There is no such bucket, or the store does not answer, or refuses.
    """
    with store_errors(path):
        fault_point("write", cast("Path", path))
        try:
            file_system(path.protocol).pipe_file(path.key, bytes(data))
        except FileNotFoundError as error:
            raise no_bucket(path, error) from error
        fault_point("flush", cast("Path", path))


def move_object(path: RemotePath, target: RemotePath) -> None:
    """Copy an object within its store, then delete it.

    Raises
    ------
    FileNotFoundError
    StorageError
    """
    with store_errors(path):
        files = file_system(path.protocol)
        files.cp_file(path.key, target.key)
        files.rm_file(path.key)


def remove_objects(path: RemotePath) -> None:
    """Delete an object, or all below a folder; what is no longer there is no mistake.

    Raises
    ------
    StorageError
    """
    with store_errors(path), contextlib.suppress(FileNotFoundError):
        file_system(path.protocol).rm(path.key, recursive=True)


def no_bucket(path: RemotePath, error: FileNotFoundError) -> StorageError:
    """The error where a path is to be written."""
    what = f"There is no bucket for {path}."
    return StorageError(what, received=str(error), fix="correct the path, or make the bucket.")

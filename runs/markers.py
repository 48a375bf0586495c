"""Markers: files by which another machine shows that it sees a folder, of this machine or in an object store."""

from __future__ import annotations

import contextlib
from pathlib import Path

from ..errors import LeukobenchError
from ..remote.path import RemotePath, any_path
from ..remote.writing import remove_objects, write_object
from ..storage import write_text

_TEXT = "Whoever can read this file sees this folder.\n"


def write_marker(path: Path) -> None:
    """Write a marker.

    Raises
    ------
    StorageError
    """
    if isinstance(path, RemotePath):
        write_object(path, _TEXT.encode())
    else:
        write_text(path, _TEXT)


def remove_marker(path: Path) -> None:
    """Remove a marker, if that is possible: the next one has another name."""
    with contextlib.suppress(LeukobenchError, OSError):
        if isinstance(path, RemotePath):
            remove_objects(path)
        else:
            path.unlink(missing_ok=True)


def sees_marker(path: str) -> bool:
    """Whether there is a marker, and this machine may read it."""
    with contextlib.suppress(LeukobenchError, OSError):
        return any_path(path).read_bytes() == _TEXT.encode()
    return False

"""What is there of the paths of a table: on this machine by looking at each, in an object store by one listing."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import ImagesError
from ..remote.path import RemotePath, absolute_path, is_url, object_of
from .files import FileList

if TYPE_CHECKING:
    from ..remote.listing import Objects

FILE, OTHER = "file", "other"


class Present:
    """Which of the files that a table names are there.

    Parameters
    ----------
    files : FileList
    paths : sequence of str
        In full, or relative to the folder of the table.

    Attributes
    ----------
    folder : Path
    objects : tuple of Objects
        Listings of the object stores that the paths lead to.
    """

    def __init__(self, files: FileList, paths: Sequence[str]) -> None:
        self.folder = files.folder
        own = (files.objects,) if files.objects else ()
        remote = [absolute_path(self.folder, path) for path in paths if self._is_remote(path)]
        self.objects: tuple[Objects, ...] = own + tuple(_listings([path for path in remote if not _is_in(path, own)]))

    def kind(self, path: str) -> str:
        """`FILE`, `OTHER` such as a folder, or '' where there is nothing of this name."""
        whole = absolute_path(self.folder, path)
        if self._is_remote(path):
            return FILE if _is_in(whole, self.objects) else ""
        return FILE if os.path.isfile(whole) else OTHER if os.path.exists(whole) else ""

    def _is_remote(self, path: str) -> bool:
        return is_url(path) or isinstance(self.folder, RemotePath)


def size_of(table: Path) -> int:
    """Bytes of a regular file; 0 where it is none, or in an object store."""
    return os.path.getsize(table) if os.path.isfile(table) else 0


def _is_in(path: str, objects: Sequence[Objects]) -> bool:
    return any(one.get(path) for one in objects)


def _listings(paths: Sequence[str]) -> list[Objects]:
    """One listing for each bucket, of the folder that all of its paths have in common."""
    from ..remote.listing import list_objects

    buckets: dict[tuple[str, ...], list[str]] = {}
    for path in paths:
        buckets.setdefault(tuple(path.split("/", 3)[:3]), []).append(os.path.dirname(path))
    listings = []
    for folders in buckets.values():
        folder = object_of(os.path.commonpath(folders))
        try:
            listings.append(list_objects(folder))
        except FileNotFoundError as error:
            what = f"There is no bucket for {folder}."
            raise ImagesError(what, received=str(error), fix="correct the paths of the table.") from error
    return listings

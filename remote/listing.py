"""Listings: every object below a folder with its size and version, by pages, without a request for each folder."""

from __future__ import annotations

import bisect
import hashlib
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from .objects import file_system, store_errors
from .path import RemotePath

_KEY = 16


class Stored(NamedTuple):
    """What a listing says of an object.

    Attributes
    ----------
    size : int
    key : bytes
        Of its path, size and version (ETag, or when it was written); b"" where the store says no version.
    """

    size: int
    key: bytes


@dataclass(frozen=True, eq=False)
class Objects:
    """The objects below a folder; a million take about as much memory as their names.

    Attributes
    ----------
    folder : RemotePath
    names : sequence of str
        Below the folder, sorted.
    """

    folder: RemotePath
    names: Sequence[str]
    _sizes: array[int]
    _keys: bytes

    def get(self, path: str) -> Stored | None:
        """What the listing says of the object of this full path; None where it lists none."""
        start = f"{self.folder}/"
        name = path[len(start) :]
        place = bisect.bisect_left(self.names, name)
        if not path.startswith(start) or place == len(self.names) or self.names[place] != name:
            return None
        return self._stored(place)

    def entries(self) -> Iterator[tuple[str, Stored]]:
        """Name and what is said of each object."""
        for place, name in enumerate(self.names):
            yield name, self._stored(place)

    def _stored(self, place: int) -> Stored:
        key = self._keys[place * _KEY : (place + 1) * _KEY]
        return Stored(self._sizes[place], key if any(key) else b"")


def list_objects(folder: RemotePath) -> Objects:
    """List every object below a folder.

    Raises
    ------
    FileNotFoundError
        There is no such bucket.
    StorageError
    """
    names, sizes, keys = list[str](), array("q"), bytearray()
    start = f"{folder.key}/"
    with store_errors(folder):
        for entry in _entries(folder):
            name = entry["name"].lstrip("/").removeprefix(start)
            if name and not name.endswith("/"):  # some programs write an empty object for each folder
                names.append(name)
                sizes.append(entry["size"])
                keys += _key(f"{folder}/{name}", entry)
    order = sorted(range(len(names)), key=names.__getitem__)
    if order != list(range(len(names))):  # stores other than S3
        keys = bytearray().join(keys[place * _KEY : (place + 1) * _KEY] for place in order)
        names, sizes = [names[place] for place in order], array("q", (sizes[place] for place in order))
    return Objects(folder, tuple(names), sizes, bytes(keys))


def _entries(folder: RemotePath) -> Iterator[dict[str, Any]]:
    """Name, size and version of each object; of S3 page by page, as the dictionaries of a million take a gigabyte."""
    files = file_system(folder.protocol)
    if not hasattr(files, "call_s3"):
        yield from files.find(folder.key, detail=True).values()
        return
    bucket, key, _ = files.split_path(folder.key)
    more: dict[str, str] = {}
    while True:
        page = files.call_s3("list_objects_v2", Bucket=bucket, Prefix=f"{key}/" if key else "", **more)
        for one in page.get("Contents", ()):
            yield {"name": f"{bucket}/{one['Key']}", "size": one["Size"], "ETag": one["ETag"]}
        if not page.get("IsTruncated"):
            return
        more = {"ContinuationToken": page["NextContinuationToken"]}


def _key(path: str, entry: dict[str, Any]) -> bytes:
    version = next((entry[name] for name in ("ETag", "etag", "mtime", "LastModified", "created") if name in entry), "")
    return hashlib.sha256(f"{version} {entry['size']} {path}".encode()).digest()[:_KEY] if version else bytes(_KEY)

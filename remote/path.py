"""Paths such as ``s3://bucket/folder``: what `pathlib.Path` does with a local one, as far as images and caches need."""

from __future__ import annotations

import os
import posixpath
import re
from pathlib import Path, PurePosixPath
from typing import IO, Any, cast

from ..errors import ConfigurationError
from ..storage import user_path

_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_SLASH = re.compile(r"^([A-Za-z][A-Za-z0-9+.-]*):/(?!/)")
_SECRETS = re.compile(r"(?<=://)[^/]*@")


def is_url(path: str | os.PathLike[str]) -> bool:
    """Whether a path names a file of an object store rather than of this machine."""
    return _URL.match(os.fspath(path)) is not None


def any_path(path: str | os.PathLike[str]) -> Path:
    """A path of this machine, with the user's home folder in place of ``~``, or a `RemotePath` that stands in for one.

    Raises
    ------
    ConfigurationError
        There is no such home folder, or a URL that names no bucket, or credentials.
    """
    return cast("Path", object_of(path)) if is_url(path) else user_path(Path(path))


def absolute_path(folder: Path, path: str) -> str:
    """The path below `folder` in full, without ``..``; one that is in full already stays as it is."""
    base = object_of(path) if is_url(path) else folder
    if not isinstance(base, RemotePath):
        return os.path.normpath(base / path)
    key = posixpath.normpath(base.key if base is not folder else posixpath.join(base.key, path))
    return f"{base.parts[0]}//{key}"


def object_of(url: str | os.PathLike[str]) -> RemotePath:
    """The path of a URL.

    Raises
    ------
    ConfigurationError
        There are credentials in it, which would stand in tables and reports; or no bucket.
    """
    text = os.fspath(url)
    if _SECRETS.search(text):
        raise ConfigurationError(
            "A path holds credentials, which would be written into tables and reports.",
            expected="a path such as s3://bucket/folder",
            received=without_secrets(text),
            fix="give them by the environment: AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.",
        )
    path = RemotePath(text)
    if len(path.parts) < 2:
        raise ConfigurationError(f"{text} names no bucket.", expected="a path such as s3://bucket/folder")
    return path


def without_secrets(text: str) -> str:
    """`text` with ``…`` in place of what stands before an ``@`` in a URL."""
    return _SECRETS.sub("…@", text)


class RemotePath(PurePosixPath):
    """A path of an object store; `any_path` makes it, annotated as the `Path` that it stands in for."""

    __slots__ = ()

    def __str__(self) -> str:
        return _SLASH.sub(r"\1://", super().__str__())

    @property
    def protocol(self) -> str:
        """Such as ``s3``."""
        return self.parts[0].rstrip(":").lower()

    @property
    def key(self) -> str:
        """Bucket and name within it, as file systems of fsspec take them."""
        return "/".join(self.parts[1:])

    def absolute(self) -> RemotePath:
        """Itself: there is no current folder."""
        return self

    def expanduser(self) -> RemotePath:
        """Itself: there is no home folder."""
        return self

    def is_file(self) -> bool:
        """Whether there is an object of this name; asks the store."""
        from .objects import kind_of

        return kind_of(self) == "file"

    def is_dir(self) -> bool:
        """Whether names of objects begin so; asks the store."""
        from .objects import kind_of

        return kind_of(self) == "directory"

    def exists(self) -> bool:
        """Whether it is one of both."""
        from .objects import kind_of

        return bool(kind_of(self))

    def read_bytes(self, most: int | None = None) -> bytes:
        """The whole object; of one that has more than `most` bytes, one more than these."""
        from .objects import read_object

        return read_object(self, most)

    def open(self, mode: str = "r", **options: Any) -> IO[Any]:
        """Open the object for reading, by ranges: ``rb``, or ``r`` with encoding, errors and newline."""
        from .objects import open_object

        return open_object(self, mode, **options)

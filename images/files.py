"""Files: everything below a folder, each file a candidate or refused with a reason."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, cast

from ..errors import ImagesError, StorageError
from ..remote.path import RemotePath, any_path
from .candidates import OF_LEUKOBENCH, UNSUPPORTED, candidates, is_image_name, printable, walk

if TYPE_CHECKING:
    from ..remote.listing import Objects

TABLES = frozenset({".csv", ".parquet"})
"""Extensions of the files that count as manifests."""


@dataclass(frozen=True)
class FileList:
    """The files below a folder.

    Attributes
    ----------
    folder : Path
        Absolute; every other path here is relative to it, with ``/`` between its parts.
    images : tuple of str
        Files with the extension of an image, sorted.
    refused : tuple of (str, str)
        Path and reason of everything else, sorted.
    manifest : str
        Name of the manifest file, if the user named one instead of a folder; then no folder was searched.
    objects : Objects, optional
        The listing of an object store.
    """

    folder: Path
    images: tuple[str, ...] = ()
    refused: tuple[tuple[str, str], ...] = ()
    manifest: str = ""
    objects: Objects | None = None

    def other_files(self, *names: str) -> list[str]:
        """Regular files that are no images and have one of `names`, or one of them as extension (``.csv``)."""
        paths = [PurePosixPath(path) for path, reason in self.refused if reason.startswith(UNSUPPORTED)]
        return [str(path) for path in paths if path.name in names or path.suffix.lower() in names]

    def without(self, patterns: Sequence[str]) -> FileList:
        """Refuse the images whose path matches one of the patterns, in which ``*`` is any text.

        Raises
        ------
        ImagesError
            A pattern matches no image.
        """
        refused = {path: f"excluded files: {pattern}" for pattern in patterns for path in self._matches(pattern)}
        kept = tuple(path for path in self.images if path not in refused)
        return replace(self, images=kept, refused=tuple(sorted([*self.refused, *refused.items()])))

    def _matches(self, pattern: str) -> list[str]:
        matches = [path for path in self.images if fnmatchcase(path, pattern)]
        if self.images and not matches:
            raise ImagesError(
                f"No image is called like '{pattern}', so none can be excluded.",
                expected=f"a pattern of paths below {self.folder}, such as those of {self.images[0]}",
                received=pattern,
                fix="correct it: * stands for any text, ? for one character.",
            )
        return matches


@dataclass(frozen=True, slots=True)
class Row:
    """One image of a layout.

    Attributes
    ----------
    path : str
        Relative to the folder, or absolute.
    label, patient : str
        The patient is '' where unknown.
    columns : mapping of str to str
        What else is known of the image, such as its split or site; every row of a listing has the same keys.
    """

    path: str
    label: str
    patient: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Listing:
    """What a layout reads from a `FileList`.

    Attributes
    ----------
    rows : list of Row
    refused : list of (str, str)
        Path and reason of each image that is not used.
    patients : str
        Where the patients come from, in words.
    warnings : tuple of str
        What the user has to know of this reading, a sentence each.
    shape : str
        What each level of folders means, as in ``split/class``, where labels come from folders.
    objects : tuple of Objects
        Listings of the object stores that a table names images of.
    table : str
        Path of the table that was read; '' where there is none.
    """

    rows: list[Row]
    refused: list[tuple[str, str]]
    patients: str = "none"
    warnings: tuple[str, ...] = ()
    shape: str = ""
    objects: tuple[Objects, ...] = ()
    table: str = ""


def find_files(images: str | Path) -> FileList:
    """List every file below a folder, following symbolic links once, or take a manifest file as it is.

    Parameters
    ----------
    images : str or Path
        A folder, or a CSV or parquet file.

    Raises
    ------
    ImagesError
        There is no such folder or file.
    """
    root = any_path(images)
    if isinstance(root, RemotePath):
        return _remote_files(root)
    root = Path(os.path.abspath(root))
    if os.path.isfile(root) and root.suffix.lower() in TABLES:
        return FileList(root.parent, manifest=root.name)
    if not os.path.isdir(root):
        raise _no_images(root, _what_is(root))
    return _file_list(root, list(walk(root)))


def _file_list(root: Path, paths: Sequence[tuple[str, str]], objects: Objects | None = None) -> FileList:
    images = sorted(path for path, reason in paths if not reason)
    refused = sorted((path, reason) for path, reason in paths if reason)
    return FileList(root, tuple(images), tuple(refused), objects=objects)


def _no_images(root: Path, what: str) -> ImagesError:
    lacks_slash = any(part.endswith(":") for part in root.parts[1:])
    return ImagesError(
        "There are no images to index.",
        expected="a folder of images, or a manifest (.csv or .parquet)",
        received=f"{root}, which {what}",
        fix="give a path with :// as text: Path drops a slash of it." if lacks_slash else "correct the path.",
    )


def _remote_files(root: RemotePath) -> FileList:
    """As of a local folder with the same files, from one listing."""
    from ..remote.listing import list_objects

    folder = cast("Path", root)
    if root.suffix.lower() in TABLES and root.is_file():
        return FileList(folder.parent, manifest=root.name)
    try:
        objects = list_objects(root)
    except FileNotFoundError as error:
        raise _no_images(folder, "is in no bucket of this name") from error
    if not objects.names:
        raise _no_images(folder, "holds no file")
    return _file_list(folder, list(candidates(objects.names)), objects)


def check_output(folder: Path) -> None:
    """Refuse a folder for results that holds images already: results and data would become one.

    Raises
    ------
    StorageError
    """
    names = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    images = sorted(name for name in names if is_image_name(name))
    if images and not any(names >= written for written in OF_LEUKOBENCH):
        raise StorageError(
            f"{folder} holds images, and would be filled with results.",
            expected="a new or empty folder, or an earlier one of results",
            received=", ".join(images[:3]),
            fix="name another folder.",
        )


def _what_is(path: Path) -> str:
    try:
        path.stat()
    except FileNotFoundError:
        return "is not there"
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    return "is a file"


def check_names(files: FileList) -> None:
    """Refuse names that no table could store, or that would be other classes under another locale.

    Raises
    ------
    ImagesError
    """
    encoding = sys.getfilesystemencoding()
    names = [str(files.folder), *files.images, *(path for path, _ in files.refused)]
    if encoding != "utf-8" and not all(name.isascii() for name in names):
        raise ImagesError(
            "Python reads the names of files in another encoding than UTF-8, so classes would get other names.",
            expected="utf-8",
            received=encoding,
            fix="set PYTHONUTF8=1 before Python starts.",
        )
    if printable(names[0]) != names[0]:
        raise ImagesError(
            "The name of the folder is not valid UTF-8.",
            received=printable(names[0]),
            fix="rename the folder, or name a symbolic link to it.",
        )

"""Files: everything below a folder, each file a candidate or refused with a reason."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

from ..errors import ImagesError, StorageError
from ..storage import OUTPUT_MARKER, user_path
from .limits import kind_of, slide_refusal

EXTENSIONS = frozenset({".bmp", ".jfif", ".jpe", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"})
"""Extensions, in lower case, of the files that count as images; upper case works as well."""

TABLES = frozenset({".csv", ".parquet"})
"""Extensions of the files that count as manifests."""


WRITTEN = "written by leukobench"
BROKEN_LINK = "broken symbolic link"
UNREADABLE, UNSUPPORTED, NOT_UTF8 = "folder cannot be read", "not a supported image file", "name is not valid UTF-8"
"""How the reasons for refusals begin that may hide a class."""
_OF_LEUKOBENCH = ({OUTPUT_MARKER}, {".lock", "run.log"}, {"SHA256SUMS", "manifest.json", "model_card.md"})
"""Names of files that show that leukobench wrote the folder: any result, a run that ended early, a bundle."""


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
    """

    folder: Path
    images: tuple[str, ...] = ()
    refused: tuple[tuple[str, str], ...] = ()
    manifest: str = ""

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


@dataclass(frozen=True)
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
    """

    rows: list[Row]
    refused: list[tuple[str, str]]
    patients: str = "none"
    warnings: tuple[str, ...] = ()
    shape: str = ""


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
    root = Path(os.path.abspath(user_path(images)))
    if os.path.isfile(root) and root.suffix.lower() in TABLES:
        return FileList(root.parent, manifest=root.name)
    if not os.path.isdir(root):
        raise ImagesError(
            "There are no images to index.",
            expected="a folder of images, or a manifest (.csv or .parquet)",
            received=f"{root}, which {_what_is(root)}",
            fix="correct the path.",
        )
    paths = list(_walk(root))
    candidates = sorted(path for path, reason in paths if not reason)
    refused = sorted((path, reason) for path, reason in paths if reason)
    return FileList(root, tuple(candidates), tuple(refused))


def check_output(folder: Path) -> None:
    """Refuse a folder for results that holds images already: results and data would become one.

    Raises
    ------
    StorageError
    """
    names = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    images = sorted(name for name in names if is_image_name(name))
    if images and not any(names >= written for written in _OF_LEUKOBENCH):
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


def printable(path: str) -> str:
    """Return `path` as text that any file format can store: bytes that are not UTF-8 become escapes."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def is_image_name(path: str) -> bool:
    """Whether `path` has the extension of an image."""
    return PurePosixPath(path).suffix.lower() in EXTENSIONS


def _walk(root: Path) -> Iterator[tuple[str, str]]:
    """Yield every path below `root` with the reason why it is not a candidate, or ''.

    Linked folders come after all real ones, so that a folder that both reach is listed under its own name.
    """
    seen: set[tuple[int, int]] = set()
    folders, linked = [""], list[str]()
    while folders or linked:
        folder = folders.pop() if folders else linked.pop()
        try:
            status = (root / folder).stat()
            entries = sorted(os.scandir(root / folder), key=lambda entry: entry.name)
        except OSError as error:
            yield folder or ".", f"{UNREADABLE}: {error.strerror}"
            continue
        if (status.st_dev, status.st_ino) in seen:
            yield folder, "symbolic link to a folder that was already listed"
            continue
        seen.add((status.st_dev, status.st_ino))
        names = {entry.name for entry in entries}
        if folder and any(names >= written for written in _OF_LEUKOBENCH):
            yield folder, WRITTEN
            continue
        for entry in entries:
            path = f"{folder}/{entry.name}" if folder else entry.name
            if _is_folder(entry):
                (linked if entry.is_symlink() else folders).append(path)
            else:
                yield path, _refusal(entry, path)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a symbolic link that points to itself
        return False


def _refusal(entry: os.DirEntry[str], path: str) -> str:
    parts = PurePosixPath(path).parts
    if printable(path) != path:
        return NOT_UTF8
    if any(part.startswith(".") for part in parts):
        return "hidden file or folder"
    if "__MACOSX" in parts:
        return "left over from a macOS archive"
    if reason := _not_a_file(entry) or slide_refusal(path):
        return reason
    return "" if is_image_name(path) else f"{UNSUPPORTED} ({PurePosixPath(path).suffix.lower() or 'no extension'})"


def _not_a_file(entry: os.DirEntry[str]) -> str:
    try:
        return "" if entry.is_file() else f"not a regular file: {kind_of(entry.stat().st_mode)}"
    except FileNotFoundError:
        return BROKEN_LINK
    except OSError as error:
        return f"cannot be read: {error.strerror}"

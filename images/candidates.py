"""Candidates: which files below a folder count as images, and why the others do not."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from ..storage import OUTPUT_MARKER
from .limits import kind_of, slide_refusal

EXTENSIONS = frozenset({".bmp", ".jfif", ".jpe", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"})
"""Extensions, in lower case, of the files that count as images; upper case works as well."""

WRITTEN = "written by leukobench"
BROKEN_LINK = "broken symbolic link"
UNREADABLE, UNSUPPORTED, NOT_UTF8 = "folder cannot be read", "not a supported image file", "name is not valid UTF-8"
"""How the reasons for refusals begin that may hide a class."""
OF_LEUKOBENCH = ({OUTPUT_MARKER}, {".lock", "run.log"}, {"SHA256SUMS", "manifest.json", "model_card.md"})
"""Names of files that show that leukobench wrote the folder: any result, a run that ended early, a bundle."""
_MARKERS = frozenset().union(*OF_LEUKOBENCH)


def walk(root: Path) -> Iterator[tuple[str, str]]:
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
        if folder and any(names >= written for written in OF_LEUKOBENCH):
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
    return _refusal_of_name(path) or _not_a_file(entry) or _kind_refusal(path)


def _refusal_of_name(path: str) -> str:
    parts = PurePosixPath(path).parts
    if printable(path) != path:
        return NOT_UTF8
    if any(part.startswith(".") for part in parts):
        return "hidden file or folder"
    if "__MACOSX" in parts:
        return "left over from a macOS archive"
    return ""


def _kind_refusal(path: str) -> str:
    if reason := slide_refusal(path):
        return reason
    return "" if is_image_name(path) else f"{UNSUPPORTED} ({PurePosixPath(path).suffix.lower() or 'no extension'})"


def _not_a_file(entry: os.DirEntry[str]) -> str:
    try:
        return "" if entry.is_file() else f"not a regular file: {kind_of(entry.stat().st_mode)}"
    except FileNotFoundError:
        return BROKEN_LINK
    except OSError as error:
        return f"cannot be read: {error.strerror}"


def candidates(names: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Each name with the reason why it is not a candidate, or ''; as `walk`."""
    markers: dict[str, set[str]] = {}
    for name in names:
        folder, slash, own = name.rpartition("/")
        if slash and own in _MARKERS:
            markers.setdefault(folder, set()).add(own)
    ours = {folder for folder, inside in markers.items() if any(inside >= written for written in OF_LEUKOBENCH)}
    outermost = set()
    for name in names:
        within = next((folder for folder in _folders(name) if folder in ours), "") if ours else ""
        if not within:
            yield name, _odd_name(name) or _refusal_of_name(name) or _kind_refusal(name)
        elif within not in outermost:
            outermost.add(within)
            yield within, WRITTEN


def _folders(path: str) -> Iterator[str]:
    """The folders that a path is in, the outermost first."""
    place = path.find("/")
    while place >= 0:
        yield path[:place]
        place = path.find("/", place + 1)


def _odd_name(name: str) -> str:
    """Why no folder of a machine could hold an object of this name; '' where it could."""
    return "its name has a part that no folder can have" if {"", ".", ".."} & set(name.split("/")) else ""


def printable(path: str) -> str:
    """Return `path` as text that any file format can store: bytes that are not UTF-8 become escapes."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def is_image_name(path: str) -> bool:
    """Whether `path` has the extension of an image."""
    return PurePosixPath(path).suffix.lower() in EXTENSIONS

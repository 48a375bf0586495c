"""Losses: classes and images that a layout or a regular expression leaves out without anybody having wanted it."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath

from ..errors import ImagesError
from .candidates import BROKEN_LINK, EXTENSIONS, NOT_UTF8, UNREADABLE, UNSUPPORTED
from .file_kinds import is_picture, is_readable
from .files import FileList, Listing
from .levels import read_levels
from .limits import slide_refusal

_OTHER_PICTURES = frozenset(
    {".gif", ".svg", ".heic", ".heif", ".avif", ".jp2", ".j2k", ".jxl", ".dcm", ".dicom"}
    | {".npy", ".npz", ".nii", ".mat", ".raw", ".cr2", ".nef", ".dng", ".tga", ".ppm", ".pgm", ".pbm", ".psd", ".ico"}
)
_ARCHIVES = frozenset({".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".7z", ".rar"})
_SYSTEM = frozenset({"lost+found", "System Volume Information", "$RECYCLE.BIN", "@eaDir", "#recycle"})
_SHOWN, _LOOKED_AT, _HEAD = 5, 20, 512
_CLASS_SIZE = 2
"""Images that make a folder a class that is missed; a single one is a stray file."""


def check_losses(
    files: FileList, listing: Listing, name: str, automatic: bool, lost: Mapping[str, list[tuple[str, str]]]
) -> list[str]:
    """Refuse a reading that loses a class; return sentences on images that it loses.

    Parameters
    ----------
    files : FileList
    listing : Listing
        What the layout `name` reads from them.
    name : str
    automatic : bool
        Nobody chose this layout.
    lost : mapping
        See `lost_classes`; without those that the user excludes.

    Raises
    ------
    ImagesError
        No image is used of a folder that lies beside those of the classes.
    """
    if lost:
        taking = f"{_way_to(files)}; " if automatic and listing.refused else ""
        raise ImagesError(
            f"{_classes(lost)} would be left out.",
            expected="images of every folder beside those of the classes",
            received="; ".join(f"{folder}: {_counted(r for _, r in inside)}" for folder, inside in lost.items()),
            fix="make the files readable, convert them, or give them the extension of images; "
            f"{taking}{exclusion(lost)} leaves out what is no class.",
        )
    others = [*_of_folders(files), *_of_archives(files), *_of_classes(files, listing)]
    return [*others, *(_of_layout(files, listing, name) if automatic or listing.shape else [])]


def lost_classes(files: FileList, listing: Listing) -> dict[str, list[tuple[str, str]]]:
    """Folders that lie beside those of the classes, and of which no image is used.

    Returns
    -------
    dict
        Name of the folder -> path and reason of the images in it.
    """
    labels, places = {row.label for row in listing.rows}, _places(listing)
    lost: dict[str, list[tuple[str, str]]] = {}
    looked_at: Counter[str] = Counter()
    refused = [(*one, _is_missed(*one)) for one in files.refused] + [(*one, True) for one in listing.refused]
    for path, reason, missed in refused:
        for folder in set(_beside(path, reason, places)) - labels - _SYSTEM:
            unknown = not missed and reason.startswith(UNSUPPORTED) and looked_at[folder] < _LOOKED_AT
            looked_at[folder] += unknown
            if missed or (unknown and is_picture(_head(files.folder / path))):
                lost.setdefault(folder, []).append((path, reason))
    return {
        folder: inside
        for folder, inside in sorted(lost.items())
        if len(inside) >= _CLASS_SIZE or inside[0][1].startswith(UNREADABLE) or _suffix(inside[0][0]) in _ARCHIVES
    }


def check_kept(images: Iterable[tuple[str, str]], reasons: Mapping[str, str]) -> list[str]:
    """Refuse that no file of a class can be used; return sentences on classes of which most cannot.

    Parameters
    ----------
    images : iterable of (str, str)
        Label of each image, and its id or path.
    reasons : mapping of str to str
        Id or path -> why the file cannot be used.

    Raises
    ------
    ImagesError
    """
    unusable: dict[str, list[str]] = {}
    kept: Counter[str] = Counter()
    for label, key in images:
        if key in reasons:
            unusable.setdefault(label, []).append(reasons[key])
        else:
            kept[label] += 1
    lost = {label: unusable[label] for label in sorted(set(unusable) - set(kept))}
    if lost:
        others = f", or leave out what is no class with {exclusion(lost)}" if len(kept) > 1 else ""
        raise ImagesError(
            f"{_classes(lost)} would be left out: no file can be used." if kept else "No image can be used.",
            expected="image files that can be read",
            received="; ".join(f"{label}: {_counted(inside)}" for label, inside in lost.items()),
            fix=f"get the files again{others}.",
        )
    return [
        f"Most images of {label} cannot be used, {len(inside):,} of {len(inside) + kept[label]:,}: {_counted(inside)}."
        for label, inside in sorted(unusable.items())
        if len(inside) > kept[label]
    ]


def unread_advice(files: FileList) -> str:
    """What to do with files of which none is called like an image that can be read; '' where some are."""
    if files.images or not files.refused:
        return ""
    if any(reason == BROKEN_LINK for _, reason in files.refused):
        return "get the files that the symbolic links name, such as with `git annex get`, or copy them."
    others = [path for path, reason in files.refused if reason.startswith(UNSUPPORTED)]
    if not others:
        return ""
    heads = {path: _head(files.folder / path) for path in others[:_LOOKED_AT]}
    if any(map(is_readable, heads.values())):
        return "give the files the extension of their format, such as .jpg or .png."
    if any(_suffix(path) in _OTHER_PICTURES or is_picture(head) for path, head in heads.items()):
        return "convert the files to PNG or JPEG."
    return f"get images: the extensions that are read are {', '.join(sorted(EXTENSIONS))}."


def exclusion(classes: Iterable[str], more: str = "") -> str:
    """The option that leaves out these classes, and `more` options."""
    names = list(classes)
    options = " ".join(f"--exclude-class {shlex.quote(name)}" for name in names)
    return f"{options}{more} (`images: {{exclude_classes: [{', '.join(names)}]}}` in an experiment file)"


def _places(listing: Listing) -> set[tuple[str, ...]]:
    """Folders above those that give the labels."""
    places = set()
    for row in listing.rows:
        folders = row.path.split("/")[:-1]
        if row.label in folders:
            places.add(tuple(folders[: len(folders) - 1 - folders[::-1].index(row.label)]))
    return places


def _beside(path: str, reason: str, places: Collection[tuple[str, ...]]) -> Iterator[str]:
    """The folder beside those of the classes, or the class, in which the path lies."""
    folders = path.split("/")[: None if reason.startswith(UNREADABLE) else -1]
    for place in places:
        if tuple(folders[: len(place)]) == place and len(folders) > len(place):
            yield folders[len(place)]


def _suffix(path: str) -> str:
    return PurePosixPath(path).suffix.lower()


def _is_missed(path: str, reason: str) -> bool:
    other = reason.startswith(UNSUPPORTED) and _suffix(path) in _OTHER_PICTURES | _ARCHIVES
    return other or reason == slide_refusal(path) != "" or reason.startswith((UNREADABLE, NOT_UTF8))


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            return stream.read(_HEAD)
    except OSError:
        return b""


def _way_to(files: FileList) -> str:
    """How to use images that a detected layout does not take."""
    try:
        return f"--layout {read_levels(files)} takes them"
    except ImagesError:
        return "Named alone, their folder can be read"


def _of_folders(files: FileList) -> list[str]:
    paths = [f"{path} ({reason.partition(': ')[2]})" for path, reason in files.refused if reason.startswith(UNREADABLE)]
    return [f"Folders that cannot be read: {_listed(paths)}. Their images are left out."] if paths else []


def _of_archives(files: FileList) -> list[str]:
    paths = [path for path in files.other_files(*_ARCHIVES) if not path.lower().endswith(".nii.gz")]
    return [f"Archives are not unpacked: {_listed(paths)}."] if paths else []


def _of_classes(files: FileList, listing: Listing) -> list[str]:
    """Classes of which pictures are of a kind that is not read."""
    used, places = Counter(row.label for row in listing.rows), _places(listing)
    missed: dict[str, list[str]] = {}
    for path, reason in files.refused:
        if reason.startswith(UNSUPPORTED) and _suffix(path) in _OTHER_PICTURES:
            for label in set(_beside(path, reason, places)) & set(used):
                missed.setdefault(label, []).append(reason)
    return [
        f"Pictures of {label} are left out, {len(reasons):,} of {len(reasons) + used[label]:,}: {_counted(reasons)}."
        for label, reasons in sorted(missed.items())
    ]


def _of_layout(files: FileList, listing: Listing, name: str) -> list[str]:
    if not listing.refused:
        return []
    counts = f"{len(listing.refused):,} of {len(files.images):,} images are left out"
    first = listing.refused[0][0]
    if listing.shape:
        return [f"{counts}: they lie outside the class folders, such as {first}. A manifest can take them."]
    reason = _counted(reason for _, reason in listing.refused)
    return [f"{counts} by the detected layout {name}: {reason}, such as {first}. {_way_to(files)}."]


def _classes(names: Collection[str]) -> str:
    return f"{'The class' if len(names) == 1 else 'The classes'} {_listed(list(names))}"


def _counted(reasons: Iterable[str]) -> str:
    return ", ".join(f"{count:,} x {reason}" for reason, count in Counter(reasons).most_common(3))


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN:,} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more

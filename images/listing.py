"""The listing: what a layout reads from the files, without the classes left out on purpose, and checked for losses."""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Sequence
from dataclasses import replace

from ..errors import ImagesError, visible
from .class_names import twins
from .files import FileList, Listing
from .layouts import FolderLayout, Layout, detect, get_layout
from .losses import check_losses, lost_classes
from .manifest import ManifestLayout, PreliminaryLayout
from .masks import check_masks
from .splits import with_split_folders
from .tables import lists_images, table_advice

_TABLES = (ManifestLayout, PreliminaryLayout)


def read_layout(
    files: FileList,
    layout: str,
    exclude_classes: Sequence[str] = (),
    exclude_files: Sequence[str] = (),
    split: bool = False,
) -> tuple[FileList, Listing, str]:
    """Read the files in a layout.

    Parameters
    ----------
    files : FileList
    layout : str
        Its name or shape, or ``"auto"``.
    exclude_classes : sequence of str
        Labels whose images are refused.
    exclude_files : sequence of str
        Patterns of paths that are refused.
    split : bool
        A layout that reads a given test part, too, is detected first.

    Returns
    -------
    files : FileList
        Without the excluded ones.
    listing : Listing
    name : str
        Of the layout.

    Raises
    ------
    ImagesError
        The folders can be read in several ways, a class would be lost, there are masks among the images, or there is
        nothing that is to be excluded.
    """
    kept = files if files.manifest else files.without(exclude_files)
    name = detect(kept, split) if layout == "auto" else layout
    reader = get_layout(name)
    if isinstance(reader, _TABLES):
        listing = _read_table(files, reader, layout == "auto")
        return files, _without_classes(_without_files(files, listing, exclude_files), exclude_classes), name
    listing, lost = _read_folders(kept, reader, name, layout == "auto", exclude_classes)
    listing = with_split_folders(listing) if split else listing
    return kept, _without_classes(listing, exclude_classes, lost), name


def _read_table(files: FileList, reader: Layout, automatic: bool) -> Listing:
    listing = reader.read(files)
    if not automatic or not listing.refused:
        return listing
    count, (first, reason) = len(listing.refused), listing.refused[0]
    counts = f"{count:,} of {len(files.images):,} images are left out"
    return _warned(listing, [f"{counts}: {reason}, such as {first}. Add them to the table."])


def _read_folders(
    files: FileList, reader: Layout, name: str, automatic: bool, excluded: Sequence[str]
) -> tuple[Listing, list[str]]:
    """Return the listing, and the folders that it loses because the user excludes them."""
    detected = isinstance(reader, FolderLayout)  # it asks which folders are the classes: masks are none of them
    warnings = check_masks(files) if detected else []
    listing = reader.read(files)
    if not detected:
        warnings += check_masks(files, {row.label for row in listing.rows})
    elif lists_images(advice := table_advice(files)):
        warnings.append(f"{advice}.")
    lost = lost_classes(files, listing)
    missed = {folder: inside for folder, inside in lost.items() if not {folder, visible(folder)} & set(excluded)}
    return _warned(listing, [*warnings, *check_losses(files, listing, name, automatic, missed)]), list(lost)


def _without_files(files: FileList, listing: Listing, patterns: Sequence[str]) -> Listing:
    """A table lists its files whatever is in the folder."""
    kept = FileList(files.folder, tuple(row.path for row in listing.rows)).without(patterns)
    images = set(kept.images)
    rows = [row for row in listing.rows if row.path in images]
    return replace(listing, rows=rows, refused=[*listing.refused, *kept.refused])


def _without_classes(listing: Listing, classes: Sequence[str], lost: Sequence[str] = ()) -> Listing:
    labels = sorted({row.label for row in listing.rows})
    written = {visible(label): label for label in [*labels, *lost]}  # as messages show them
    classes = [written.get(name, name) for name in classes]
    unknown = [name for name in classes if name not in labels and name not in lost]
    if unknown and labels:
        near = difflib.get_close_matches(unknown[0], labels, n=1, cutoff=0.5)
        raise ImagesError(
            f"There is no class called {unknown[0]} to exclude.",
            expected=", ".join(labels),
            received=", ".join(classes),
            fix=f"did you mean {near[0]}?" if near else "name one of these classes.",
        )
    rows = [row for row in listing.rows if row.label not in classes]
    excluded = [(row.path, f"excluded class: {row.label}") for row in listing.rows if row.label in classes]
    listing = replace(listing, rows=rows, refused=[*listing.refused, *excluded])
    return _warned(listing, [_twins(group) for group in twins({row.label for row in rows})])


def _warned(listing: Listing, warnings: Sequence[str]) -> Listing:
    return replace(listing, warnings=(*listing.warnings, *warnings))


def _twins(names: Sequence[str]) -> str:
    alike = len({unicodedata.normalize("NFKC", name) for name in names}) < len(names)  # they may look the same
    codes = {name: f" ({name!a})" if alike and not name.isascii() else "" for name in names}
    quoted = " and ".join(f"{name!r}{codes[name]}" for name in names)
    return f"The classes {quoted} differ only in how they are written. If they are one class, give it one name."

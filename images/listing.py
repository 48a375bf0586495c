"""The listing: what a layout reads from the files, without the classes left out on purpose, and checked for losses."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import replace

from ..errors import ImagesError
from .class_names import twins
from .files import FileList, Listing
from .layouts import FolderLayout, get_layout
from .losses import check_losses, lost_classes
from .manifest import ManifestLayout, PreliminaryLayout
from .masks import check_masks
from .tables import lists_images, table_advice

_TABLES = (ManifestLayout, PreliminaryLayout)


def read_layout(files: FileList, name: str, automatic: bool, exclude_classes: Sequence[str] = ()) -> Listing:
    """Read the files in the layout `name`.

    Parameters
    ----------
    files : FileList
    name : str
    automatic : bool
        The layout was detected, not chosen.
    exclude_classes : sequence of str
        Labels whose images are refused.

    Raises
    ------
    ImagesError
        The folders can be read in several ways, a class would be lost, there are masks among the images, or there is no
        class to exclude.
    """
    layout = get_layout(name)
    folders, table = isinstance(layout, FolderLayout), isinstance(layout, _TABLES)
    warnings = check_masks(files) if folders else []
    if folders and lists_images(advice := table_advice(files)):
        warnings.append(f"{advice}.")
    listing = layout.read(files)
    if not folders and not table:
        warnings += check_masks(files, {row.label for row in listing.rows})
    lost = {} if table else lost_classes(files, listing)
    if not table:
        missed = {folder: inside for folder, inside in lost.items() if folder not in exclude_classes}
        warnings += check_losses(files, listing, name, automatic, missed)
    elif automatic and listing.refused:
        warnings.append(_beside_table(files, listing))
    listing = _without(listing, exclude_classes, list(lost))
    warnings += [_twins(group) for group in twins({row.label for row in listing.rows})]
    return replace(listing, warnings=(*listing.warnings, *warnings))


def _without(listing: Listing, classes: Sequence[str], lost: Sequence[str]) -> Listing:
    labels = sorted({row.label for row in listing.rows})
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
    return replace(listing, rows=rows, refused=[*listing.refused, *excluded])


def _beside_table(files: FileList, listing: Listing) -> str:
    count, (first, reason) = len(listing.refused), listing.refused[0]
    return f"{count:,} of {len(files.images):,} images are left out: {reason}, such as {first}. Add them to the table."


def _twins(names: Sequence[str]) -> str:
    quoted = " and ".join(repr(name) for name in names)
    return f"The classes {quoted} differ only in how they are written. If they are one class, give it one name."

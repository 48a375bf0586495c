"""The index: every image with its SHA-256, label and patient, and the ledger of every file that is not used."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..errors import ImagesError, visible
from ..remote.path import absolute_path, is_url
from ..storage import digest
from .candidates import WRITTEN, printable
from .class_sizes import check_sizes
from .files import FileList, Row, check_names, find_files
from .groups import clusters, compile_group, regroup
from .identification import identify
from .levels import advice
from .listing import read_layout
from .losses import check_kept

if TYPE_CHECKING:
    import pandas as pd

_COLUMNS = ["image_id", "label", "patient", "path"]
CORRECTED = "label corrected"
"""How the lines of ``ledger.parquet`` begin that are of images in use."""


@dataclass(frozen=True, eq=False)
class ImageIndex:
    """The images of an experiment and the files that are not used.

    Attributes
    ----------
    images : DataFrame
        One row per image file: ``image_id`` (SHA-256 of its bytes, hex), ``label``, ``patient`` ('' where unknown) and
        ``path`` (absolute), all text, sorted in this order: renaming or moving files changes no row but its path.
        Where known, further columns of text follow, such as ``split``, ``fold`` or ``site``: those of the layout or the
        manifest. After an audit also ``copies``: a key that copies of one image share, '' where there is none.
    ledger : DataFrame
        One row per file that holds no image in use: ``path`` and ``reason``, sorted by path.
    layout : str
        Name of the layout that assigned the labels.
    patients : str
        Where the patients come from, in words; ``"none"`` where they are unknown.
    pseudo : bool
        The patients are pseudo-patients, for a stress test.
    warnings : tuple of str
        What the user has to know of how these images were found, a sentence each.
    corrected : tuple of (str, str)
        Path of each image whose label a person corrected, and how: lines of ``ledger.parquet``, though it is used.
    manifest : str
        Path of the table that names the images: a row of `ledger`, where it is in the folder, but not of `unused`.
    """

    images: pd.DataFrame
    ledger: pd.DataFrame
    layout: str
    patients: str
    pseudo: bool = False
    warnings: tuple[str, ...] = ()
    corrected: tuple[tuple[str, str], ...] = ()
    manifest: str = ""

    def __len__(self) -> int:
        return len(self.images)

    @cached_property
    def group(self) -> np.ndarray:
        """Independent groups, int64, one number a row: images of one patient and copies of one image share it."""
        keys = [name for name in ("image_id", "patient", "copies") if name in self.images]
        return clusters(*(self.images[name].to_numpy() for name in keys))

    def files(self) -> list[tuple[str, str]]:
        """Image id and path of every image, in the order of `images`."""
        return list(zip(self.images["image_id"], self.images["path"], strict=True))

    def table(self) -> pd.DataFrame:
        """Table for ``images.parquet``: row (0, 1, ...), image_id, label, patient, path …, and the group."""
        table = self.images.assign(group=self.group)
        table.insert(0, "row", np.arange(len(table)))
        return table

    def digest(self) -> str:
        """SHA-256 of ids, labels, groups and reasons: all that decides the scores; paths take no part."""
        columns = [self.images["image_id"].tolist(), self.images["label"].tolist(), self.group.tolist()]
        reasons = self.ledger["reason"][self.ledger["reason"] != WRITTEN]
        return digest([*columns, (self.images["patient"] == "").tolist(), reasons.tolist()])

    def classes(self) -> list[str]:
        """Labels in alphabetical order."""
        return sorted(self.images["label"].unique())

    def counts(self) -> pd.DataFrame:
        """Count the files (``images``), contents (``distinct``) and groups (``groups``) of each label, the index."""
        table = self.images.assign(group=self.group).groupby("label")
        return table.agg(images=("path", "size"), distinct=("image_id", "nunique"), groups=("group", "nunique"))

    def with_copies(self, keys: Sequence[str]) -> ImageIndex:
        """Return the index with images that share a key other than '' in one group."""
        return replace(self, images=self.images.assign(copies=list(keys)).astype({"copies": "str"}))

    def with_pseudo_patients(self, keys: Sequence[str], words: str) -> ImageIndex:
        """Return the index with pseudo-patients as groups; `words` describes how they were made."""
        images = self.images.assign(patient=list(keys)).astype({"patient": "str"})
        return replace(self, images=images, patients=words, pseudo=True)

    def with_labels(self, labels: Mapping[str, str], source: str) -> ImageIndex:
        """Return the index with other labels.

        Parameters
        ----------
        labels : mapping
            Image id -> label.
        source : str
            Where the labels come from, in words.
        """
        named = zip(self.images["image_id"], self.images["label"], strict=True)
        images = self.images.assign(label=[labels.get(image_id, label) for image_id, label in named])
        changed = images["label"] != self.images["label"]
        both = zip(self.images["label"][changed], images["label"][changed], strict=True)
        reasons = [f"{CORRECTED}: {before} -> {after} ({source})" for before, after in both]
        corrected = tuple(zip(images["path"][changed], reasons, strict=True))
        images = images.astype({"label": "str"}).sort_values(list(images.columns), kind="stable", ignore_index=True)
        return replace(self, images=images, corrected=(*self.corrected, *corrected))

    @property
    def unused(self) -> pd.DataFrame:
        """The rows of `ledger` of files that are not used: without the table that was read."""
        if not self.manifest:  # the ledger of published results is empty, without columns
            return self.ledger
        return self.ledger[self.ledger["path"] != self.manifest].reset_index(drop=True)

    def whole_ledger(self) -> pd.DataFrame:
        """Table for ``ledger.parquet``: files that are not used, and images whose label was corrected."""
        return _ledger([*self.unused.itertuples(index=False, name=None), *self.corrected])

    def split(self, sealed: np.ndarray) -> tuple[ImageIndex, ImageIndex]:
        """Return two indexes: the rows where `sealed` is false, and those where it is true."""
        parts = (self.images[~sealed], self.images[sealed])
        rest, held = (replace(self, images=part.reset_index(drop=True)) for part in parts)
        return rest, held

    def followed_by(self, others: ImageIndex) -> ImageIndex:
        """Return the index with the images of another behind its own."""
        import pandas as pd

        return replace(self, images=pd.concat([self.images, others.images], ignore_index=True))

    def conflicts(self) -> pd.DataFrame:
        """Rows of `images` whose content has more than one label."""
        labels = self.images.groupby("image_id")["label"].transform("nunique")
        return self.images[labels > 1].reset_index(drop=True)

    def without(self, reasons: Mapping[str, str]) -> ImageIndex:
        """Return the index with some images moved to the ledger.

        Parameters
        ----------
        reasons : mapping
            Image id or path, and the reason why it cannot be used.

        Raises
        ------
        ImagesError
            The index has no such image.
        """
        by_id, by_path = self.images["image_id"].map(reasons), self.images["path"].map(reasons)
        reason = by_path.fillna(by_id)
        unknown = set(reasons) - set(self.images["image_id"]) - set(self.images["path"])
        if unknown:
            raise ImagesError(
                f"{len(unknown)} of the images to leave out are not in the index.",
                expected="image ids or paths of this index",
                received=", ".join(sorted(unknown)[:3]),
            )
        moved = list(zip(self.images["path"][reason.notna()], reason.dropna(), strict=True))
        kept = self.images[reason.isna()].reset_index(drop=True)
        return replace(self, images=kept, ledger=_ledger([*self.ledger.itertuples(index=False, name=None), *moved]))

    def check(self, folds: int) -> None:
        """Refuse labels that cannot be cross-validated.

        Parameters
        ----------
        folds : int
            Number of folds; every class needs at least one independent group in each.

        Raises
        ------
        ImagesError
            There are fewer than two classes, or a class has fewer groups than there are folds.
        """
        check_sizes(self.counts(), folds, self.layout, self.patients)


def index_images(
    images: str | Path,
    layout: str = "auto",
    group: str | None = None,
    progress: Callable[[int, int], None] | None = None,
    exclude_classes: Sequence[str] = (),
    exclude_files: Sequence[str] = (),
    split: bool = False,
) -> ImageIndex:
    """Find every image, its label and its patient, and identify it by its bytes; nothing is decoded yet.

    Parameters
    ----------
    images : str or Path
        A folder, or a manifest (CSV or parquet).
    layout : str
        A name in `LAYOUTS`, what each level of folders means, as in ``"split/class"`` (see `ShapeLayout`), or
        ``"auto"`` for the first layout that fits.
    group : str, optional
        Regular expression, searched in each path relative to the folder (``/`` between its parts); its group named
        ``patient``, else its first group, is the patient. Files where it finds nothing go to the ledger. Replaces the
        layout's own patients.
    progress : callable, optional
        Called with the number of files identified so far and the number of all.
    exclude_classes, exclude_files : sequence of str
        Classes, and patterns of paths (``*`` is any text), whose images go to the ledger.
    split : bool
        Detect a layout that reads a given test part, too, where there is one.

    Returns
    -------
    ImageIndex
        Every file found is either in ``images`` or in ``ledger``.

    Raises
    ------
    ImagesError
        No layout fits, or several readings do; a class would be lost; there are masks among the images; a manifest row
        cannot be used; or no image is left.
    ConfigurationError
        The layout is unknown, or the regular expression is none or has no group.
    """
    expression = None if group is None else compile_group(group)
    files = find_files(images)
    listed = (files.objects,) if files.objects else ()
    check_names(files)
    files, listing, name = read_layout(files, layout, exclude_classes, exclude_files, split)
    if expression:
        listing = regroup(listing, expression, files.folder)
    rows, digests, unreadable = identify(files.folder, listing.rows, progress, listing.objects or listed)
    refused = [*files.refused, *listing.refused, *unreadable]
    if not listing.rows:
        raise _nothing_left(files, name, refused)
    remarks = check_kept([(row.label, row.path) for row in listing.rows], dict(unreadable))
    ledger = _ledger([(_ledger_path(files, path), reason) for path, reason in refused])
    frame = _frame(files, rows, digests)
    warnings = (*listing.warnings, *remarks, *filter(None, [advice(listing, layout == "auto")]))
    table = _ledger_path(files, listing.table) if listing.table else ""
    return ImageIndex(frame, ledger, name, listing.patients, warnings=warnings, manifest=table)


def _frame(files: FileList, rows: list[Row], digests: list[str]) -> pd.DataFrame:
    import pandas as pd

    records = [
        (
            image_id,
            visible(row.label),
            visible(row.patient),
            absolute_path(files.folder, row.path),
            *map(visible, row.columns.values()),
        )
        for row, image_id in zip(rows, digests, strict=True)
    ]
    return pd.DataFrame(sorted(records), columns=[*_COLUMNS, *(rows[0].columns if rows else ())], dtype="str")


def _ledger(refused: list[tuple[str, str]]) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(sorted(refused), columns=["path", "reason"], dtype="str")


def _ledger_path(files: FileList, path: str) -> str:
    """Of an object with an odd name, too, of which a path would drop parts."""
    return path if is_url(path) else f"{files.folder}/{path}" if files.objects else str(files.folder / printable(path))


def _nothing_left(files: FileList, layout: str, refused: list[tuple[str, str]]) -> ImagesError:
    reasons = Counter(reason for _, reason in refused).most_common(3)
    return ImagesError(
        f"No image below {files.folder} can be used.",
        expected=f"images in the layout {layout}",
        received="; ".join(f"{count} x {reason}" for reason, count in reasons) or "no file at all",
        fix="correct the path, or name another layout.",
    )

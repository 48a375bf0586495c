"""The index: every image with its SHA-256, label and patient, and the ledger of every file that is not used."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..errors import ImagesError
from ..machine import cores
from ..storage import digest, file_digest
from .files import FileList, Row, find_files, printable
from .groups import clusters, compile_group, regroup
from .layouts import detect, get_layout
from .limits import refusal

if TYPE_CHECKING:
    import pandas as pd

_EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
_BATCH = 32  # files a thread takes at a time; handing out single ones would cost more than hashing them
_COLUMNS = ["image_id", "label", "patient", "path"]


@dataclass(frozen=True, eq=False)
class ImageIndex:
    """The images of an experiment and the files that are not used.

    Attributes
    ----------
    images : DataFrame
        One row per image file: ``image_id`` (SHA-256 of its bytes, hex), ``label``, ``patient`` ('' where unknown) and
        ``path`` (absolute), all text, sorted in this order: renaming or moving files changes no row but its path.
        After an audit also ``copies``: a key that copies of one image share, '' where there is none.
    ledger : DataFrame
        One row per file that is not used: ``path`` and ``reason``, sorted by path.
    layout : str
        Name of the layout that assigned the labels.
    patients : str
        Where the patients come from, in words; ``"none"`` where they are unknown.
    pseudo : bool
        The patients are pseudo-patients, for a stress test.
    """

    images: pd.DataFrame
    ledger: pd.DataFrame
    layout: str
    patients: str
    pseudo: bool = False

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
        return digest([*columns, (self.images["patient"] == "").tolist(), self.ledger["reason"].tolist()])

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

    def split(self, sealed: np.ndarray) -> tuple[ImageIndex, ImageIndex]:
        """Return two indexes: the rows where `sealed` is false, and those where it is true."""
        parts = (self.images[~sealed], self.images[sealed])
        rest, held = (replace(self, images=part.reset_index(drop=True)) for part in parts)
        return rest, held

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
        counts = self.counts()
        if len(counts) < 2:
            raise ImagesError(
                "A benchmark needs at least two classes.",
                expected="two or more labels",
                received=f"layout {self.layout}: {_in_words(counts)}",
                fix="check that the folder is the one that holds the class folders, or name another layout.",
            )
        small = counts[counts["groups"] < folds]
        if len(small):
            raise ImagesError(
                f"A class is too small for {folds} folds: {', '.join(small.index)}.",
                expected=f"at least {folds} independent groups (patients, or distinct images) per class",
                received=f"{_in_words(counts)}; patients: {self.patients}",
                fix=f"use at most {counts['groups'].min()} folds, add images, or leave the class out.",
            )


def index_images(
    images: str | Path,
    layout: str = "auto",
    group: str | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> ImageIndex:
    """Find every image, its label and its patient, and identify it by its bytes; nothing is decoded yet.

    Parameters
    ----------
    images : str or Path
        A folder, or a manifest (CSV or parquet).
    layout : str
        A name in `LAYOUTS`, or ``"auto"`` for the first one that fits.
    group : str, optional
        Regular expression, searched in each path relative to the folder (``/`` between its parts); its group named
        ``patient``, else its first group, is the patient. Files where it finds nothing go to the ledger. Replaces the
        layout's own patients.
    progress : callable, optional
        Called with the number of files identified so far and the number of all.

    Returns
    -------
    ImageIndex
        Every file found is either in ``images`` or in ``ledger``.

    Raises
    ------
    ImagesError
        No layout fits, a manifest row cannot be used, or no image is left.
    ConfigurationError
        The layout is unknown, or the regular expression is none or has no group.
    """
    expression = None if group is None else compile_group(group)
    files = find_files(images)
    name = detect(files) if layout == "auto" else layout
    listing = get_layout(name).read(files)
    if expression:
        listing = regroup(listing, expression)
    rows, digests, unreadable = _identify(files, listing.rows, progress)
    refused = [*files.refused, *listing.refused, *unreadable]
    if not rows:
        raise _nothing_left(files, name, refused)
    ledger = _ledger([(str(files.folder / printable(path)), reason) for path, reason in refused])
    return ImageIndex(_frame(files, rows, digests), ledger, name, listing.patients)


def _identify(
    files: FileList, rows: list[Row], progress: Callable[[int, int], None] | None
) -> tuple[list[Row], list[str], list[tuple[str, str]]]:
    used, digests, refused = [], [], []
    for done, (row, (image_id, reason)) in enumerate(zip(rows, _digests(files.folder, rows), strict=True), 1):
        if reason:
            refused.append((row.path, reason))
        else:
            used.append(row)
            digests.append(image_id)
        if progress:
            progress(done, len(rows))
    return used, digests, refused


def _digests(folder: Path, rows: list[Row]) -> Iterator[tuple[str, str]]:
    """Yield digest and refusal of each file; a slow disk answers several requests at a time."""
    batches = [rows[start : start + _BATCH] for start in range(0, len(rows), _BATCH)]
    with ThreadPoolExecutor(min(32, 4 + cores())) as pool:
        for results in pool.map(lambda batch: [_digest_or_reason(folder / row.path) for row in batch], batches):
            yield from results


def _digest_or_reason(path: Path) -> tuple[str, str]:
    try:
        if reason := refusal(path):
            return "", reason
        image_id = file_digest(path)
    except OSError as error:
        return "", f"cannot be opened: {error.strerror}"
    return image_id, "empty file" if image_id == _EMPTY else ""


def _frame(files: FileList, rows: list[Row], digests: list[str]) -> pd.DataFrame:
    import pandas as pd

    records = [
        (image_id, row.label, row.patient, os.path.normpath(files.folder / row.path))
        for row, image_id in zip(rows, digests, strict=True)
    ]
    return pd.DataFrame(sorted(records), columns=_COLUMNS, dtype="str")


def _ledger(refused: list[tuple[str, str]]) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(sorted(refused), columns=["path", "reason"], dtype="str")


def _nothing_left(files: FileList, layout: str, refused: list[tuple[str, str]]) -> ImagesError:
    reasons = Counter(reason for _, reason in refused).most_common(3)
    return ImagesError(
        f"No image below {files.folder} can be used.",
        expected=f"images in the layout {layout}",
        received="; ".join(f"{count} x {reason}" for reason, count in reasons) or "no file at all",
        fix="correct the path, or name another layout.",
    )


def _in_words(counts: pd.DataFrame) -> str:
    words = [f"{label} {row['images']} images in {row['groups']} groups" for label, row in counts.iterrows()]
    return "; ".join(words) or "no images"

"""Layouts: how the folders and file names of a data set assign labels and patients."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Protocol

from ..errors import ImagesError, UnknownNameError
from ..registry import Registry
from .files import FileList, Listing, Row, find_files
from .levels import read_levels, remark
from .losses import unread_advice
from .manifest import ManifestLayout, PreliminaryLayout
from .shapes import ShapeLayout, is_shape
from .splits import FOLD, SPLIT, TEST, TRAIN
from .tables import table_advice

_WITH_TEST = ("cnmc_challenge",)
"""Layouts that read a test part, where others read the training part alone."""


class Layout(Protocol):
    """What every layout in `LAYOUTS` offers."""

    def matches(self, files: FileList) -> bool:
        """Whether these files follow this layout, judged by their names alone."""
        ...

    def read(self, files: FileList) -> Listing:
        """Give every image a label and a patient, or a reason why it has none."""
        ...


@dataclass(frozen=True)
class NameLayout:
    """A layout that a regular expression on the relative path describes.

    Parameters
    ----------
    pattern : str
        Matches the whole relative path; its group ``label`` is the label, its group ``patient``, if any, the patient.
        Further groups become columns.
    shape : str
        The pattern in words, for the ledger.
    patients : str
        Where the patients come from, in words.
    labels : mapping, optional
        Class names for what the group ``label`` holds.
    choice : str, optional
        If set, names may not repeat within a class; this sentence says what the user has to choose between.
    """

    pattern: str
    shape: str
    patients: str = "none"
    labels: Mapping[str, str] = field(default_factory=dict)
    choice: str = ""

    def matches(self, files: FileList) -> bool:
        """Whether more than half of the images have such names."""
        return 2 * sum(self._match(path) is not None for path in files.images) > len(files.images)

    def read(self, files: FileList) -> Listing:
        """Take label and patient from each name; other names are refused.

        Raises
        ------
        ImagesError
            The folder holds several versions of one data set, and the user has to choose one.
        """
        rows, refused = [], []
        for path in files.images:
            match = self._match(path)
            if match is None:
                refused.append((path, f"name is not {self.shape}"))
            else:
                parts = match.groupdict()
                label = self.labels.get(parts["label"], parts["label"])
                columns = {name: text or "" for name, text in parts.items() if name not in {"label", "patient"}}
                rows.append(Row(path, label, parts.get("patient", ""), columns))
        if self.choice:
            self._check_choice(rows)
        return Listing(rows, refused, self.patients)

    def _match(self, path: str) -> re.Match[str] | None:
        return re.fullmatch(self.pattern, path)

    def _check_choice(self, rows: list[Row]) -> None:
        names = Counter((row.label, PurePosixPath(row.path).stem) for row in rows)
        repeated = [row.path for row in rows if names[row.label, PurePosixPath(row.path).stem] > 1]
        if repeated:
            stem = PurePosixPath(repeated[0]).stem
            raise ImagesError(
                f"{len(repeated)} images have names that occur more than once.",
                expected="one version of each image",
                received=", ".join(path for path in repeated if PurePosixPath(path).stem == stem),
                fix=self.choice,
            )


class ChallengeLayout:
    """C-NMC 2019 as its archives unpack: training images in their folds, and the preliminary set as the test part."""

    def matches(self, files: FileList) -> bool:
        """Whether there are both."""
        training, others = self._sides(files)
        return bool(training.images) and PreliminaryLayout().matches(others)

    def read(self, files: FileList) -> Listing:
        """Read both, with the columns split and fold; images of further sets, whose labels are unknown, are refused.

        Raises
        ------
        ImagesError
            The table of the preliminary set cannot be used.
        """
        sides = zip(self._sides(files), (get_layout("cnmc"), PreliminaryLayout()), (TRAIN, TEST), strict=True)
        rows, refused = [], []
        for side, layout, part in sides:
            listing = layout.read(side)
            rows += [replace(row, columns={SPLIT: part, FOLD: row.columns.get(FOLD, "")}) for row in listing.rows]
            refused += listing.refused
        return Listing(rows, refused, "subject from names and from the column Patient_ID (C-NMC 2019)")

    def _sides(self, files: FileList) -> tuple[FileList, FileList]:
        """The files with names of the training set, and all others."""
        named = [path for path in files.images if PurePosixPath(path).name.startswith("UID_")]
        others = [path for path in files.images if path not in set(named)]
        return replace(files, images=tuple(named)), replace(files, images=tuple(others))


class FolderLayout:
    """One folder per class: ``root/class/**/image``.

    Folders below a class belong to it, and folders that hold nothing but one folder are passed over. Top folders called
    train, test, val and the like are splits: the classes are below them. Where the names leave a doubt, `read` refuses
    and names the options.
    """

    def matches(self, files: FileList) -> bool:
        """Whether any image is in a folder below the root."""
        return any("/" in path for path in files.images)

    def read(self, files: FileList) -> Listing:
        """Take the folder as the label; images outside any class folder are refused.

        Raises
        ------
        ImagesError
            The folders can be read in several ways.
        """
        shape = read_levels(files)
        listing = ShapeLayout(shape).read(files)
        return replace(listing, warnings=tuple(filter(None, [remark(shape, listing.rows)])))


LAYOUTS = Registry("layout")
"""Layouts by name; auto-detection tries them in this order, `folders` last."""

_ANYWHERE = r"(?:.*/)?"
LAYOUTS.add("manifest", ManifestLayout())
LAYOUTS.add(
    "synthetic_sites",
    NameLayout(
        _ANYWHERE + r"(?P<label>[^/]+)/synthetic-(?P<site>S\d+)-(?P<patient>P\d+)_\d+\.\w+",
        "<class>/synthetic-S<site>-P<patient>_<image>",
        "patient from the file name (synthetic smears)",
    ),
)
LAYOUTS.add(
    "synthetic",
    NameLayout(
        _ANYWHERE + r"(?P<label>[^/]+)/synthetic-(?P<patient>P\d+)_\d+\.\w+",
        "<class>/synthetic-P<patient>_<image>",
        "patient from the file name (synthetic smears)",
    ),
)
LAYOUTS.add(
    "all",
    NameLayout(
        _ANYWHERE + r"(?P<label>[^/]+)/WBC-(?:Benign|Malignant-(?:Early|Pre|Pro))-\d+\.\w+",
        "<class>/WBC-<class>-<number>",
        choice="Original/ and Segmented/ show the same cells: name one of the two folders.",
    ),
)
LAYOUTS.add(
    "cnmc",
    NameLayout(
        # A name that contradicts its folder is refused. The H stays: patient 8 and healthy subject H8 are two people.
        r"(?!(?:.*/)?all/[^/]*_hem\.|(?:.*/)?hem/[^/]*_all\.)"
        + r"(?:(?:.*/)?(?P<fold>fold_\d+)/(?:.*/)?|(?:.*/)?)"
        + r"UID_(?P<patient>H?\d+)_\d+_\d+_(?P<label>all|hem)\.\w+",
        "UID_<subject>_<image>_<cell>_<all or hem>, not in a folder of the other class",
        "subject from the file name (C-NMC 2019)",
    ),
)
LAYOUTS.add("cnmc_challenge", ChallengeLayout())
LAYOUTS.add("cnmc_preliminary", PreliminaryLayout())
LAYOUTS.add(
    "allidb",
    NameLayout(
        _ANYWHERE + r"Im\d{3}_(?P<label>[01])\.\w+",
        "Im<number>_<0 or 1>",
        labels={"0": "healthy", "1": "ALL"},
        choice="the images of ALL-IDB2 are cut from those of ALL-IDB1: name one of the two folders.",
    ),
)
LAYOUTS.add(
    "aml_mll",
    NameLayout(
        _ANYWHERE + r"(?P<label>[^/]+)/(?P<patient>[A-Z]{3})/image_\d+\.\w+",
        "<class>/<patient, three letters>/image_<number>",
        "patient from the three-letter folder (AML-MLL)",
    ),
)
LAYOUTS.add("folders", FolderLayout())


def find_layout(images: str | Path) -> str:
    """Return the name of the layout that `images`, a folder or a manifest, follows.

    Raises
    ------
    ImagesError
        No layout fits.
    """
    return detect(find_files(images))


def detect(files: FileList, split: bool = False) -> str:
    """Return the name of the first layout that these files match; with `split` one that reads the test part, too.

    Raises
    ------
    ImagesError
        There is no image, or no layout fits.
    """
    if not files.manifest and not files.images and not files.refused:
        raise ImagesError(
            f"The folder {files.folder} is empty.",
            expected="one folder of images per class, or images and a manifest.csv (path, label, group)",
            received="no file in it or in a folder below it",
            fix="copy the images there, or name another folder.",
        )
    names = sorted(LAYOUTS.names(), key=lambda name: (name == "folders", split and name not in _WITH_TEST))
    for name in names:
        if get_layout(name).matches(files):
            return name
    reasons = Counter(reason for _, reason in files.refused).most_common(3)
    refused = "; ".join(f"{count} x {reason}" for reason, count in reasons)
    others = f"{len(files.refused)} other files ({refused})" if reasons else "no other file"
    raise ImagesError(
        f"No folder layout fits the files below {files.folder}.",
        expected="one folder per class, a manifest.csv (path, label, group), or a known data set: " + ", ".join(names),
        received=f"{len(files.images)} images directly in the folder, {others}",
        fix=_archive_advice(files)
        or table_advice(files)
        or unread_advice(files)
        or "move the images into one folder per class, or write a manifest.",
    )


def _archive_advice(files: FileList) -> str:
    archives = files.other_files(".zip", ".tar", ".gz", ".tgz", ".7z", ".rar")
    return f"unpack {archives[0]} first." if archives and not files.images else ""


def get_layout(name: str) -> Layout:
    """Return the layout called `name`, or described by it; a plug-in may register a class, which is instantiated."""
    if is_shape(name):
        return ShapeLayout(name)
    try:
        layout = LAYOUTS.get(name)
    except UnknownNameError as error:
        shapes = "or the meaning of each level of folders, such as split/class"
        expected = f"{error.expected}; {shapes}"
        raise UnknownNameError(error.what, expected=expected, received=name, fix=error.fix) from error
    return layout() if isinstance(layout, type) else layout

"""Given splits: which images are for training, for validation and for the test, and in which given fold."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..errors import ImagesError, visible
from .files import Listing
from .levels import kind_of

if TYPE_CHECKING:
    import pandas as pd

TRAIN, VALIDATION, TEST = "train", "validation", "test"
SPLIT, FOLD = "split", "fold"
"""Columns of the images that say it."""
_WORDS = {
    TRAIN: r"train(ing)?",
    VALIDATION: r"val|valid|validate|validation|dev|development",
    TEST: r"test(ing)?|holdout",
}
_NAMES = {part: re.compile(rf"({words})(set|data|[a-z]|\d+)?", re.IGNORECASE) for part, words in _WORDS.items()}
_SHOWN = 5


def part_of(name: str) -> str:
    """The part that a name such as ``Train``, ``valid`` or ``test_set`` means; '' where it tells none, or several."""
    words = re.split(r"[-_ .]+", re.sub(r"hold[-_ ]out", "holdout", name.strip(), flags=re.IGNORECASE))
    parts = {part for part, pattern in _NAMES.items() if any(map(pattern.fullmatch, words))}
    return parts.pop() if len(parts) == 1 else ""


def with_split_folders(listing: Listing) -> Listing:
    """The listing with the column split, or fold, from folders above the classes, where its layout reads none of them.

    Layouts that know a data set by the names of its files pass over the folders in which these lie.
    """
    if not listing.rows or {SPLIT, FOLD} & set(listing.rows[0].columns):
        return listing
    folders = [row.path.split("/")[:-2] for row in listing.rows]
    for column, fits in ((SPLIT, part_of), (FOLD, lambda name: kind_of(name) == FOLD)):
        names = [next(filter(fits, above), "") for above in folders]
        if all(names):
            rows = zip(listing.rows, names, strict=True)
            named = [replace(row, columns={**row.columns, column: name}) for row, name in rows]
            listing = replace(listing, rows=named)
    return listing


def given_parts(images: pd.DataFrame) -> NDArray[np.str_]:
    """Part of each image: ``train``, ``validation`` or ``test``; all for training where only folds are given.

    Parameters
    ----------
    images : DataFrame
        With the column ``split``, or ``fold``, or both.

    Raises
    ------
    ImagesError
        Nothing is given, or a name in the column ``split`` is none of a part.
    """
    if SPLIT not in images and FOLD not in images:
        raise ImagesError(
            "The images have no given split.",
            expected="folders such as train/ val/ test/ above the classes, or a manifest with the column split or fold",
            received=f"the columns {', '.join(images.columns)}",
            fix="name the layout, such as --layout split/class, write a manifest, or leave out --split given.",
        )
    if SPLIT not in images:
        return np.full(len(images), TRAIN)
    names = images[SPLIT].astype(str)
    parts = {name: part_of(name) for name in names.unique()}
    if unknown := sorted(name for name, part in parts.items() if not part):
        count = int(names.isin(unknown).sum())
        folds = f" A number of folds belongs into the column {FOLD}." if any(map(str.isdigit, unknown)) else ""
        raise ImagesError(
            f"{count:,} images are in no part of the given split: the names say none.",
            expected="train, validation (or val, dev) or test in the column split of every image",
            received=", ".join(f"'{visible(name)}'" for name in unknown[:_SHOWN]),
            fix=f"write a manifest with these names.{folds}",
        )
    return names.map(parts).to_numpy(dtype=str)


def given_folds(images: pd.DataFrame) -> tuple[str, ...]:
    """Given fold of each image; () where none are given.

    Parameters
    ----------
    images : DataFrame
        Those for training.

    Raises
    ------
    ImagesError
        Some have a fold and others have none, there is one fold alone, or a class is in one fold alone.
    """
    if FOLD not in images or not (images[FOLD] != "").any():
        return ()
    folds = images[FOLD].astype(str)
    if lacking := int((folds == "").sum()):
        raise ImagesError(
            f"{lacking:,} of {len(folds):,} images for training have no given fold.",
            expected="a fold for each of them, or for none",
            received=f"folds {_listed(sorted(folds[folds != ''].unique()))}",
            fix="complete the column fold, or leave it out.",
        )
    places = folds.groupby(images["label"]).nunique()
    if folds.nunique() < 2 or (places < 2).any():
        alone = "" if folds.nunique() < 2 else f" for {places.index[places < 2][0]}"
        raise ImagesError(
            f"There is one given fold alone{alone}: nothing could be trained on while it is tested.",
            expected="images of every class in at least two folds",
            received=f"folds {_listed(sorted(folds.unique()))}",
            fix="complete the column fold, leave it out, or leave the class out with --exclude-class.",
        )
    return tuple(folds)


def check_parts(labels: Collection[str], parts: NDArray[np.str_], groups: NDArray[np.int64], known: bool) -> None:
    """Refuse a split without a class in a part, or with a test part of one patient.

    Parameters
    ----------
    labels : collection of str, length n
    parts : ndarray of str, shape (n,)
    groups : ndarray of int, shape (n,)
        Of patients and copies.
    known : bool
        Whether patients are known.

    Raises
    ------
    ImagesError
    """
    named, classes = np.asarray(labels, dtype=str), sorted(set(labels))
    for part in (part for part in (TRAIN, VALIDATION, TEST) if part == TRAIN or (parts == part).any()):
        inside = named[parts == part]
        if lacking := sorted(set(classes) - set(inside)):
            raise ImagesError(
                f"There is no image of {_listed(lacking)} in the given {part} part.",
                expected=f"every class in it: {_listed(classes)}",
                received=", ".join(f"{visible(label)} {int((inside == label).sum()):,}" for label in classes),
                fix="leave the class out with --exclude-class, correct the split in a manifest, or use split: ignore.",
            )
    tested = np.unique(groups[parts == TEST])
    if len(tested) == 1:
        raise ImagesError(
            f"The given test part is all of one {'patient' if known else 'image and its copies'}.",
            expected="several, since a score on one says nothing about others",
            received=f"{int((parts == TEST).sum()):,} images",
            fix="correct the split in a manifest, or use split: ignore, which draws folds over all images.",
        )


def _listed(names: Collection[str]) -> str:
    shown = [visible(name) for name in list(names)[:_SHOWN]]
    return ", ".join(shown) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")

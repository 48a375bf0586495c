"""Class sizes: whether every class can be on both sides of every split."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import ImagesError
from .losses import exclusion

if TYPE_CHECKING:
    import pandas as pd

_LEAST = 2
"""Folds, and classes."""


def check_sizes(counts: pd.DataFrame, folds: int, layout: str, patients: str) -> None:
    """Refuse classes that cannot be cross-validated.

    Parameters
    ----------
    counts : DataFrame
        Columns images and groups; the index is the class.
    folds : int
    layout, patients : str
        Where classes and patients come from, in words.

    Raises
    ------
    ImagesError
        There are fewer than two classes, or a class has fewer groups than there are folds.
    """
    if len(counts) < _LEAST:
        raise ImagesError(
            "A benchmark needs at least two classes.",
            expected="two or more labels",
            received=f"layout {layout}: {_in_words(counts)}",
            fix="check that the folder is the one that holds the class folders, or name another layout.",
        )
    small = counts[counts["groups"] < folds]
    if len(small):
        raise ImagesError(
            f"A class is too small for {folds} folds: {', '.join(small.index)}.",
            expected=f"at least {folds} independent groups (patients, or images without their copies) per class",
            received=f"{_in_words(counts)}; patients: {patients}",
            fix=_ways_out(counts, small),
        )


def _ways_out(counts: pd.DataFrame, small: pd.DataFrame) -> str:
    """The numbers of folds that can work, if any, and the classes to leave out."""
    most, tiny = int(counts["groups"].min()), counts[counts["groups"] < _LEAST]
    ways = []
    if most >= _LEAST:
        ways.append(f"use {'2' if most == _LEAST else f'2 to {most}'} folds (--folds {most})")
    for classes in [small] if most >= _LEAST or len(tiny) == len(small) else [tiny, small]:
        kept = counts.drop(classes.index)["groups"]
        if len(kept) >= _LEAST:
            with_folds = f" --folds {kept.min()}" if len(classes) < len(small) else ""
            what = "leave them out" if len(classes) > 1 else "leave it out"
            ways.append(f"{what} with {exclusion(classes.index, with_folds)}")
    return ", or ".join([*ways, "add images of " + ("them" if len(small) > 1 else "it")]) + "."


def _in_words(counts: pd.DataFrame) -> str:
    words = [f"{label} {row['images']} images in {row['groups']} groups" for label, row in counts.iterrows()]
    return "; ".join(words) or "no images"

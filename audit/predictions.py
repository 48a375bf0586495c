"""Facts that give the class away: how well size, format, date or camera alone predict one class against another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from .independent import is_text, one_per_group

if TYPE_CHECKING:
    import pandas as pd

SUBJECTS: Mapping[str, Sequence[str]] = {
    "image size": ("width", "height"),
    "file size": ("bytes", "bytes per pixel"),
    "file format": ("format", "mode", "JPEG quantisation", "JPEG subsampling", "progressive"),
    "date": ("taken",),
    "camera": ("maker", "model", "software"),
    "metadata": ("metadata", "colour profile", "dots per inch"),
}
"""What is said of these facts together."""
LEAST_ACCURACY = 0.8
"""Balanced accuracy of a pair of classes from which a fact is said to predict it."""
SURE = 0.0005
"""p-value of a pair of classes, times the number of pairs, from which the difference may be chance."""
_BINS, _IN_A_BIN, _RARE = 16, 10, 5

Codes = NDArray[np.int64]


@dataclass(frozen=True)
class Prediction:
    """What one subject predicts.

    Attributes
    ----------
    subject : str
        A key of `SUBJECTS`.
    accuracies : dict
        Pair of classes that it predicts -> the balanced accuracy, and the fact that reaches it; the best first.
    """

    subject: str
    accuracies: dict[tuple[str, str], tuple[float, str]]

    def facts(self) -> set[str]:
        """Names of the facts that predict."""
        return {fact for _, fact in self.accuracies.values()}


def predictions(facts: pd.DataFrame, labels: NDArray[np.str_], groups: Codes | None = None) -> list[Prediction]:
    """Find the subjects that predict the class.

    Parameters
    ----------
    facts : DataFrame
        One row an image; numbers, texts or dates.
    labels : ndarray of str, shape (n,)
    groups : ndarray of int, shape (n,), optional
        Images that are not independent, such as those of a patient, count once.

    Returns
    -------
    list of Prediction
        The most accurate first.
    """
    classes, codes = np.unique(labels.astype(str), return_inverse=True)
    groups = np.arange(len(labels)) if groups is None else groups
    pairs = len(classes) * (len(classes) - 1) // 2
    named = []
    for subject, names in SUBJECTS.items():
        best: dict[tuple[str, str], tuple[float, str]] = {}
        for name in (name for name in names if name in facts):
            values, own = one_per_group(facts[name], codes, groups)
            table = _table(_bins(values, is_text(facts[name])), own, len(classes))
            accuracy = np.triu(pair_accuracies(table), 1)
            for a, b in np.argwhere(accuracy >= LEAST_ACCURACY).tolist():
                pair, reached = (str(classes[a]), str(classes[b])), float(accuracy[a, b])
                if reached > best.get(pair, (0.0, ""))[0] and _p(table[:, [a, b]]) * pairs <= SURE:
                    best[pair] = reached, name
        if best:
            named.append(Prediction(subject, dict(sorted(best.items(), key=lambda one: (-one[1][0], one[0])))))
    return sorted(named, key=lambda one: -next(iter(one.accuracies.values()))[0])


def pair_accuracies(table: Codes) -> NDArray[np.float64]:
    """Balanced accuracy of each class against each other, by the bin alone, each row of images left out in turn.

    Without its own row a bin speaks for the class that has the larger part of its rows there; a draw counts a half.

    Parameters
    ----------
    table : ndarray of int, shape (bins, classes)
        How many rows of each class lie in each bin.

    Returns
    -------
    ndarray of float64, shape (classes, classes)
    """
    total = table.sum(axis=0)
    share = table / np.maximum(total, 1)
    without = np.maximum(table - 1, 0) / np.maximum(total - 1, 1)
    wins = np.empty((table.shape[1],) * 2)
    for own in range(len(wins)):
        mine = without[:, [own]]
        won = (mine > share) + (mine == share) / 2
        wins[own] = table[:, own] @ won / max(total[own], 1)
    return (wins + wins.T) / 2


def _bins(values: NDArray[np.float64], text: bool) -> Codes:
    """Values that come often as they are, other numbers in bins of equal count, rare texts together."""
    distinct, codes, counts = np.unique(values, return_inverse=True, return_counts=True)
    if text:
        return np.where(counts[codes] < _RARE, -1, codes)
    if len(distinct) <= _BINS and (len(distinct) <= len(values) // _IN_A_BIN or counts.min() >= _RARE):
        return codes.astype(np.int64)
    parts = max(2, min(_BINS, len(values) // _IN_A_BIN))
    edges = np.unique(np.quantile(values, np.linspace(0, 1, parts + 1)[1:-1], method="lower"))
    return np.searchsorted(edges, values, side="left")


def _table(bins: Codes, codes: Codes, classes: int) -> Codes:
    places = np.unique(bins, return_inverse=True)[1]
    count = places.max(initial=-1) + 1
    return np.bincount(places * classes + codes, minlength=count * classes).reshape(count, classes)


def _p(table: Codes) -> float:
    """p-value of the chi-squared test of two classes."""
    from scipy.stats import chi2

    seen = table[table.any(axis=1)]
    if len(seen) < 2 or not seen.any(axis=0).all():
        return 1.0
    expected = np.outer(seen.sum(axis=1), seen.sum(axis=0)) / seen.sum()
    return float(chi2.sf(((seen - expected) ** 2 / expected).sum(), len(seen) - 1))

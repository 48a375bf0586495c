"""Sensitivity at 95 % specificity, and the reverse, at thresholds that other images chose."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..metric import Floats, Integers, ratio
from . import intervals

Flags = NDArray[np.bool_]

_LEAST = 0.95


class Points(NamedTuple):
    """A rate of each class with the limits of its 95 % interval, each of shape (K,); NaN where there is none."""

    value: Floats
    low: Floats
    high: Floats


def operating_points(
    labels: Integers, probabilities: Floats, folds: Integers, groups: Integers, count: int
) -> tuple[Points, Points]:
    """Each class against the rest, pooled over folds, mean over repeats.

    Each fold is decided at the threshold that the predictions of the other folds choose. One chosen on the images that
    it is applied to would promise more than it keeps.

    Parameters
    ----------
    labels : ndarray of int64, shape (n,)
    probabilities : ndarray of float64, shape (repeats, n, K)
        Out-of-fold.
    folds : ndarray of int64, shape (repeats, n)
    groups : ndarray of int64, shape (n,)
        From 0 to ``count - 1``.
    count : int

    Returns
    -------
    (Points, Points)
        Sensitivity at 95 % specificity, and specificity at 95 % sensitivity.
    """
    classes = range(probabilities.shape[2])
    sensitivity = [_point(labels == one, probabilities[:, :, one], folds, groups, count) for one in classes]
    specificity = [_point(labels != one, -probabilities[:, :, one], folds, groups, count) for one in classes]
    return Points(*np.array(sensitivity).T), Points(*np.array(specificity).T)


def flagged(positive: Flags, scores: Floats, folds: NDArray[np.integer], least: float = _LEAST) -> Floats:
    """Which images are above the lowest threshold with a specificity of `least` on the images of the other folds.

    Parameters
    ----------
    positive : ndarray of bool, shape (n,)
    scores : ndarray of float64, shape (n,)
    folds : ndarray of int, shape (n,)
    least : float

    Returns
    -------
    ndarray of float64, shape (n,)
        1 above it; NaN where the other folds have no image of the class, or none of the rest.
    """
    return _above(scores, _decided(positive, scores, folds), least)


@dataclass(frozen=True)
class _Fold:
    """A fold with its own images of the class, and those of the rest on the other folds: scores in ascending order."""

    inside: Flags
    ones: Floats
    zeros: Floats

    def threshold(self, least: float) -> float:
        alarms = min(int(len(self.zeros) * (1 - least) + 1e-9), len(self.zeros) - 1)
        return float(self.zeros[-alarms - 1])

    def hits(self, least: float) -> int:
        return len(self.ones) - int(np.searchsorted(self.ones, self.threshold(least), side="right"))


def _decided(positive: Flags, scores: Floats, folds: NDArray[np.integer]) -> list[_Fold]:
    """Folds for which the other folds have images of the class and of the rest."""
    order = np.argsort(scores)
    ones, zeros = order[positive[order]], order[~positive[order]]
    decided = []
    for fold in np.unique(folds):
        own, others = ones[folds[ones] == fold], zeros[folds[zeros] != fold]
        if len(others) and len(own) < len(ones):
            decided.append(_Fold(folds == fold, scores[own], scores[others]))
    return decided


def _above(scores: Floats, decided: list[_Fold], least: float) -> Floats:
    above = np.full(len(scores), np.nan)
    for fold in decided:
        above[fold.inside] = scores[fold.inside] > fold.threshold(least)
    return above


def _point(
    positive: Flags, scores: Floats, folds: Integers, groups: Integers, count: int
) -> tuple[float, float, float]:
    """Sensitivity and its limits, which join those of a rate to those of the threshold by their squares.

    The threshold is as uncertain as the specificity that it keeps on the held-out folds: the sensitivity is taken again
    at thresholds for the limits of that specificity.
    """
    repeats = [_decided(positive, *both) for both in zip(scores, folds, strict=True)]
    above = np.array([_above(own, decided, _LEAST) for own, decided in zip(scores, repeats, strict=True)])
    hits, ones = _sums(above, positive, groups, count)
    alarms, zeros = _sums(above, ~positive, groups, count)
    if not ones.any() or not zeros.any():
        return (np.nan,) * 3
    low, high = intervals.rates(hits, ones)
    kept_low, kept_high = intervals.rates(zeros - alarms, zeros)
    kept = 1 - alarms.sum() / zeros.sum()
    decided = [fold for one in repeats for fold in one]
    stricter, laxer = (
        sum(fold.hits(min(_LEAST + limit[0] - kept, 1.0)) for fold in decided) / sum(len(fold.ones) for fold in decided)
        for limit in (kept_high, kept_low)
    )
    value = ratio(hits.sum(axis=0), ones.sum(axis=0))
    down, up = intervals.combine(value, np.array([low, [stricter]]), np.array([high, [laxer]]))
    return float(value[0]), max(float(down[0]), 0.0), min(float(up[0]), 1.0)


def _sums(above: Floats, side: Flags, groups: Integers, count: int) -> tuple[Floats, Floats]:
    """Images of each group above, and all that are decided, of one side; mean over repeats, shape (count, 1)."""
    rows = [side & ~np.isnan(one) for one in above]
    hits = [np.bincount(groups[own], one[own], count) for own, one in zip(rows, above, strict=True)]
    images = [np.bincount(groups[own], minlength=count) for own in rows]
    return np.mean(hits, axis=0)[:, None], np.mean(images, axis=0)[:, None]

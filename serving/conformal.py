"""Conformal sets: as many classes as it takes to hold the right one at a chosen level, calibrated by groups.

A new image comes from a new patient, so patients, not images, are what is exchangeable: in the calibration each group
weighs the same, and the new one counts as one more (hierarchical conformal prediction). With single images as groups
that is split conformal prediction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

LEVELS = (0.8, 0.9, 0.95, 0.99)
_ENOUGH = 2.0


@dataclass(frozen=True)
class Calibration:
    """Out-of-fold scores of the true classes.

    Attributes
    ----------
    scores : ndarray of float64, shape (n,)
        One less the probability of the true class.
    labels, groups : ndarray of int, shape (n,)
    classes : int
    """

    scores: Floats
    labels: Integers
    groups: Integers
    classes: int

    @classmethod
    def of(cls, probabilities: Floats, labels: Integers, groups: Integers) -> Calibration:
        """From out-of-fold probabilities, shape (n, classes)."""
        return cls(1 - probabilities[np.arange(len(labels)), labels], labels, groups, probabilities.shape[1])

    def check(self) -> None:
        """Refuse stored scores that do not fit together.

        Raises
        ------
        ValueError
        """
        shapes = self.scores.shape == self.labels.shape == self.groups.shape == (len(self.scores),)
        if not shapes or not len(self.scores) or not np.isfinite(self.scores).all():
            raise ValueError("the calibration does not fit together")
        if self.labels.min() < 0 or self.labels.max() >= self.classes:
            raise ValueError("the calibration knows other classes")

    def by_class(self, level: float) -> bool:
        """Whether each class is calibrated by itself: where it has twice the groups that the level needs at least."""
        counts = [len(np.unique(self.groups[self.labels == label])) for label in range(self.classes)]
        return min(counts) >= _ENOUGH / (1 - level) - 1e-9

    def thresholds(self, level: float) -> Floats:
        """Score up to which a class belongs to the set, shape (classes,); infinite where groups are too few to tell.

        Raises
        ------
        ValueError
            The level is not between 0 and 1.
        """
        if not 0 < level < 1:
            raise ValueError(f"level must lie between 0 and 1. Received: {level!r}")
        if not self.by_class(level):
            return np.full(self.classes, _quantile(self.scores, self.groups, level))
        own = (self.labels == label for label in range(self.classes))
        return np.array([_quantile(self.scores[rows], self.groups[rows], level) for rows in own])


def sets(probabilities: Floats, thresholds: Floats) -> NDArray[np.bool_]:
    """Classes in the set of each image, shape (n, classes); the most probable one is always in it."""
    found = 1 - probabilities <= thresholds
    found[np.arange(len(found)), probabilities.argmax(axis=1)] = True
    return np.asarray(found)


def coverage(
    probabilities: Floats, labels: Integers, groups: Integers, folds: Integers, levels: Sequence[float] = LEVELS
) -> list[dict[str, Any]]:
    """Check the sets: each fold's images against thresholds from the other folds.

    Parameters
    ----------
    probabilities : ndarray of float64, shape (n, classes)
        Out-of-fold.
    labels, groups, folds : ndarray of int, shape (n,)
    levels : sequence of float

    Returns
    -------
    list of dict
        For each level: ``coverage`` (share of the images whose set holds the true class), ``by_group`` (mean over
        groups of that share: what a new patient's image can expect), ``by_class`` (of each class; None where it has no
        image), ``size`` (mean number of classes in a set), ``single`` (share of sets with one class), ``each_class``
        (whether each class has a threshold of its own).
    """
    return [_covered(level, probabilities, labels, groups, folds) for level in levels]


def _covered(
    level: float, probabilities: Floats, labels: Integers, groups: Integers, folds: Integers
) -> dict[str, Any]:
    found = np.zeros(probabilities.shape, dtype=bool)
    for fold in np.unique(folds):
        held = folds == fold
        rest = held if held.all() else ~held
        calibration = Calibration.of(probabilities[rest], labels[rest], groups[rest])
        found[held] = sets(probabilities[held], calibration.thresholds(level))
    right, size = found[np.arange(len(labels)), labels], found.sum(axis=1)
    codes = np.unique(groups, return_inverse=True)[1]
    by_group = np.bincount(codes, right) / np.bincount(codes)
    classes = range(probabilities.shape[1])
    by_class = [float(right[labels == k].mean()) if (labels == k).any() else None for k in classes]
    return {
        "level": level,
        "coverage": float(right.mean()),
        "by_group": float(by_group.mean()),
        "by_class": by_class,
        "size": float(size.mean()),
        "single": float((size == 1).mean()),
        "each_class": Calibration.of(probabilities, labels, groups).by_class(level),
    }


def _quantile(scores: Floats, groups: Integers, level: float) -> float:
    """Quantile at `level` of the scores where each group weighs the same, and one more group has an infinite score.

    References
    ----------
    Y. Lee, R. F. Barber, R. Willett, Distribution-Free Inference with Hierarchical Data, arXiv 2306.06342, 2023.
    V. Vovk, Cross-Conformal Predictors, Ann. Math. Artif. Intell. 74, 2015.
    """
    if not len(scores):
        return float("inf")
    _, codes, counts = np.unique(groups, return_inverse=True, return_counts=True)
    order = np.argsort(scores, kind="stable")
    weights = (1 / counts[codes] / (len(counts) + 1))[order]
    place = int(np.searchsorted(np.cumsum(weights), level - 1e-12))
    return float(scores[order][place]) if place < len(scores) else float("inf")

"""Conformal sets: as many classes as it takes to hold the right one at a chosen level, calibrated by groups.

A new image comes from a new patient, so patients, not images, are what is exchangeable: in the calibration each group
weighs the same, and the new one counts as one more (hierarchical conformal prediction). With single images as groups
that is split conformal prediction.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_ENOUGH = 2.0


@dataclass(frozen=True)
class ConformalScores:
    """Out-of-fold scores of the true classes, from which the thresholds of prediction sets are computed.

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

    def check(self) -> None:
        """Refuse stored scores that do not fit together.

        Raises
        ------
        ValueError
        """
        shapes = self.scores.shape == self.labels.shape == self.groups.shape == (len(self.scores),)
        if not shapes or not len(self.scores) or not np.isfinite(self.scores).all():
            raise ValueError("the conformal scores do not fit together")
        if self.labels.dtype.kind != "i" or self.groups.dtype.kind not in "iu":
            raise ValueError("the conformal scores have labels or groups that are no numbers")
        if self.scores.min() < -1e-6 or self.scores.max() > 1 + 1e-6:
            raise ValueError("the conformal scores are no probabilities")
        if self.labels.min() < 0 or self.labels.max() >= self.classes:
            raise ValueError("the conformal scores are of other classes")

    def by_class(self, level: float) -> bool:
        """Whether each class has its own threshold: if it has at least twice the groups that the level needs."""
        counts = [len(np.unique(self.groups[self.labels == label])) for label in range(self.classes)]
        return min(counts) >= _ENOUGH / (1 - level) - 1e-9

    def thresholds(self, level: float) -> Floats:
        """Score up to which a class belongs to the set, shape (classes,); infinite where groups are too few.

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


def prediction_sets(probabilities: Floats, thresholds: Floats) -> NDArray[np.bool_]:
    """Classes in the set of each image, shape (n, classes); the most probable one is always in it."""
    members = np.asarray(1 - probabilities <= thresholds)
    members[np.arange(len(members)), probabilities.argmax(axis=1)] = True
    return members


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

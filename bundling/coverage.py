"""Coverage: how often prediction sets hold the true class, checked on folds that their thresholds do not come from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..serving.conformal import prediction_sets
from .out_of_fold import OutOfFold

LEVELS = (0.8, 0.9, 0.95, 0.99)


@dataclass(frozen=True)
class Coverage:
    """Checked prediction sets of one level.

    Attributes
    ----------
    level : float
    coverage : float
        Share of the images whose set holds the true class.
    by_group : float
        Mean over groups of that share: what an image of a new patient can expect.
    by_class : list of (float or None)
        Of each class; None where it has no image.
    size : float
        Mean number of classes in a set.
    single : float
        Share of sets with one class.
    each_class : bool
        Whether each class has a threshold of its own.
    """

    level: float
    coverage: float
    by_group: float
    by_class: list[float | None]
    size: float
    single: float
    each_class: bool


def check_coverage(predictions: OutOfFold, levels: Sequence[float] = LEVELS) -> list[Coverage]:
    """Check the sets: each fold's images against thresholds from the other folds."""
    return [_at_level(level, predictions) for level in levels]


def _at_level(level: float, predictions: OutOfFold) -> Coverage:
    labels = predictions.labels
    members = np.zeros(predictions.probabilities.shape, dtype=bool)
    for held, others in predictions.splits():
        thresholds = others.conformal_scores().thresholds(level)
        members[held] = prediction_sets(predictions.probabilities[held], thresholds)
    right, size = members[np.arange(len(labels)), labels], members.sum(axis=1)
    codes = np.unique(predictions.groups, return_inverse=True)[1]
    of_groups = np.bincount(codes, right) / np.bincount(codes)
    return Coverage(
        level=level,
        coverage=float(right.mean()),
        by_group=float(of_groups.mean()),
        by_class=[
            float(right[labels == k].mean()) if (labels == k).any() else None for k in range(predictions.classes)
        ],
        size=float(size.mean()),
        single=float((size == 1).mean()),
        each_class=predictions.conformal_scores().by_class(level),
    )

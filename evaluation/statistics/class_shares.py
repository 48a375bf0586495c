"""What other shares of the classes alone do to scores: the same predictions, each class as frequent as elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..metric import Floats, FromAreas, Integers
from ..metrics import metrics_of
from ..scorer import Scorer
from .intervals import stretched
from .present_classes import over_present
from .ranking import FoldAreas
from .resampling import GroupResamples


@dataclass(frozen=True)
class SharesEffect:
    """A metric at the shares of the classes that the predicted images have, and at others.

    Attributes
    ----------
    metric : str
    before, after : float
    change, low, high : float
        After less before, with the 95 % interval.
    """

    metric: str
    before: float
    after: float
    change: float
    low: float
    high: float


@dataclass(frozen=True)
class PredictedImages:
    """Predictions of images whose labels are known.

    Attributes
    ----------
    labels : ndarray of int64, shape (n,)
    classes : tuple of str, length K
    probabilities : ndarray of float64, shape (n, K)
    groups, folds : ndarray of int64, shape (n,)
    """

    labels: Integers
    classes: Sequence[str]
    probabilities: Floats
    groups: Integers
    folds: Integers


def effect_of_shares(
    images: PredictedImages, counts: Integers, resamples: int = 1000, seed: int = 0
) -> list[SharesEffect]:
    """Every metric with each class weighted to another number of images, and how much that changes.

    Classes of which there are none in `counts` are left out before as well as after, so that shares alone differ.

    Parameters
    ----------
    images : PredictedImages
    counts : ndarray of int, shape (K,)
        Images of each class elsewhere.
    resamples, seed : int

    References
    ----------
    Saerens, Latinne, Decaestecker: Adjusting the outputs of a classifier to new a priori probabilities. Neural
    Computation 14 (2002) 21-41 (prior probability shift).
    """
    size = len(images.classes)
    own = np.bincount(images.labels, minlength=size)
    present = (own > 0) & (counts > 0)
    kept = np.flatnonzero(present[images.labels])
    factor = np.where(present, counts / np.maximum(own, 1), 0.0)
    scorer = Scorer(images.classes, [one for one in over_present(metrics_of(False), present) if not one.by_class])
    score = _Weighted(images, kept, scorer)
    ones = np.ones((score.drawn(resamples, seed).count, 1))
    before, after = (score(ones, weights) for weights in (present.astype(np.float64), factor))
    resampled = [
        [score(weights, one) for weights, _ in score.drawn(resamples, seed).chunks()]
        for one in (present.astype(np.float64), factor)
    ]
    effects = []
    for column in scorer.columns:
        gaps = [np.concatenate([part[column] for part in side]) for side in resampled]
        change = after[column] - before[column]
        groups = score.drawn(resamples, seed).count
        low, high = stretched(change, (gaps[1] - gaps[0])[:, None], groups, groups - int(present.sum()))
        values = (float(value[0]) for value in (before[column], after[column], change, low, high))
        effects.append(SharesEffect(column, *values))
    return effects


class _Weighted:
    """Scores for any weights of the groups and of the classes: a cell is what a group has of a class."""

    def __init__(self, images: PredictedImages, kept: Integers, scorer: Scorer) -> None:
        labels, probabilities = images.labels[kept], images.probabilities[kept]
        self._groups, self._scorer, size = images.groups[kept], scorer, len(images.classes)
        self._drawn: GroupResamples | None = None
        codes = np.unique(self._groups, return_inverse=True)[1]
        cells, cell = np.unique(codes * size + labels, return_inverse=True)
        self._group, self._label = cells // size, cells % size
        self._tally = scorer.tally(labels, probabilities, cell, len(cells))
        self._areas = FoldAreas(labels, probabilities, images.folds[kept], cell, len(cells))
        self._has_areas = any(isinstance(one.source, FromAreas) for one in scorer.metrics)

    def drawn(self, resamples: int, seed: int) -> GroupResamples:
        if self._drawn is None:
            self._drawn = GroupResamples(self._groups, resamples, seed)
        return self._drawn

    def __call__(self, of_groups: Floats, of_classes: Floats) -> dict[str, Floats]:
        """Every column, shape (r,), for weights of the groups, shape (groups, r), and of the classes, shape (K,)."""
        weights = of_groups[self._group] * of_classes[self._label][:, None]
        areas = self._areas(weights) if self._has_areas else None
        return self._scorer.pooled_scores(weights.T @ self._tally, areas)

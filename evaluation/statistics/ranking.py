"""Areas under ROC curves, resampled quickly."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..metric import Floats, ratio

if TYPE_CHECKING:
    from scipy.sparse import csr_array

    Unit = tuple[csr_array, csr_array]


class FoldAreas:
    """AUROC of each class against the rest in each fold, for any weights of the groups.

    A resample changes how often an image counts, never the order of the scores. So images are sorted once, and runs of
    neighbours that are all of the class (or all of the rest) become one unit: near a perfect ranking, few are left.

    Parameters
    ----------
    labels : ndarray of int64, shape (n,)
    probabilities : ndarray of float64, shape (n, K)
    folds : ndarray of int, shape (n,)
    groups : ndarray of int64, shape (n,)
        From 0 to ``count - 1``.
    count : int

    References
    ----------
    Hanley, McNeil: The meaning and use of the area under a ROC curve. Radiology 143 (1982) 29-36 (the area is the
    Mann-Whitney statistic; equals count half).
    """

    def __init__(
        self,
        labels: NDArray[np.int64],
        probabilities: Floats,
        folds: NDArray[np.integer],
        groups: NDArray[np.int64],
        count: int,
    ) -> None:
        self._units = [
            [
                _units(labels[rows] == column, probabilities[rows, column], groups[rows], count)
                for column in range(probabilities.shape[1])
            ]
            for rows in (np.flatnonzero(folds == fold) for fold in np.unique(folds))
        ]

    def __call__(self, weights: Floats) -> Floats:
        """Areas, shape (folds, K, r), for weights of shape (groups, r); NaN where the class or the rest is absent."""
        return np.array([[_area(*unit, weights) for unit in row] for row in self._units])


def _units(positive: NDArray[np.bool_], scores: Floats, groups: NDArray[np.int64], count: int) -> Unit:
    """How much of each group lies in each unit, of the class and of the rest, units in ascending order."""
    from scipy.sparse import csr_array

    order = np.argsort(scores, kind="stable")
    tie = np.append(0, np.cumsum(np.diff(scores[order]) != 0)) if len(order) else np.zeros(0, np.int64)
    ones, size = np.bincount(tie, positive[order]), np.bincount(tie)
    side = np.where(ones == 0, 0, np.where(ones == size, 1, 2))
    unit = np.cumsum(np.append(True, (np.diff(side) != 0) | (side[1:] == 2)))[tie] - 1
    shape = (int(unit.max()) + 1, count)
    parts = []
    for part in (positive[order], ~positive[order]):
        where = (unit[part], groups[order][part])
        parts.append(csr_array((np.ones(int(part.sum())), where), shape=shape))
    return parts[0], parts[1]


def _area(own: csr_array, rest: csr_array, weights: Floats) -> Floats:
    ones, zeros = own @ weights, rest @ weights
    below = np.cumsum(zeros, axis=0)
    total = below[-1] * ones.sum(axis=0)
    below -= zeros / 2
    return ratio(np.einsum("ur,ur->r", ones, below), total)

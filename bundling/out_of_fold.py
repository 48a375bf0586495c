"""Out-of-fold predictions: what a combination predicts for every image when it was not trained on it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ..serving.conformal import ConformalScores
from ..serving.temperature import apply_temperature


@dataclass(frozen=True)
class OutOfFold:
    """Predictions of n images by models that were not trained on them.

    Attributes
    ----------
    probabilities : ndarray of float64, shape (n, classes)
    labels, groups, folds : ndarray of int, shape (n,)
    """

    probabilities: NDArray[np.float64]
    labels: NDArray[np.int64]
    groups: NDArray[np.int64]
    folds: NDArray[np.int64]

    @property
    def classes(self) -> int:
        """How many classes there are."""
        return int(self.probabilities.shape[1])

    def rows(self, chosen: NDArray[np.bool_]) -> OutOfFold:
        """Of some of the images."""
        return OutOfFold(self.probabilities[chosen], self.labels[chosen], self.groups[chosen], self.folds[chosen])

    def splits(self) -> Iterator[tuple[NDArray[np.bool_], OutOfFold]]:
        """For each fold, which images it holds, and the predictions of all others (its own where there is one fold)."""
        for fold in np.unique(self.folds):
            held = self.folds == fold
            yield held, self.rows(held if held.all() else ~held)

    def at_temperature(self, temperature: float) -> OutOfFold:
        """With calibrated probabilities."""
        return replace(self, probabilities=apply_temperature(self.probabilities, temperature))

    def conformal_scores(self) -> ConformalScores:
        """What thresholds of prediction sets are computed from: one less the probability of the true class."""
        scores = 1 - self.probabilities[np.arange(len(self.labels)), self.labels]
        return ConformalScores(scores, self.labels, self.groups, self.classes)

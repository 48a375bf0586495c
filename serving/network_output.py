"""The output of a network that was trained end to end: features of its last layer's input, then its probabilities."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin

from .training_reference import PROBABILITY

FEATURE = "feature"


def output_names(features: int, probabilities: int) -> list[str]:
    """Names of the columns, such as ``"feature_0012"`` and ``"probability_0001"``."""
    parts = ((FEATURE, features), (PROBABILITY, probabilities))
    return [f"{name}_{number:04d}" for name, count in parts for number in range(count)]


class NetworkOutput(ClassifierMixin, BaseEstimator):
    """The classifier of such a network: the last columns are its probabilities already.

    Parameters
    ----------
    outputs : int
        Columns of probabilities; a single one is that of the second of two classes.

    Attributes
    ----------
    classes_ : ndarray, shape (n_classes,)
    """

    def __init__(self, outputs: int = 1) -> None:
        self.outputs = outputs

    def fit(self, X: Any, y: ArrayLike) -> Self:
        """Learn which classes there are."""
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """Probabilities, shape (n, classes)."""
        last = np.asarray(X, dtype=np.float64)[:, -self.outputs :]
        return np.column_stack([1 - last, last]) if self.outputs == 1 else last

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Most probable classes, shape (n,)."""
        return np.asarray(self.classes_[self.predict_proba(X).argmax(axis=1)])

"""Naive Bayes with normal distributions."""

from __future__ import annotations

from typing import Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.naive_bayes import GaussianNB
from sklearn.utils.class_weight import compute_sample_weight


class NaiveBayes(GaussianNB):
    """`sklearn.naive_bayes.GaussianNB` with `class_weight`: the priors are the weighted shares of the classes.

    Parameters
    ----------
    var_smoothing : float, default=1e-3
        Added to every variance, as a fraction of the largest.
    class_weight : "balanced", dict or None, default=None
        Weight of each class; "balanced" makes all classes equally likely beforehand.
    """

    def __init__(self, var_smoothing: float = 1e-3, class_weight: str | dict | None = None) -> None:
        super().__init__(var_smoothing=var_smoothing)
        self.class_weight = class_weight

    def fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Estimate mean and variance of every feature (`X`: n_images, n_features) in every class of `y`."""
        if self.class_weight is None:
            return super().fit(X, y, sample_weight)
        weight = compute_sample_weight(self.class_weight, y)
        return super().fit(X, y, weight if sample_weight is None else weight * np.asarray(sample_weight))


def naive_bayes(*, var_smoothing: float = 1e-3, class_weight: str | dict | None = None) -> NaiveBayes:
    """Return naive Bayes with a normal distribution for every feature in every class; scaling would change nothing.

    Parameters
    ----------
    var_smoothing : float, default=1e-3
        Added to every variance, as a fraction of the largest. Well above scikit-learn's 1e-9, because the channels that
        a network hardly uses vary so little that their densities would overrule all others.
    class_weight : "balanced", dict or None, default=None
        Weight of each class; "balanced" makes all classes equally likely beforehand.
    """
    return NaiveBayes(var_smoothing=var_smoothing, class_weight=class_weight)

"""ANOVA: features whose mean differs most between the classes."""

from __future__ import annotations

import numpy as np
from sklearn.feature_selection import f_classif

from ..registry import declares
from .base import NUMBERS_OF_FEATURES, Floats, Integers, RankingSelector, standardise


@declares(search_space=NUMBERS_OF_FEATURES)
class ANOVA(RankingSelector):
    """Keep the features with the largest F of a one-way analysis of variance; equal ones in order of column.

    Parameters
    ----------
    n_features : int or float, default=200
        How many features to keep: a number, or a fraction (below 1) of the features that vary.

    Attributes
    ----------
    support_, ranking_, n_features_in_
        See `RankingSelector`.
    scores_ : ndarray of float64, shape (n_features_in_,)
        F; infinite where a feature separates the classes without any spread within them.

    References
    ----------
    R. A. Fisher, Statistical Methods for Research Workers, Oliver and Boyd, 1925.
    """

    def _rank(self, X: Floats, y: Integers) -> tuple[Integers, Floats]:
        if y.size <= y.max() + 1:
            raise ValueError(
                f"ANOVA needs a class with two images or more. Received {y.size} images of as many classes."
            )
        with np.errstate(divide="ignore"):
            scores, _ = f_classif(standardise(X), y)
        scores[scores < 0] = np.inf  # no spread within the classes, but for rounding
        return np.argsort(-scores, kind="stable"), scores

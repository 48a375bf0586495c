"""Base classes of the selectors: validation, removal of constant columns, the best features of a ranking."""

from __future__ import annotations

import copy
from abc import abstractmethod
from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.feature_selection import SelectorMixin
from sklearn.utils import Tags
from sklearn.utils._param_validation import Interval
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

Floats = NDArray[np.float64]
Integers = NDArray[np.intp]

NUMBERS_OF_FEATURES = {"n_features": [200, 50, 100, 400]}
"""Search space of every selector that ranks features."""
_ROUNDING_STEPS = 10


class ColumnSelector(SelectorMixin, BaseEstimator):
    """Base of the selectors whose output is some of the input's columns.

    Attributes
    ----------
    support_ : ndarray of int, shape (n_kept,)
        Indices of the kept columns, ascending: ``transform(X)`` is ``X[:, support_]``.
    """

    def _get_support_mask(self) -> NDArray[np.bool_]:
        check_is_fitted(self)
        return np.isin(np.arange(self.n_features_in_), self.support_)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


class RankingSelector(ColumnSelector):
    """Base of the selectors that rank features and keep the best.

    `fit` validates, removes constant columns and passes the rest to the private hook ``_rank``, which is the pure
    algorithm. The kept columns stay in their original order and keep their type.

    Parameters
    ----------
    n_features : int or float, default=200
        How many features to keep: a number, or a fraction (below 1) of the features that vary. A number larger than
        what is available keeps all that vary; at least one is always kept.

    Attributes
    ----------
    support_ : ndarray of int, shape (n_kept,)
        Indices of the kept columns, ascending: ``transform(X)`` is ``X[:, support_]``.
    ranking_ : ndarray of int, shape (n_features_in_,)
        1 for the best feature, 2 for the next; constant columns share the last rank.
    scores_ : ndarray of float64, shape (n_features_in_,)
        What the ranking follows, where the method has such a number; NaN for constant columns.
    n_features_in_ : int
        Number of columns seen by `fit`.
    feature_names_in_ : ndarray of str, shape (n_features_in_,)
        Their names, if `fit` saw a data frame.
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "n_features": [Interval(Integral, 1, None, closed="left"), Interval(Real, 0, 1, closed="neither")]
    }

    def __init__(self, n_features: int | float = 200) -> None:
        self.n_features = n_features

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Rank the features of the training images.

        Parameters
        ----------
        X : array-like of float, shape (n_images, n_features)
            Features; float32 and float64 are kept, other numbers become float64.
        y : array-like of str or int, shape (n_images,)
            Class labels.

        Returns
        -------
        Self
            The fitted selector.

        Raises
        ------
        ValueError
            `X` holds NaN or infinity, or nothing but constant columns; or `y` holds fewer than two classes.
        """
        self._validate_params()
        features, labels = validate_data(self, X, y, dtype=[np.float64, np.float32], ensure_min_samples=2)
        varying = varying_columns(features)
        order, scores = self._rank(features[:, varying].astype(np.float64), encode(labels))
        self.ranking_ = np.full(self.n_features_in_, varying.size + 1)
        self.ranking_[varying[order]] = np.arange(1, varying.size + 1)
        if scores is not None:
            self.scores_ = np.full(self.n_features_in_, np.nan)
            self.scores_[varying] = scores
        self.support_ = np.flatnonzero(self.ranking_ <= self._number_to_keep(varying.size))
        return self

    def keeping(self, n_features: int | float) -> Self | None:
        """Return the selector as if fitted with fewer features, without fitting again.

        Parameters
        ----------
        n_features : int or float
            At most as many as it was fitted with.

        Returns
        -------
        Self or None
            None if a new fit is needed.
        """
        whole = isinstance(n_features, Integral) and isinstance(self.n_features, Integral)
        if not whole or not 1 <= n_features <= self.n_features:
            return None
        fewer = copy.copy(self)
        fewer.n_features = n_features
        fewer.support_ = np.flatnonzero(self.ranking_ <= min(int(n_features), self.support_.size))
        return fewer

    @abstractmethod
    def _rank(self, X: Floats, y: Integers) -> tuple[Integers, Floats | None]:
        """Return the column indices of `X`, best first, and the score of each column if there is one.

        Every column of `X` varies; `y` holds class numbers from 0 on.
        """

    def _number_to_keep(self, available: int) -> int:
        if isinstance(self.n_features, Integral):
            return min(int(self.n_features), available)
        return max(1, round(self.n_features * available))

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        return tags


def varying_columns(X: NDArray[Any]) -> Integers:
    """Return the indices of the columns of `X` that are not constant.

    A column whose values lie within a few rounding steps of each other counts as constant: the noise of computing it
    is all it carries.

    Parameters
    ----------
    X : ndarray of float32 or float64, shape (n_images, n_features)
        Features without NaN or infinity.

    Returns
    -------
    ndarray of int, shape (n_varying,)
        Ascending, never empty.

    Raises
    ------
    ValueError
        Every column is constant.
    """
    highest, lowest = X.max(axis=0), X.min(axis=0)
    noise = _ROUNDING_STEPS * _rounding_step(X) * np.maximum(np.abs(highest), np.abs(lowest))
    varying = np.flatnonzero(highest - lowest > noise)
    if not varying.size:
        raise ValueError(
            f"Every feature is constant over the {X.shape[0]} training images (n_features = {X.shape[1]}), so there "
            "is nothing to select. Expected at least one that varies; check the extractor's output."
        )
    return varying


def _rounding_step(X: NDArray[Any]) -> float:
    """Relative precision of the numbers in `X`: that of float32 where they came as such and were widened since."""
    with np.errstate(over="ignore"):
        narrow = np.array_equal(X.astype(np.float32), X)
    return float(np.finfo(np.float32 if narrow else np.float64).eps)


def encode(y: ArrayLike) -> Integers:
    """Return class numbers from 0 on, in the sorted order of the labels.

    Raises
    ------
    ValueError
        `y` is not a classification target, or holds only one class.
    """
    check_classification_targets(y)
    classes, numbers = np.unique(y, return_inverse=True)
    if classes.size < 2:
        raise ValueError(f"A selector needs images of at least two classes. Received one class: {classes[0]!r}.")
    return numbers


def standardise(X: Floats) -> Floats:
    """Return `X` with every column at mean 0 and standard deviation 1; the columns must vary."""
    centred = X - X.mean(axis=0)
    centred /= np.abs(centred).max(axis=0)  # squares of very small or large numbers would leave float64
    centred /= centred.std(axis=0)
    return centred


def class_indicators(y: Integers) -> Floats:
    """Return one column per class, 1 where the image is of that class and 0 elsewhere, then centred."""
    one_hot = np.eye(y.max() + 1)[y]
    return one_hot - one_hot.mean(axis=0)

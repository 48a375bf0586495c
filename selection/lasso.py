"""Lasso: features in the order in which they enter the path of an L1-penalised regression."""

from __future__ import annotations

from numbers import Real
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.linear_model import lasso_path
from sklearn.utils._param_validation import Interval

from ..registry import declares
from .base import NUMBERS_OF_FEATURES, Floats, Integers, RankingSelector, class_indicators, standardise

_LOWEST = 0.005
_RATIO = 0.93


@declares(search_space=NUMBERS_OF_FEATURES)
class Lasso(RankingSelector):
    """Keep the features that enter the Lasso path first, with one regression (a class against the rest) for each class.

    A feature's score is the largest penalty at which any class gives it a weight; of features that enter at the same
    step of the path, the one with the larger weight comes first. Features that never enter follow in order of their
    correlation with what the regressions leave unexplained.

    Parameters
    ----------
    n_features : int or float, default=200
        How many features to keep: a number, or a fraction (below 1) of the features that vary.
    alpha : float, optional
        Used instead of `n_features`: keep every feature with a weight at this penalty (the ``alpha`` of
        `sklearn.linear_model.Lasso` on standardised features and 0/1 targets), at least the first to enter.

    Attributes
    ----------
    support_, ranking_, n_features_in_
        See `RankingSelector`.
    scores_ : ndarray of float64, shape (n_features_in_,)
        Penalty at which the feature enters, a step of the path; 0 if it does not enter before the path ends.

    Notes
    -----
    The path descends from the smallest penalty without any weight in steps of 7 %, until `n_features` have entered or
    the penalty is a two-hundredth of the first. With `alpha` it ends there.

    References
    ----------
    R. Tibshirani, Regression Shrinkage and Selection via the Lasso, J. R. Statist. Soc. B 58, 1996.
    J. Friedman, T. Hastie, R. Tibshirani, Regularization Paths for Generalized Linear Models via Coordinate Descent,
    J. Statist. Softw. 33, 2010.
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **RankingSelector._parameter_constraints,
        "alpha": [Interval(Real, 0, None, closed="neither"), None],
    }

    def __init__(self, n_features: int | float = 200, alpha: float | None = None) -> None:
        super().__init__(n_features)
        self.alpha = alpha

    def _rank(self, X: Floats, y: Integers) -> tuple[Integers, Floats]:
        path = _Path(standardise(X), class_indicators(y))
        entry, weight, now = (np.zeros(X.shape[1]) for _ in range(3))
        for alpha in self._alphas(path.first_alpha):
            now = path.descend(alpha)
            new = (now > 0) & (entry == 0)
            entry[new], weight[new] = alpha, now[new]
            if self.alpha is None and np.count_nonzero(entry) >= self._number_to_keep(X.shape[1]):
                break
        self._active = np.count_nonzero(now)
        gone = (now == 0) & (self.alpha is not None)
        return np.lexsort((-path.residual_covariance(), -weight, -entry, gone)), entry

    def keeping(self, n_features: int | float) -> Self | None:
        """See `RankingSelector.keeping`; with `alpha` set, the number of features has no effect."""
        return super().keeping(n_features) if self.alpha is None else None

    def _alphas(self, first: float) -> Floats:
        last = first * _LOWEST if self.alpha is None else self.alpha
        if last >= first:
            return np.empty(0)
        steps = max(1, round(np.log(last / first) / np.log(_RATIO)))
        return np.geomspace(first, last, steps + 1)[1:]

    def _number_to_keep(self, available: int) -> int:
        return super()._number_to_keep(available) if self.alpha is None else max(1, int(self._active))


class _Path:
    """Coefficients of one Lasso a class, followed from one penalty to the next smaller one."""

    def __init__(self, features: Floats, targets: Floats) -> None:
        self.features = features
        self.targets = np.ascontiguousarray(targets.T)
        self.gram = features.T @ features
        self.correlation = self.targets @ features
        self.weights = np.zeros_like(self.correlation)
        self.first_alpha = self.residual_covariance().max()

    def descend(self, alpha: float) -> Floats:
        """Solve at `alpha`, starting from the last solution; return each feature's largest weight over the classes."""
        for number, (target, correlation) in enumerate(zip(self.targets, self.correlation, strict=True)):
            _, coefficients, _ = lasso_path(
                self.features,
                target,
                alphas=[alpha],
                precompute=self.gram,
                Xy=correlation,
                coef_init=self.weights[number],
                check_input=False,
                max_iter=100_000,
                tol=1e-6,
            )
            self.weights[number] = coefficients[:, 0]
        return np.abs(self.weights).max(axis=0)

    def residual_covariance(self) -> Floats:
        """Return each feature's largest covariance with the residuals of the classes."""
        residual = self.correlation - self.weights @ self.gram
        return np.abs(residual).max(axis=0) / self.targets.shape[1]

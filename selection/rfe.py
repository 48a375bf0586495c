"""RFE: recursive feature elimination with a ridge classifier (in closed form), a linear SVM or logistic regression."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
from sklearn import feature_selection
from sklearn.base import ClassifierMixin
from sklearn.linear_model import LogisticRegression
from sklearn.svm import SVC
from sklearn.utils._param_validation import Interval, StrOptions

from ..registry import declares
from .base import NUMBERS_OF_FEATURES, Floats, Integers, RankingSelector, standardise
from .ridge_elimination import ridge_elimination_order


@declares(search_space=NUMBERS_OF_FEATURES)
class RFE(RankingSelector):
    """Drop the feature with the smallest weight, fit again, and so on; keep those that stay longest.

    Weights are compared by their sum of squares over the classes, on standardised features.

    Parameters
    ----------
    n_features : int or float, default=200
        How many features to keep: a number, or a fraction (below 1) of the features that vary.
    estimator : {"ridge", "svm", "logistic"}, default="ridge"
        The linear classifier. With "ridge" the elimination is exact, one feature at a time, and takes about the time
        of a single fit; the others are fitted again for every step.
    alpha : float, default=1.0
        Strength of the penalty. The ``C`` of "svm" and "logistic" is 1 / alpha.
    step : int or float, optional
        With "svm" and "logistic" only: how many features leave at a time, a number or a fraction (below 1) of all;
        0.1 unless given.

    Attributes
    ----------
    support_, ranking_, n_features_in_
        See `RankingSelector`. With "svm" and "logistic", features that left together are ranked by column, and those
        kept by their weight in the last fit.

    References
    ----------
    I. Guyon, J. Weston, S. Barnhill, V. Vapnik, Gene Selection for Cancer Classification using Support Vector
    Machines, Machine Learning 46, 2002.
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **RankingSelector._parameter_constraints,
        "estimator": [StrOptions({"ridge", "svm", "logistic"})],
        "alpha": [Interval(Real, 0, None, closed="neither")],
        "step": [Interval(Integral, 1, None, closed="left"), Interval(Real, 0, 1, closed="neither"), None],
    }

    def __init__(
        self,
        n_features: int | float = 200,
        estimator: str = "ridge",
        alpha: float = 1.0,
        step: int | float | None = None,
    ) -> None:
        super().__init__(n_features)
        self.estimator = estimator
        self.alpha = alpha
        self.step = step

    def _rank(self, X: Floats, y: Integers) -> tuple[Integers, None]:
        if self.estimator != "ridge":
            return self._order_by_refits(standardise(X), y), None
        if self.step is not None:
            raise ValueError(
                "RFE with estimator='ridge' removes features one at a time and has no step. "
                f"Received step={self.step!r}; leave it out, or choose estimator='svm' or 'logistic'."
            )
        return ridge_elimination_order(standardise(X), y, self.alpha), None

    def keeping(self, n_features: int | float) -> Self | None:
        """See `RankingSelector.keeping`; without the ridge, the last steps depend on how many are kept."""
        return super().keeping(n_features) if self.estimator == "ridge" else None

    def _order_by_refits(self, X: Floats, y: Integers) -> Integers:
        step = 0.1 if self.step is None else self.step
        kept = self._number_to_keep(X.shape[1])
        if kept == X.shape[1]:
            weights, left = self._classifier().fit(X, y).coef_, np.ones(kept)
        else:
            rfe = feature_selection.RFE(self._classifier(), n_features_to_select=kept, step=step).fit(X, y)
            weights, left = np.zeros((1, X.shape[1])), rfe.ranking_
            weights[:, rfe.support_] = np.sqrt((rfe.estimator_.coef_**2).sum(axis=0))
        return np.lexsort((-(weights**2).sum(axis=0), left))

    def _classifier(self) -> ClassifierMixin:
        if self.estimator == "svm":
            return SVC(kernel="linear", C=1 / self.alpha)
        return LogisticRegression(C=1 / self.alpha, max_iter=1000)

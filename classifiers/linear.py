"""Linear classifiers with probabilities: logistic regression, the linear probe, linear discriminant analysis."""

from __future__ import annotations

import warnings
from numbers import Integral
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import LinAlgError, LinAlgWarning, lstsq, solve
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis, _class_cov, _class_means
from sklearn.linear_model import LogisticRegression
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from ..registry import declares
from .scaling import SCALED, add_scaling

_LOGISTIC = "sklearn.linear_model._logistic.LogisticRegression"


@declares(search_space={"C": [1.0, 0.01, 0.1, 10.0]}, stored_types=(_LOGISTIC, *SCALED))
def logistic_regression(
    *,
    C: float = 1.0,
    tol: float = 1e-6,
    max_iter: int = 5000,
    scale: bool = True,
    class_weight: Any = None,
    random_state: int | None = None,
) -> Any:
    """Multinomial logistic regression with an L2 penalty.

    Parameters
    ----------
    C : float
        Inverse strength of the penalty.
    tol : float
        Gradient at which L-BFGS stops. At scikit-learn's 1e-4 it stops so early, where classes are separable, that
        probabilities depend on rounding and on the number of threads.
    max_iter : int
        Steps of L-BFGS at most.
    scale : bool
        Standardise the features first.
    class_weight : "balanced", mapping or None
    random_state : int, optional

    References
    ----------
    D. R. Cox, The Regression Analysis of Binary Sequences, J. R. Statist. Soc. B 20, 1958.
    """
    model = LogisticRegression(C=C, tol=tol, max_iter=max_iter, class_weight=class_weight, random_state=random_state)
    return add_scaling(model, scale)


@declares(search_space={}, stored_types=(_LOGISTIC,))
class LinearProbe(ClassifierMixin, BaseEstimator):
    """Logistic regression on unscaled features with ``C = features x classes / 100``, to probe foundation models.

    Parameters
    ----------
    max_iter : int
        Steps of L-BFGS at most; the published protocol stops there, converged or not.
    class_weight : "balanced", mapping or None
    random_state : int, optional

    Attributes
    ----------
    classes_ : ndarray, shape (n_classes,)
    model_ : LogisticRegression
    n_iter_ : int
    n_features_in_ : int

    References
    ----------
    V. Koch et al., DinoBloom: A Foundation Model for Generalizable Cell Embeddings in Hematology, MICCAI 2024.
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "class_weight": [StrOptions({"balanced"}), dict, None],
        "random_state": [Integral, None],
    }

    def __init__(self, max_iter: int = 1000, class_weight: Any = None, random_state: int | None = None) -> None:
        self.max_iter = max_iter
        self.class_weight = class_weight
        self.random_state = random_state

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Fit the probe.

        Parameters
        ----------
        X : array-like of float, shape (n_images, n_features)
        y : array-like of str or int, shape (n_images,)

        Raises
        ------
        ValueError
            `y` holds fewer than two classes, or `X` NaN or infinity.
        """
        self._validate_params()
        features, labels = validate_data(self, X, y, dtype=[np.float64, np.float32])
        check_classification_targets(labels)
        self.classes_ = np.unique(labels)
        self.model_ = LogisticRegression(
            C=self.n_features_in_ * len(self.classes_) / 100,
            max_iter=self.max_iter,
            class_weight=self.class_weight,
            random_state=self.random_state,
        ).fit(features, labels)
        self.n_iter_ = int(self.model_.n_iter_.max())
        return self

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """Probabilities, shape (n_images, n_classes)."""
        check_is_fitted(self)
        return self.model_.predict_proba(validate_data(self, X, dtype=[np.float64, np.float32], reset=False))

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Most probable labels, shape (n_images,)."""
        probabilities = self.predict_proba(X)
        return self.classes_[probabilities.argmax(axis=1)]


@declares(
    search_space={"shrinkage": ["auto", 0.05, 0.5]},
    stored_types=(f"{__name__}.Discriminant", "sklearn.discriminant_analysis.LinearDiscriminantAnalysis", *SCALED),
)
def lda(*, shrinkage: float | str | None = "auto", scale: bool = False) -> Any:
    """Linear discriminant analysis with a shrunken covariance, since features are many and correlated.

    Parameters
    ----------
    shrinkage : float from 0 to 1, "auto" or None
        Part of the covariance that is replaced by its mean variance; "auto" computes it (Ledoit and Wolf 2004).
    scale : bool
        Standardise the features first.

    References
    ----------
    R. A. Fisher, The Use of Multiple Measurements in Taxonomic Problems, Annals of Eugenics 7, 1936.
    O. Ledoit, M. Wolf, Honey, I Shrunk the Sample Covariance Matrix, J. Portfolio Management 30, 2004.
    """
    return add_scaling(Discriminant(solver="lsqr", shrinkage=shrinkage), scale)


class Discriminant(LinearDiscriminantAnalysis):
    """scikit-learn's, which solves for its weights by the method of Cholesky: no singular values of the covariance."""

    def _solve_lstsq(self, X: NDArray[Any], y: Any, shrinkage: Any, covariance_estimator: Any) -> None:
        self.means_ = _class_means(X, y)
        self.covariance_ = _class_cov(X, y, self.priors_, shrinkage, covariance_estimator)
        with warnings.catch_warnings():
            warnings.simplefilter("error", LinAlgWarning)
            try:
                self.coef_ = solve(self.covariance_, self.means_.T, assume_a="pos").T
            except (LinAlgError, LinAlgWarning):  # features that depend on one another, hardly shrunken
                self.coef_ = lstsq(self.covariance_, self.means_.T)[0].T
        self.intercept_ = np.log(self.priors_) - (self.means_ * self.coef_).sum(axis=1) / 2

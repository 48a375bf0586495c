"""Linear classifiers with probabilities: logistic regression and linear discriminant analysis."""

from __future__ import annotations

from typing import Any

from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import LogisticRegression

from .scaling import scaled


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
    return scaled(model, scale)


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
    return scaled(LinearDiscriminantAnalysis(solver="lsqr", shrinkage=shrinkage), scale)

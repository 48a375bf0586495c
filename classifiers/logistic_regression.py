"""Logistic regression."""

from __future__ import annotations

from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline

from .scaling import scaled


def logistic_regression(
    *,
    C: float = 1.0,
    scale: bool = True,
    tol: float = 1e-6,
    max_iter: int = 5000,
    class_weight: str | dict | None = None,
) -> LogisticRegression | Pipeline:
    """Return multinomial logistic regression with an L2 penalty.

    Parameters
    ----------
    C : float, default=1.0
        Inverse strength of the penalty.
    scale : bool, default=True
        Standardise the features.
    tol : float, default=1e-6
        Largest gradient at which the search ends. At scikit-learn's 1e-4 it ends so early, with separable classes, that
        single probabilities are off by half and depend on the number of threads.
    max_iter : int, default=5000
        Longest search.
    class_weight : "balanced", dict or None, default=None
        Weight of each class.

    References
    ----------
    D. R. Cox, The Regression Analysis of Binary Sequences, J. R. Statist. Soc. B 20, 1958.
    """
    return scaled(LogisticRegression(C=C, tol=tol, max_iter=max_iter, class_weight=class_weight), scale)

"""Support vector machines: without probabilities of their own, so the runner calibrates them on inner folds."""

from __future__ import annotations

from typing import Any

from sklearn.svm import SVC

from .scaling import scaled


def svm_linear(
    *, C: float = 1.0, scale: bool = False, class_weight: Any = None, random_state: int | None = None
) -> Any:
    """Support vector machine with a linear kernel, one against one.

    Parameters
    ----------
    C : float
        Inverse strength of the penalty.
    scale : bool
        Standardise the features first.
    class_weight : "balanced", mapping or None
    random_state : int, optional

    Returns
    -------
    scikit-learn estimator without ``predict_proba``

    References
    ----------
    C. Cortes, V. Vapnik, Support-Vector Networks, Machine Learning 20, 1995.
    """
    return scaled(SVC(kernel="linear", C=C, class_weight=class_weight, random_state=random_state), scale)


def svm_rbf(
    *,
    C: float = 10.0,
    gamma: float | str = "scale",
    scale: bool = False,
    class_weight: Any = None,
    random_state: int | None = None,
) -> Any:
    """Support vector machine with a Gaussian kernel, one against one.

    Not scaled by default: standardising blows up the nearly constant channels of a network until the kernel sees
    mostly noise.

    Parameters
    ----------
    C : float
        Inverse strength of the penalty.
    gamma : float, "scale" or "auto"
        Width of the kernel; "scale" is 1 / (features x variance).
    scale : bool
        Standardise the features first.
    class_weight : "balanced", mapping or None
    random_state : int, optional

    Returns
    -------
    scikit-learn estimator without ``predict_proba``

    References
    ----------
    C. Cortes, V. Vapnik, Support-Vector Networks, Machine Learning 20, 1995.
    """
    return scaled(SVC(C=C, gamma=gamma, class_weight=class_weight, random_state=random_state), scale)

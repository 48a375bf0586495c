"""Support vector machines. They have no `predict_proba`; calibrate them for probabilities."""

from __future__ import annotations

from sklearn.pipeline import Pipeline
from sklearn.svm import SVC

from .scaling import scaled


def svm_linear(*, C: float = 0.01, scale: bool = True, class_weight: str | dict | None = None) -> SVC | Pipeline:
    """Return a support vector machine with a straight boundary between each pair of classes.

    Parameters
    ----------
    C : float, default=0.01
        Cost of an image on the wrong side of the margin. Small, because many features separate small classes perfectly.
    scale : bool, default=True
        Standardise the features, so that `C` means the same whatever network they come from.
    class_weight : "balanced", dict or None, default=None
        Factor on `C` for each class.

    References
    ----------
    C. Cortes, V. Vapnik, Support-Vector Networks, Machine Learning 20, 1995.
    """
    return scaled(SVC(kernel="linear", C=C, class_weight=class_weight), scale)


def svm_rbf(
    *,
    C: float = 10.0,
    gamma: float | str = "scale",
    scale: bool = False,
    class_weight: str | dict | None = None,
) -> SVC | Pipeline:
    """Return a support vector machine with a Gaussian kernel.

    Parameters
    ----------
    C : float, default=10.0
        Cost of an image on the wrong side of the margin.
    gamma : float or {"scale", "auto"}, default="scale"
        Inverse width of the kernel; "scale" is 1 / (number of features x their variance).
    scale : bool, default=False
        Standardise the features. Off, because distances would then be ruled by nearly constant channels.
    class_weight : "balanced", dict or None, default=None
        Factor on `C` for each class.

    References
    ----------
    B. Boser, I. Guyon, V. Vapnik, A Training Algorithm for Optimal Margin Classifiers, COLT 1992.
    """
    return scaled(SVC(kernel="rbf", C=C, gamma=gamma, class_weight=class_weight), scale)

"""Support vector machines: without probabilities of their own, so the runner calibrates them on inner folds."""

from __future__ import annotations

import copy
from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.kernel_approximation import Nystroem
from sklearn.metrics.pairwise import rbf_kernel
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC, LinearSVC
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted, validate_data

from ..registry import declares
from .scaling import SCALED, add_scaling

_LINEAR_SPACE: dict[str, list[Any]] = {"C": [1.0, 0.01, 0.1, 10.0]}
_GAUSSIAN_SPACE: dict[str, list[Any]] = {"C": [10.0, 1.0, 100.0], "gamma": ["scale", 0.001, 0.01]}
_KERNEL, _PRIMAL = (f"{__name__}.KernelMachine", "sklearn.svm._classes.SVC"), "sklearn.svm._classes.LinearSVC"
_KERNELS = ("linear", "rbf")
_MANY_FEATURES, _MOST_IMAGES = 400, 8_000
"""With fewer features libsvm is as fast alone; the kernel of more images takes more than 512 MB."""


@declares(search_space=_LINEAR_SPACE, stored_types=(*_KERNEL, *SCALED), large_data_variant="svm_linear_primal")
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
    return add_scaling(KernelMachine(kernel="linear", C=C, class_weight=class_weight, random_state=random_state), scale)


@declares(search_space=_GAUSSIAN_SPACE, stored_types=(*_KERNEL, *SCALED), large_data_variant="svm_rbf_nystroem")
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
    return add_scaling(KernelMachine(C=C, gamma=gamma, class_weight=class_weight, random_state=random_state), scale)


@declares(search_space=_LINEAR_SPACE, stored_types=(_PRIMAL, *SCALED))
def svm_linear_primal(
    *,
    C: float = 1.0,
    tol: float = 1e-3,
    max_iter: int = 1000,
    scale: bool = False,
    class_weight: Any = None,
    random_state: int | None = None,
) -> Any:
    """Linear support vector machine for very many images: squared hinge loss, one against the rest, without a kernel.

    Time and memory grow with the number of images, not with its square as those of `svm_linear` do.

    Parameters
    ----------
    C : float
        Inverse strength of the penalty.
    tol : float
        At which gradient to stop.
    max_iter : int
        Newton steps at most.
    scale : bool
        Standardise the features first.
    class_weight : "balanced", mapping or None
    random_state : int, optional

    Returns
    -------
    scikit-learn estimator without ``predict_proba``

    References
    ----------
    R.-E. Fan et al., LIBLINEAR: A Library for Large Linear Classification, J. Machine Learning Research 9, 2008.
    """
    return add_scaling(_primal(C, tol, max_iter, class_weight, random_state), scale)


@declares(
    search_space=_GAUSSIAN_SPACE,
    stored_types=(f"{__name__}.GaussianSample", "sklearn.kernel_approximation.Nystroem", _PRIMAL, *SCALED),
)
def svm_rbf_nystroem(
    *,
    C: float = 10.0,
    gamma: float | str = "scale",
    n_components: int = 1000,
    tol: float = 1e-3,
    max_iter: int = 1000,
    scale: bool = False,
    class_weight: Any = None,
    random_state: int | None = None,
) -> Any:
    """Support vector machine with a Gaussian kernel for very many images: the kernel is that to a sample of them.

    Time and memory grow with the number of images, not with its square as those of `svm_rbf` do.

    Parameters
    ----------
    C : float
        Inverse strength of the penalty.
    gamma : float, "scale" or "auto"
        Width of the kernel; "scale" is 1 / (features x variance), "auto" 1 / features.
    n_components : int
        Images in the sample; at most as many as there are.
    tol, max_iter
        As for `svm_linear_primal`.
    scale : bool
        Standardise the features first.
    class_weight : "balanced", mapping or None
    random_state : int, optional

    Returns
    -------
    scikit-learn estimator without ``predict_proba``

    References
    ----------
    C. Williams, M. Seeger, Using the Nystroem Method to Speed Up Kernel Machines, NIPS 2000.
    """
    kernel = GaussianSample(gamma=gamma, n_components=n_components, random_state=random_state)
    return add_scaling(make_pipeline(kernel, _primal(C, tol, max_iter, class_weight, random_state)), scale)


class KernelMachine(SVC):
    """scikit-learn's `SVC`, which is handed its kernel as products of matrices, instead of one of vectors a pair.

    It finds the same support vectors, and gives the same decisions, in half of the time with 1,280 features.
    """

    def _dense_fit(
        self, X: NDArray[np.float64], y: Any, sample_weight: Any, solver_type: int, kernel: Any, random_seed: int
    ) -> None:
        few = X.shape[1] < _MANY_FEATURES or len(X) > _MOST_IMAGES
        if few or kernel not in _KERNELS:
            super()._dense_fit(X, y, sample_weight, solver_type, kernel, random_seed)
            return
        kernels = self._kernel(X, X)
        super()._dense_fit(kernels, y, sample_weight, solver_type, "precomputed", random_seed)
        self.support_vectors_ = X[self.support_]

    def _dense_decision_function(self, X: NDArray[np.float64]) -> NDArray[np.float64]:
        if self.kernel not in _KERNELS:
            return super()._dense_decision_function(X)
        handed = copy.copy(self)
        handed.kernel = "precomputed"
        handed.support_ = np.arange(len(self.support_vectors_), dtype=np.int32)
        return super(KernelMachine, handed)._dense_decision_function(self._kernel(X, self.support_vectors_))

    def _kernel(self, X: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.float64]:
        """Products, or the Gaussian of distances, of each image with each of the others."""
        if self.kernel == "rbf":
            return rbf_kernel(X, others, gamma=self._gamma)
        return X @ others.T


class GaussianSample(TransformerMixin, BaseEstimator):
    """Nystroem's map of a Gaussian kernel, with the width that `svm_rbf` takes.

    Parameters
    ----------
    gamma : float, "scale" or "auto"
    n_components : int
    random_state : int, optional
        As for `svm_rbf_nystroem`.

    Attributes
    ----------
    map_ : sklearn.kernel_approximation.Nystroem
    n_features_in_ : int
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "gamma": [StrOptions({"scale", "auto"}), Interval(Real, 0, None, closed="neither")],
        "n_components": [Interval(Integral, 1, None, closed="left")],
        "random_state": [Integral, None],
    }

    def __init__(self, gamma: float | str = "scale", n_components: int = 1000, random_state: int | None = None) -> None:
        self.gamma = gamma
        self.n_components = n_components
        self.random_state = random_state

    def fit(self, X: ArrayLike, y: Any = None) -> Self:
        """Draw the sample from `X`, float, shape (n_images, n_features)."""
        self._validate_params()
        features = validate_data(self, X, dtype=[np.float64, np.float32])
        spread = features.var(dtype=np.float64) if self.gamma == "scale" else 1.0
        width = 1 / (features.shape[1] * (spread or 1.0)) if isinstance(self.gamma, str) else self.gamma
        count = min(self.n_components, len(features))
        self.map_ = Nystroem(gamma=width, n_components=count, random_state=self.random_state).fit(features)
        return self

    def transform(self, X: ArrayLike) -> NDArray[Any]:
        """Kernel to the sample, made orthogonal, shape (n_images, n_components)."""
        check_is_fitted(self)
        return self.map_.transform(validate_data(self, X, dtype=[np.float64, np.float32], reset=False))


def _primal(C: float, tol: float, max_iter: int, class_weight: Any, random_state: int | None) -> LinearSVC:
    return LinearSVC(C=C, dual=False, tol=tol, max_iter=max_iter, class_weight=class_weight, random_state=random_state)

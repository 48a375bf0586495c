"""PCA: the directions along which the features vary most."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn import decomposition
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.preprocessing import StandardScaler
from sklearn.utils import Tags
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import check_is_fitted, validate_data

from ..registry import declares
from .base import varying_columns


@declares(
    search_space={"n_components": [0.95, 20, 50, 0.99]},
    stored_types=("sklearn.decomposition._pca.PCA", "sklearn.preprocessing._data.StandardScaler"),
)
class PCA(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """Project on the principal components of the features that vary.

    Parameters
    ----------
    n_components : int or float, default=0.95
        Number of components (a number larger than what is available keeps all), or the fraction of variance (below 1)
        they must explain.
    scale : bool, default=False
        Standardise the features first. Off, because it gives a nearly constant channel of a network, which is mostly
        noise, as much weight as any other.

    Attributes
    ----------
    support_ : ndarray of int, shape (n_varying,)
        Indices of the columns that vary, which are the ones projected.
    scaler_ : sklearn.preprocessing.StandardScaler
        Centres, and with `scale` standardises, the columns.
    pca_ : sklearn.decomposition.PCA
        Exact; each component's largest loading is positive, so signs do not depend on chance.
    n_features_in_ : int
        Number of columns seen by `fit`.

    References
    ----------
    K. Pearson, On Lines and Planes of Closest Fit to Systems of Points in Space, Philosophical Magazine 2, 1901.
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "n_components": [Interval(Integral, 1, None, closed="left"), Interval(Real, 0, 1, closed="neither")],
        "scale": ["boolean"],
    }

    def __init__(self, n_components: int | float = 0.95, scale: bool = False) -> None:
        self.n_components = n_components
        self.scale = scale

    def fit(self, X: ArrayLike, y: ArrayLike | None = None) -> Self:
        """Find the components of `X` (float, shape (n_images, n_features)); `y` is not used.

        Raises
        ------
        ValueError
            `X` holds NaN or infinity, or nothing but constant columns.
        """
        self._validate_params()
        features = validate_data(self, X, dtype=[np.float64, np.float32], ensure_min_samples=2)
        self.support_ = varying_columns(features)
        varying = features[:, self.support_].astype(np.float64)
        self.scaler_ = StandardScaler(with_std=self.scale).fit(varying)
        images, width = varying.shape
        wanted = self.n_components
        if isinstance(wanted, Integral):
            wanted = min(int(wanted), images - 1, width)
        solver = "covariance_eigh" if images > width else "full"
        self.pca_ = decomposition.PCA(wanted, svd_solver=solver).fit(self.scaler_.transform(varying))
        return self

    def transform(self, X: ArrayLike) -> NDArray[Any]:
        """Return the components of `X`, shape (n_images, n_components), in the type of `X` (float32 or float64)."""
        check_is_fitted(self)
        features = validate_data(self, X, dtype=[np.float64, np.float32], reset=False)
        varying = features[:, self.support_].astype(np.float64)
        return self.pca_.transform(self.scaler_.transform(varying)).astype(features.dtype)

    @property
    def _n_features_out(self) -> int:
        return self.pca_.n_components_

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags

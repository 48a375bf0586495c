"""No selection: every feature that varies."""

from __future__ import annotations

from typing import Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils.validation import validate_data

from ..registry import declares
from .base import ColumnSelector, varying_columns


@declares(search_space={})
class NoSelection(ColumnSelector):
    """Keep every feature that varies between the training images.

    Attributes
    ----------
    support_ : ndarray of int, shape (n_kept,)
        Indices of the columns that vary, ascending.
    n_features_in_ : int
        Number of columns seen by `fit`.
    """

    def fit(self, X: ArrayLike, y: ArrayLike | None = None) -> Self:
        """Find the columns of `X` (float, shape (n_images, n_features)) that vary; `y` is not used.

        Raises
        ------
        ValueError
            `X` holds NaN or infinity, or nothing but constant columns.
        """
        features = validate_data(self, X, dtype=[np.float64, np.float32], ensure_min_samples=2)
        self.support_ = varying_columns(features)
        return self

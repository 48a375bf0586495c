"""A classifier that only predicts, with decisions to be calibrated: 1 for its class and 0 for each other one."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, clone


class PredictedClass(ClassifierMixin, BaseEstimator):
    """A classifier with ``predict`` alone, such as `sklearn.multiclass.OutputCodeClassifier`.

    Calibrated on inner folds, its decisions become the shares of the classes among images that it predicts alike.

    Parameters
    ----------
    estimator : scikit-learn classifier

    Attributes
    ----------
    classes_ : ndarray, shape (n_classes,)
    estimator_ : scikit-learn classifier
        Fitted.
    """

    def __init__(self, estimator: Any) -> None:
        self.estimator = estimator

    def fit(self, X: ArrayLike, y: ArrayLike) -> Self:
        """Fit the classifier."""
        self.estimator_ = clone(self.estimator).fit(X, y)
        self.classes_ = np.unique(np.asarray(y))
        return self

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """What the classifier predicts, shape (n_images,)."""
        return np.asarray(self.estimator_.predict(X))

    def decision_function(self, X: ArrayLike) -> NDArray[np.float64]:
        """1 in the column of the predicted class, shape (n_images, n_classes); of two classes 1 or -1, one column."""
        chosen = (self.predict(X)[:, None] == self.classes_).astype(np.float64)
        return chosen[:, 1] - chosen[:, 0] if len(self.classes_) == 2 else chosen

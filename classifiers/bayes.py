"""Naive Bayes."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.naive_bayes import GaussianNB
from sklearn.utils._param_validation import StrOptions

from ..registry import declares


@declares(search_space={"var_smoothing": [1e-3, 1e-5, 1e-1]})
class NaiveBayes(GaussianNB):
    """Gaussian naive Bayes, with class weights; scaling would change nothing.

    Parameters
    ----------
    var_smoothing : float
        Part of the largest variance that is added to every variance. Well above scikit-learn's 1e-9: channels that a
        network hardly uses vary so little that their densities would overrule all others (86.0 instead of 91.8 % on
        the average-pooled features of the ALL images).
    class_weight : "balanced", mapping or None
        A class's prior is its weighted share of the images; with "balanced", all classes are equally probable
        beforehand.

    References
    ----------
    D. J. Hand, K. Yu, Idiot's Bayes: Not So Stupid After All?, Int. Stat. Rev. 69, 2001.
    """

    class_prior_: NDArray[np.float64]
    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **GaussianNB._parameter_constraints,
        "class_weight": [StrOptions({"balanced"}), dict, None],
    }

    def __init__(self, var_smoothing: float = 1e-3, class_weight: Any = None) -> None:
        super().__init__(var_smoothing=var_smoothing)
        self.class_weight = class_weight

    def fit(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> Self:
        """Estimate mean and variance of every feature (`X`: (n_images, n_features)) in every class of `y`."""
        super().fit(X, y, sample_weight)
        if self.class_weight is not None:  # within a class all images weigh the same, so only the priors change
            shares = self.class_prior_ * self._class_weights()
            self.class_prior_ = shares / shares.sum()
        return self

    def _class_weights(self) -> NDArray[np.float64]:
        if self.class_weight == "balanced":
            return 1 / self.class_prior_
        return np.array([self.class_weight.get(label, 1.0) for label in self.classes_.tolist()])

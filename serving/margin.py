"""The margin: how far a classifier prefers one class to another, in numbers that do not saturate."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from ..classifiers.linear import LinearProbe
from ..selection.base import ColumnSelector
from ..selection.pca import PCA

Floats = NDArray[np.float64]

_RAISED = 1e-3
_AFFINE = (ColumnSelector, PCA, StandardScaler)


@dataclass(frozen=True)
class Margin:
    """How far a fitted selector and classifier prefer one class to another, from features.

    Calibrated probabilities of a support vector machine jump where one class wins another's vote and hardly move
    elsewhere, so the decision beneath the calibration is taken, between this very pair of classes. Where there is no
    decision, as in a forest, it is the log-odds of probabilities raised by 0.001, so that those of 0 stay finite.

    Parameters
    ----------
    selector, classifier : fitted estimators
        The classifier on the positions of classes.
    label, against : int
        Positions of the two classes, which it was both trained on.
    temperature : float
        Divides log-odds; see `leukobench.serving.temperature`.
    """

    selector: Any
    classifier: Any
    label: int
    against: int
    temperature: float = 1.0

    @property
    def unit(self) -> str:
        """``"log-odds"``; ``"decision value"`` for what has no probabilities, or others than are shown."""
        calibrated = hasattr(self.classifier, "calibrated_classifiers_")
        return "decision value" if calibrated or not hasattr(self._final, "predict_proba") else "log-odds"

    def of(self, vectors: NDArray[np.floating]) -> Floats:
        """Margins, shape (n,), of images with these features, shape (n, features); above 0 for the label."""
        reduced = self._reduced(vectors)
        if hasattr(self._final, "decision_function"):
            return self._apart(self._final.decision_function(reduced))
        if hasattr(self._final, "predict_joint_log_proba"):
            return self._apart(self._final.predict_joint_log_proba(reduced))
        return self._apart(np.log(self._final.predict_proba(reduced).astype(np.float64) + _RAISED))

    def linear(self, features: int) -> tuple[Floats, float] | None:
        """Weights of the features, shape (features,), and offset with which the margin is a weighted sum; else None."""
        if not hasattr(self._final, "coef_") or not all(isinstance(step, _AFFINE) for step in self._steps):
            return None
        origin = self._reduced(np.zeros((1, features)))
        weights = self._apart(self._final.coef_.T)
        offset = self._apart(np.atleast_2d(self._final.intercept_)) + origin @ weights
        return (self._reduced(np.eye(features)) - origin) @ weights, float(offset[0])

    def _reduced(self, vectors: NDArray[np.floating]) -> Floats:
        reduced = np.asarray(vectors, dtype=np.float64)
        for step in self._steps:
            reduced = np.asarray(step.transform(reduced))
        return reduced

    def _apart(self, scores: Floats) -> Floats:
        """The label's score less the other's, from one column a class, a pair of classes, or for two classes in all."""
        known = list(self._final.classes_)
        label, against = known.index(self.label), known.index(self.against)
        scores = scores / (self.temperature if self.unit == "log-odds" else 1.0)
        if scores.ndim == 1 or scores.shape[1] == 1:
            return np.asarray(scores.ravel() * (1 if label else -1))
        if isinstance(self._final, SVC):
            pairs = list(zip(*np.triu_indices(len(known), 1), strict=True))
            return np.asarray(scores[:, pairs.index(tuple(sorted((label, against))))] * (1 if label < against else -1))
        return np.asarray(scores[:, label] - scores[:, against])

    @property
    def _steps(self) -> list[Any]:
        return self._chain[0]

    @property
    def _final(self) -> Any:
        return self._chain[1]

    @cached_property
    def _chain(self) -> tuple[list[Any], Any]:
        """What is done to the features, one after the other, and what decides in the end."""
        steps, final = [self.selector], self.classifier
        while True:
            if hasattr(final, "calibrated_classifiers_"):
                final = final.calibrated_classifiers_[0].estimator
            elif hasattr(final, "steps"):
                steps += [step for _, step in final.steps[:-1]]
                final = final.steps[-1][1]
            elif isinstance(final, LinearProbe):
                final = final.model_
            elif isinstance(final, SVC) and final.decision_function_shape != "ovo":
                final = copy.copy(final)
                final.decision_function_shape = "ovo"
            else:
                return steps, final

"""The margin: how far a classifier prefers its class to each other one, in numbers that do not saturate."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import BaggingClassifier, ExtraTreesClassifier, RandomForestClassifier
from sklearn.neighbors import KNeighborsClassifier, RadiusNeighborsClassifier
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, NuSVC

from ..classifiers.linear import LinearProbe
from ..selection.base import ColumnSelector
from ..selection.pca import PCA

Floats = NDArray[np.float64]

_RAISED, _RAISED_IF_COUNTED = 1e-9, 1e-3
_COUNTING = (
    *(KNeighborsClassifier, RadiusNeighborsClassifier),
    *(BaggingClassifier, ExtraTreesClassifier, RandomForestClassifier),
)
_AFFINE = (ColumnSelector, PCA, StandardScaler)


@dataclass(frozen=True)
class Margin:
    """How far a fitted selector and classifier prefer one class to others, from features.

    Calibrated probabilities of a support vector machine jump where a class wins another's vote and hardly move
    elsewhere, so the decision beneath the calibration is taken, for each pair of classes its own. Where there is no
    decision, it is the log-odds of probabilities, raised a little so that those of 0 stay finite: by 0.001 where they
    are counted, among trees or neighbours.

    Parameters
    ----------
    selector, classifier : fitted estimators
        The classifier on the positions of classes.
    temperature : float
        Divides log-odds; see `leukobench.serving.temperature`.
    """

    selector: Any
    classifier: Any
    temperature: float = 1.0

    @property
    def unit(self) -> str:
        """``"log-odds"``; ``"decision value"`` for what has no probabilities, or others than are shown."""
        calibrated = hasattr(self.classifier, "calibrated_classifiers_")
        return "decision value" if calibrated or not hasattr(self._final, "predict_proba") else "log-odds"

    def of(self, vectors: NDArray[np.floating], label: int) -> Floats:
        """Margin to the class that comes closest, shape (n,), of images with these features, shape (n, features)."""
        return self._to_each(vectors, label).min(axis=0)

    def closest(self, vector: NDArray[np.floating], label: int) -> int:
        """The class that comes closest to the label for one image, features of shape (features,)."""
        return self._others(label)[int(self._to_each(vector[None], label).argmin())]

    def _others(self, label: int) -> list[int]:
        return [int(other) for other in self._final.classes_ if other != label]

    def _to_each(self, vectors: NDArray[np.floating], label: int) -> Floats:
        """Margin to each other class, shape (others, n)."""
        scores = self._scores(self._reduce(vectors))
        return np.stack([self._difference(scores, label, other) for other in self._others(label)])

    def linear(self, features: int, label: int, against: int) -> tuple[Floats, float] | None:
        """Weights of the features, and offset, if they give the margin between two classes by a weighted sum."""
        if not hasattr(self._final, "coef_") or not all(isinstance(step, _AFFINE) for step in self._steps):
            return None
        origin = self._reduce(np.zeros((1, features)))
        weights = self._difference(self._final.coef_.T, label, against)
        offset = self._difference(np.atleast_2d(self._final.intercept_), label, against) + origin @ weights
        return (self._reduce(np.eye(features)) - origin) @ weights, float(offset[0])

    def _reduce(self, vectors: NDArray[np.floating]) -> Floats:
        reduced = np.asarray(vectors, dtype=np.float64)
        for step in self._steps:
            reduced = np.asarray(step.transform(reduced))
        return reduced

    def _scores(self, reduced: Floats) -> Floats:
        if hasattr(self._final, "decision_function"):
            return np.asarray(self._final.decision_function(reduced))
        if hasattr(self._final, "predict_joint_log_proba"):
            return np.asarray(self._final.predict_joint_log_proba(reduced))
        raised = _RAISED_IF_COUNTED if isinstance(self._final, _COUNTING) else _RAISED
        return np.log(np.asarray(self._final.predict_proba(reduced), dtype=np.float64) + raised)

    def _difference(self, scores: Floats, label: int, against: int) -> Floats:
        """The label's score less the other's, from a column a class, a column a pair of classes, or a single one."""
        codes = [int(code) for code in self._final.classes_]
        one, other = codes.index(label), codes.index(against)
        scores = scores / (self.temperature if self.unit == "log-odds" else 1.0)
        if scores.ndim == 1 or scores.shape[1] == 1:
            return np.asarray(scores.ravel() * (1 if one else -1))
        if isinstance(self._final, SVC | NuSVC):
            pairs = np.triu_indices(len(codes), 1)
            column = np.flatnonzero((pairs[0] == min(one, other)) & (pairs[1] == max(one, other)))[0]
            return np.asarray(scores[:, column] * (1 if one < other else -1))
        return np.asarray(scores[:, one] - scores[:, other])

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
        while hasattr(final, "calibrated_classifiers_") or hasattr(final, "steps"):
            if hasattr(final, "steps"):
                steps += [step for _, step in final.steps[:-1]]
                final = final.steps[-1][1]
            else:
                final = final.calibrated_classifiers_[0].estimator
        if isinstance(final, LinearProbe):
            return steps, final.model_
        if isinstance(final, SVC | NuSVC):
            final = copy.copy(final)
            final.decision_function_shape = "ovo"
        return steps, final

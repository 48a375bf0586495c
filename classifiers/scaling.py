"""Standardising the features, for the classifiers that need it."""

from __future__ import annotations

from sklearn.base import ClassifierMixin
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler


def scaled(classifier: ClassifierMixin, scale: bool) -> ClassifierMixin | Pipeline:
    """Return `classifier`, behind a `StandardScaler` if `scale`."""
    return make_pipeline(StandardScaler(), classifier) if scale else classifier

"""Users' methods are probed for what they take from the other images that they are tested on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin
from sklearn.feature_selection import SelectKBest
from sklearn.linear_model import RidgeClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.preprocessing import StandardScaler

from leukobench.evaluation.probe import UNSTEADY, probe


class ScalesWhatItGets(TransformerMixin, BaseEstimator):
    """The mistake that is made most: it standardises by the rows that it transforms."""

    def fit(self, X: Any, y: Any = None) -> ScalesWhatItGets:
        return self

    def transform(self, X: Any) -> Any:
        return StandardScaler().fit_transform(X)


class Ranks(ClassifierMixin, BaseEstimator):
    """Predicts by the rank of a row among those that are predicted."""

    def fit(self, X: Any, y: Any) -> Ranks:
        self.classes_ = np.unique(y)
        return self

    def predict(self, X: Any) -> Any:
        return self.classes_[(X[:, 0].argsort().argsort() * len(self.classes_)) // len(X)]


class Remembers(GaussianNB):
    """Keeps what it was fitted on for the next fit, as a cache by mistake does."""

    seen: Any = ()

    def fit(self, X: Any, y: Any) -> Remembers:
        type(self).seen = (*self.seen, len(self.seen))
        return super().fit(X * (1 + len(self.seen)), y)


class Wanders(GaussianNB):
    """Draws from a generator of its own that nobody seeds."""

    def predict_proba(self, X: Any) -> Any:
        return np.random.default_rng().dirichlet(np.ones(3), len(X))


class Draws(GaussianNB):
    """Draws from the global generator."""

    def predict_proba(self, X: Any) -> Any:
        return super().predict_proba(X * (1 + 0 * np.random.normal())) * np.random.uniform()


class Fails(GaussianNB):
    def fit(self, X: Any, y: Any) -> Fails:
        raise ValueError("it fails")


OTHERS = "the predictions depend on the features of other test images"


@pytest.mark.parametrize(
    ("estimator", "findings"),
    [
        (ScalesWhatItGets(), [OTHERS]),
        (Ranks(), [OTHERS]),
        (Remembers(), [UNSTEADY]),
        (Wanders(), [UNSTEADY]),
        (Draws(), []),
        (Fails(), []),
        (StandardScaler(), []),
        (SelectKBest(k=200), []),
        (GaussianNB(), []),
        (RidgeClassifier(), []),
    ],
)
def test_what_learns_from_tested_rows_is_found_and_nothing_else(
    estimator: Any, findings: list[str], tmp_path: Path
) -> None:
    probe(estimator, tmp_path / "findings.json", lambda step: None)
    assert json.loads((tmp_path / "findings.json").read_text()) == findings

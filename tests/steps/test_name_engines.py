"""Engines: the library that a fit really runs in is the one that is named."""

import sys

import numpy as np
import pytest

from leukobench.classifiers import CLASSIFIERS
from leukobench.classifiers.forest import onedal_installed
from leukobench.selection import SELECTORS
from leukobench.steps.name_engines import engine_of


@pytest.mark.parametrize(
    ("name", "engine"),
    [
        ("svm_rbf", "scikit-learn"),
        ("logistic_regression", "scikit-learn"),
        ("xgboost", "XGBoost"),
        ("lda", "scikit-learn"),
    ],
)
def test_classifiers_name_their_library(name: str, engine: str) -> None:
    assert engine_of(CLASSIFIERS.make(name, {})) == engine


@pytest.mark.parametrize("settings", [{}, {"engine": "scikit-learn"}, {"class_weight": "balanced_subsample"}])
def test_a_forest_names_what_grows_its_trees(settings: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    if not onedal_installed():
        pytest.skip("oneDAL is not installed")
    import sklearnex.ensemble

    called = []
    grow = sklearnex.ensemble.RandomForestClassifier.fit
    monkeypatch.setattr(
        sklearnex.ensemble.RandomForestClassifier, "fit", lambda self, *rest: called.append(1) or grow(self, *rest)
    )
    forest = CLASSIFIERS.make("random_forest", {"n_estimators": 3, **settings})
    forest.fit(np.random.default_rng(0).normal(size=(30, 3)), [0, 1] * 15)
    assert engine_of(forest) == ("oneDAL" if called else "scikit-learn")


def test_without_onedal_forests_are_scikit_learns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "leukobench.classifiers.forest.find_spec", None)
    monkeypatch.setattr("leukobench.classifiers.forest.find_spec", lambda name: None)
    assert engine_of(CLASSIFIERS.make("random_forest", {})) == "scikit-learn"
    assert engine_of(SELECTORS.make("forest", {})) == "scikit-learn"
    assert engine_of(SELECTORS.make("anova", {})) == "scikit-learn"

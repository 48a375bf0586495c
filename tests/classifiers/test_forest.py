"""Forests that oneDAL grows: scikit-learn's own trees, repeatable, and as good as scikit-learn's forests."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from sklearn.datasets import make_classification
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import roc_auc_score
from sklearn.tree import DecisionTreeClassifier

from leukobench.classifiers import forest as fast_forest
from leukobench.classifiers.forest import RandomForest, onedal_installed
from leukobench.errors import EngineError

needs_onedal = pytest.mark.skipif(not onedal_installed(), reason="scikit-learn-intelex is not installed")


@pytest.fixture(scope="module")
def data() -> tuple[np.ndarray, np.ndarray]:
    X, y = make_classification(900, 60, n_informative=12, n_redundant=4, n_classes=3, class_sep=0.8, random_state=0)
    return X, np.array(["Benign", "Early", "Pro"])[y]


@pytest.mark.slow
@needs_onedal
@pytest.mark.parametrize("first", ["openvino", "forest"])
def test_forests_grow_in_a_process_that_runs_networks_too(first: str) -> None:
    forest = """
import numpy as np
from leukobench.classifiers.forest import RandomForest
RandomForest(2, engine="onedal", random_state=0).fit(np.arange(40.0).reshape(20, 2), np.arange(20) % 2)
"""
    openvino = """
from leukobench.networks.frameworks import load_openvino
load_openvino().Core().get_property("CPU", "FULL_DEVICE_NAME")
"""
    code = openvino + forest if first == "openvino" else forest + openvino
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@needs_onedal
def test_its_trees_are_scikit_learns_and_predict_as_onedal_does(data: tuple[np.ndarray, np.ndarray]) -> None:
    from sklearnex.ensemble import RandomForestClassifier as OneDAL

    X, y = data
    forest = RandomForest(30, random_state=1, engine="onedal").fit(X[:600], y[:600])
    assert {type(tree) for tree in forest.estimators_} == {DecisionTreeClassifier}
    assert forest.classes_.tolist() == ["Benign", "Early", "Pro"]
    theirs = OneDAL(30, random_state=1, max_bins=64).fit(X[:600], y[:600])
    np.testing.assert_allclose(forest.predict_proba(X[600:]), theirs.predict_proba(X[600:]), atol=1e-6)
    np.testing.assert_allclose(forest.feature_importances_, theirs.feature_importances_, atol=1e-6)


@needs_onedal
def test_the_same_seed_grows_the_same_trees_whatever_the_threads(data: tuple[np.ndarray, np.ndarray]) -> None:
    X, y = data
    first = RandomForest(20, random_state=3, n_jobs=1).fit(X, y).predict_proba(X)
    np.testing.assert_array_equal(first, RandomForest(20, random_state=3, n_jobs=2).fit(X, y).predict_proba(X))
    assert not np.array_equal(first, RandomForest(20, random_state=4, n_jobs=1).fit(X, y).predict_proba(X))


@pytest.mark.slow
@needs_onedal
def test_the_engines_differ_no_more_than_seeds_do(data: tuple[np.ndarray, np.ndarray]) -> None:
    X, y = data

    def area(make: type, seed: int) -> float:
        fitted = make(100, random_state=seed).fit(X[:600], y[:600])
        return float(roc_auc_score(y[600:], fitted.predict_proba(X[600:]), multi_class="ovr"))

    plain = [area(RandomForestClassifier, seed) for seed in range(6)]
    grown = [area(RandomForest, seed) for seed in range(6)]
    assert abs(np.mean(plain) - np.mean(grown)) < 3 * np.hypot(np.std(plain), np.std(grown)) / np.sqrt(6) + 0.005


def test_scikit_learns_engine_is_scikit_learn(data: tuple[np.ndarray, np.ndarray]) -> None:
    X, y = data
    mine = RandomForest(20, random_state=0, engine="scikit-learn", max_features=0.5).fit(X, y)
    plain = RandomForestClassifier(20, random_state=0, max_features=0.5).fit(X, y)
    np.testing.assert_array_equal(mine.predict_proba(X), plain.predict_proba(X))


def test_without_onedal_auto_is_scikit_learn(
    data: tuple[np.ndarray, np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    X, y = data
    monkeypatch.setattr(fast_forest, "onedal_installed", lambda: False)
    mine = RandomForest(20, random_state=0).fit(X, y)
    plain = RandomForestClassifier(20, random_state=0).fit(X, y)
    np.testing.assert_array_equal(mine.predict_proba(X), plain.predict_proba(X))
    with pytest.raises(EngineError, match="oneDAL is not installed"):
        RandomForest(20, engine="onedal").fit(X, y)

from __future__ import annotations

import io
import json
import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import skops.io
from sklearn.linear_model import SGDClassifier
from sklearn.preprocessing import FunctionTransformer

from leukobench.classifiers import CLASSIFIERS
from leukobench.errors import BundleError
from leukobench.evaluation.methods import FitRules, make_method, prepared
from leukobench.selection import SELECTORS
from leukobench.serving.estimators import from_bytes, to_bytes

NAMES = [pytest.param(name, marks=[pytest.mark.slow] * (name == "dense_head")) for name in CLASSIFIERS.names()]
TOUCHED: list[str] = []


def data(classes: int = 4, features: int = 40) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(240, features)), rng.integers(0, classes, 240)
    X[np.arange(240), y] += 3
    return X, y


def inner() -> list[tuple[np.ndarray, np.ndarray]]:
    parts = np.array_split(np.random.default_rng(1).permutation(240), 3)
    return [(np.concatenate([other for other in parts if other is not part]), part) for part in parts]


def fitted(name: str, classes: int = 4, features: int = 40, **rules: str) -> tuple[Any, np.ndarray]:
    X, y = data(classes, features)
    method = make_method(CLASSIFIERS, name, {}, name, 0)
    names = tuple("abcd"[:classes])
    return prepared(method, FitRules(**rules), inner, names)().fit(X, y), X


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("classes", [2, 4])
def test_every_classifier_says_the_same_after_storing(name: str, classes: int) -> None:
    estimator, X = fitted(name, classes)
    expected = estimator.predict_proba(X)
    stored = from_bytes(to_bytes(estimator, "classifier"), "classifier")
    assert np.abs(stored.predict_proba(X) - expected).max() == 0
    assert np.array_equal(stored.predict(X), estimator.predict(X))


@pytest.mark.parametrize("calibration", ["sigmoid", "isotonic", "temperature"])
@pytest.mark.parametrize("balance", ["oversample", "smote"])
@pytest.mark.parametrize("name", ["svm_rbf", "knn"])
def test_calibrated_and_balanced_ones_too(name: str, balance: str, calibration: str) -> None:
    estimator, X = fitted(name, features=8, balance=balance, calibration=calibration)
    expected = estimator.predict_proba(X)
    stored = from_bytes(to_bytes(estimator, "classifier"), "classifier")
    assert np.abs(stored.predict_proba(X) - expected).max() < 1e-12
    assert stored.classes_.tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize("name", SELECTORS.names())
def test_every_selector_selects_the_same_after_storing(name: str) -> None:
    X, y = data()
    selector = make_method(SELECTORS, name, {}, name, 0).estimator.fit(X, y)
    expected = selector.transform(X)
    assert np.array_equal(from_bytes(to_bytes(selector, "selector"), "selector").transform(X), expected)


def test_neighbours_among_few_features_are_the_same() -> None:
    estimator, X = fitted("knn", features=5)
    assert estimator._tree is not None
    expected = estimator.predict_proba(X + 0.1)
    assert np.array_equal(from_bytes(to_bytes(estimator, "classifier"), "classifier").predict_proba(X + 0.1), expected)


def test_what_is_not_on_the_list_is_refused_when_it_is_stored() -> None:
    X, y = data()
    with pytest.raises(BundleError, match="cannot be kept in a bundle"):
        to_bytes(SGDClassifier().fit(X, y), "classifier")
    with pytest.raises(BundleError, match="cannot be kept in a bundle"):
        to_bytes(FunctionTransformer(np.log1p).fit(X), "selector")


class Evil:
    """Does something the moment that it is built."""

    def __init__(self) -> None:
        self.value = 1

    def __setstate__(self, state: Any) -> None:
        TOUCHED.append("built")


@pytest.mark.parametrize(
    "thing", [Evil(), FunctionTransformer(np.log1p), SGDClassifier(), [np.log1p], {"a": json.dumps}, np.dtype("O")]
)
def test_types_that_are_not_on_the_list_are_refused_before_anything_is_built(thing: Any) -> None:
    TOUCHED.clear()
    with pytest.raises(BundleError, match=r"did not put there|cannot be read"):
        from_bytes(skops.io.dumps(thing), "classifier")
    assert not TOUCHED


def test_a_schema_that_asks_for_a_function_is_refused() -> None:
    data = edited(skops.io.dumps({"a": 1}), {"__class__": "system", "__module__": "os", "__loader__": "FunctionNode"})
    with pytest.raises(BundleError, match=r"os\.system"):
        from_bytes(data, "classifier")


def edited(data: bytes, node: dict[str, Any]) -> bytes:
    """The file with its root replaced."""
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(stream, "w") as new:
        for name in old.namelist():
            schema = json.loads(old.read(name)) if name == "schema.json" else {}
            new.writestr(name, json.dumps(schema | node) if name == "schema.json" else old.read(name))
    return stream.getvalue()


@pytest.mark.parametrize("data", [b"", b"PK", pickle.dumps(Evil()), b"\x80\x04." * 10, bytes(200)])
def test_pickles_and_other_bytes_are_refused(data: bytes) -> None:
    TOUCHED.clear()
    with pytest.raises(BundleError, match="cannot be read"):
        from_bytes(data, "classifier")
    assert not TOUCHED


@pytest.mark.parametrize("field", ["left", "right", "feature", "loop"])
def test_a_forest_that_leads_out_of_its_memory_is_refused(field: str) -> None:
    estimator, _ = fitted("random_forest")
    tree = estimator.estimators_[0].tree_
    state = tree.__getstate__()
    nodes = state["nodes"].copy()
    inner = int(np.flatnonzero(tree.children_left >= 0)[-1])
    column, value = {
        "left": ("left_child", 10**6),
        "right": ("right_child", -7),
        "feature": ("feature", 10**6),
        "loop": ("left_child", 0),
    }[field]
    nodes[column][inner] = value
    tree.__setstate__(state | {"nodes": nodes})
    with pytest.raises(BundleError, match="cannot be read"):
        from_bytes(to_bytes(estimator, "classifier"), "classifier")


def test_xgboost_is_stored_in_its_own_format(tmp_path: Path) -> None:
    import xgboost

    estimator, X = fitted("xgboost")
    with zipfile.ZipFile(io.BytesIO(to_bytes(estimator, "classifier"))) as archive:
        stored = [archive.read(name) for name in archive.namelist() if name.endswith(".bin")]
    booster = xgboost.Booster(model_file=bytearray(stored[0]))
    assert np.array_equal(booster.inplace_predict(X), estimator.predict_proba(X))

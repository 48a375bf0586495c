from __future__ import annotations

import io
import json
import pickle
import zipfile
from typing import Any

import numpy as np
import pytest
import skops.io
from sklearn.preprocessing import FunctionTransformer, OrdinalEncoder

from leukobench.classifiers import CLASSIFIERS
from leukobench.errors import BundleError
from leukobench.evaluation.methods import FitRules, estimator_factory, make_method
from leukobench.selection import SELECTORS
from leukobench.serving.estimators import from_bytes
from leukobench.serving.stored_estimators import to_bytes

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
    return estimator_factory(method, FitRules(**rules), inner, names)().fit(X, y), X


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


class Evil:
    """Does something the moment that it is built."""

    def __init__(self) -> None:
        self.value = 1

    def __setstate__(self, state: Any) -> None:
        TOUCHED.append("built")


@pytest.mark.parametrize(
    "thing", [Evil(), FunctionTransformer(np.log1p), OrdinalEncoder(), [np.log1p], {"a": json.dumps}]
)
def test_types_that_are_not_on_the_list_are_refused_before_anything_is_built(thing: Any) -> None:
    TOUCHED.clear()
    with pytest.raises(BundleError, match=r"does not store|cannot be read"):
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


def test_a_forest_of_other_features_is_refused() -> None:
    estimator, _ = fitted("random_forest")
    estimator.n_features_in_ = 10
    with pytest.raises(BundleError, match="cannot be read"):
        from_bytes(to_bytes(estimator, "classifier"), "classifier")


def test_nodes_of_a_tree_in_the_place_of_a_classifier_are_refused() -> None:
    estimator, _ = fitted("random_forest")
    with pytest.raises(BundleError, match="outside of an estimator"):
        from_bytes(to_bytes(estimator.estimators_[0].tree_, "classifier"), "classifier")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("_n_support", np.array([10**6, -(10**6) + 50, 0, 0], dtype=np.int32)),
        ("_n_support", np.ones(5000, dtype=np.int32)),
        ("_dual_coef_", np.ones((3, 2))),
        ("_intercept_", np.ones(1)),
        ("support_", np.ones(2, dtype=np.int32)),
        ("support_vectors_", np.ones((2, 3))),
        ("kernel", "precomputed"),
    ],
)
def test_a_support_vector_machine_whose_parts_do_not_fit_is_refused(name: str, value: Any) -> None:
    estimator, _ = fitted("svm_rbf")
    setattr(estimator.calibrated_classifiers_[0].estimator, name, value)
    with pytest.raises(BundleError, match="cannot be read"):
        from_bytes(to_bytes(estimator, "classifier"), "classifier")


def xgboost_json(data: bytes) -> tuple[str, dict[str, Any]]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        (name,) = [name for name in archive.namelist() if archive.read(name).startswith(b'{"learner"')]
        return name, json.loads(archive.read(name))


def changed_xgboost(path: str, value: Any) -> bytes:
    """A stored XGBoost with one number of its model changed."""
    data = to_bytes(fitted("xgboost")[0], "classifier")
    name, model = xgboost_json(data)
    place: Any = model["learner"]
    *way, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    for part in way:
        place = place[part]
    place[last] = value
    stream = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(stream, "w") as new:
        for member in old.namelist():
            new.writestr(member, json.dumps(model) if member == name else old.read(member))
    return stream.getvalue()


TREE = "gradient_booster.model.trees.0."


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (TREE + "left_children.0", 10**8),
        (TREE + "left_children.1", 0),
        (TREE + "right_children.0", -5),
        (TREE + "split_indices.0", 10**9),
        (TREE + "split_indices.0", -1),
        (TREE + "split_type.0", 1),
        (TREE + "parents.1", 10**8),
        (TREE + "parents.0", 1),
        (TREE + "base_weights.0", float("nan")),
        (TREE + "categories_segments", [10**9]),
        (TREE + "sum_hessian", []),
        (TREE + "tree_param.num_feature", "1000000"),
        ("gradient_booster.model.tree_info.0", 10**8),
        ("gradient_booster.model.iteration_indptr", [0, 10**9]),
        ("gradient_booster.name", "dart"),
        ("learner_model_param.num_class", "100000000"),
        ("learner_model_param.num_feature", "7"),
        ("objective.softmax_multiclass_param.num_class", "100000000"),
        ("objective.name", "rank:pairwise"),
    ],
)
def test_trees_of_xgboost_that_would_leave_its_memory_are_refused_before_it_reads_them(path: str, value: Any) -> None:
    with pytest.raises(BundleError, match="cannot be read"):
        from_bytes(changed_xgboost(path, value), "classifier")


def test_the_change_alone_is_what_is_refused() -> None:
    assert from_bytes(changed_xgboost("gradient_booster.name", "gbtree"), "classifier").classes_.tolist() == [
        0,
        1,
        2,
        3,
    ]


def test_what_is_compressed_inside_is_not_unpacked() -> None:
    data, stream = to_bytes(fitted("knn")[0], "classifier"), io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as new:
        for member in old.namelist():
            new.writestr(member, old.read(member))
    with pytest.raises(BundleError, match="compressed"):
        from_bytes(stream.getvalue(), "classifier")


def test_xgboost_is_stored_in_its_own_format() -> None:
    import xgboost

    estimator, X = fitted("xgboost")
    _, model = xgboost_json(to_bytes(estimator, "classifier"))
    booster = xgboost.Booster(model_file=bytearray(json.dumps(model).encode()))
    assert np.abs(booster.inplace_predict(X) - estimator.predict_proba(X)).max() < 1e-6

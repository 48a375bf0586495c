from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression

from leukobench.errors import BundleError
from leukobench.serving.estimator_checks import check_estimator
from leukobench.serving.estimators import from_bytes
from leukobench.serving.stored_estimators import to_bytes

from .scikit_learn import fitted, numbers


def refused(estimator: Any, reason: str) -> None:
    """A file with this estimator is refused for this reason."""
    with pytest.raises(BundleError, match=reason):
        from_bytes(to_bytes(estimator, "classifier"), "classifier")


@pytest.mark.parametrize("name", ["predict_proba", "_validate_X_predict", "get_params", "n_features_"])
def test_an_attribute_that_hides_a_method_is_refused(name: str) -> None:
    estimator = LogisticRegression().fit(*numbers())
    vars(estimator)[name] = int
    if hasattr(LogisticRegression, name):
        refused(estimator, "in the place of a method")
    else:
        check_estimator(from_bytes(to_bytes(estimator, "classifier"), "classifier"))


def test_labels_of_neighbours_without_a_class_are_refused() -> None:
    estimator = fitted("KNeighborsClassifier")
    estimator._y = estimator._y + 10**6
    refused(estimator, "without a class")


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("_fit_X", np.ones((5, 8)), "missing"),
        ("_fit_X", np.ones((60, 9)), "missing"),
        ("n_neighbors", 10**9, "more neighbours"),
        ("metric", "precomputed", "another distance"),
        ("effective_metric_params_", {"V": np.ones(2)}, "weighted"),
        ("_fit_method", "kd_tree", "a tree"),
    ],
)
def test_neighbours_whose_parts_do_not_fit_are_refused(name: str, value: Any, reason: str) -> None:
    estimator = from_bytes(to_bytes(fitted("KNeighborsClassifier"), "classifier"), "classifier")
    setattr(estimator, name, value)
    refused(estimator, reason)


def test_boosted_trees_that_begin_with_a_narrower_table_are_refused() -> None:
    estimator = fitted("GradientBoostingClassifier")
    X, y = numbers()
    estimator.init_ = DummyClassifier(strategy="prior").fit(X, y % 2)
    refused(estimator, "a beginning of other classes")
    estimator.init_ = LogisticRegression().fit(X, y)
    refused(estimator, "another beginning")


@pytest.mark.parametrize(
    ("field", "value"), [("left", 10**6), ("right", 0), ("feature_idx", 10**6), ("feature_idx", -1)]
)
def test_histogram_trees_that_lead_out_of_their_memory_are_refused(field: str, value: int) -> None:
    estimator = fitted("HistGradientBoostingClassifier")
    tree = estimator._predictors[0][0]
    inner = np.flatnonzero(tree.nodes["is_leaf"] == 0)
    assert len(inner)
    tree.nodes[field][inner[0]] = value % 2**32 if tree.nodes.dtype[field].kind == "u" else value
    refused(estimator, "a tree")


def test_loops_without_end_and_processes_without_number_are_refused() -> None:
    estimator = LogisticRegression().fit(*numbers())
    estimator.n_jobs = 10**6
    assert from_bytes(to_bytes(estimator, "classifier"), "classifier").n_jobs == 1
    estimator.max_iter = 10**12
    refused(estimator, "impossible max_iter")


def test_a_tree_inside_another_estimator_is_checked_too() -> None:
    estimator = fitted("BaggingClassifier")
    tree = estimator.estimators_[0].tree_
    state = tree.__getstate__()
    nodes = state["nodes"].copy()
    nodes["left_child"][0] = 10**6
    tree.__setstate__(state | {"nodes": nodes})
    refused(estimator, "invalid child")

"""Checks of a stored estimator: whether its arrays fit together, which compiled code takes for granted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from .estimator_parts import parts_of

_TREES = ("DecisionTreeClassifier", "DecisionTreeRegressor", "ExtraTreeClassifier", "ExtraTreeRegressor")
_NEIGHBOURS = ("KNeighborsClassifier", "NearestNeighbors", "RadiusNeighborsClassifier")
_METRICS = ("chebyshev", "cityblock", "cosine", "euclidean", "l1", "l2", "manhattan", "minkowski")
_MOST = {"degree": 100, "max_iter": 10**6, "transform_max_iter": 10**6, "max_doc_update_iter": 10**6}
_MOST_COLUMNS = 10**6
_HIDING: frozenset[str] = frozenset()
_CHECKED_PACKAGES = ("imblearn", "leukobench", "sklearn")


def check_estimator(estimator: Any) -> None:
    """Refuse an estimator that would leave the process's memory, or never end, when it predicts.

    Raises
    ------
    ValueError
        The reason, in words.
    """
    parts = list(parts_of(estimator))
    owned = {id(getattr(part, "tree_", None)) for part in parts if _check_of(part) is _check_tree}
    for part in parts:
        _demand(type(part).__name__ != "Tree" or id(part) in owned, "a tree outside of an estimator")
        if type(part).__module__.partition(".")[0] in _CHECKED_PACKAGES:
            _check_attributes(part)
    for part in reversed(parts):  # what an estimator consists of first
        if check := _check_of(part):
            check(part)


def _check_of(part: Any) -> Callable[[Any], None] | None:
    """The check of its class, or of the class that somebody's own is derived from, where it is fitted."""
    checks = [_CHECKS[kind.__name__] for kind in type(part).__mro__ if kind.__name__ in _CHECKS]
    return checks[0][1] if checks and checks[0][0] in vars(part) else None


def _check_attributes(part: Any) -> None:
    """Attributes must not hide those of their class, such as methods, and what limits a loop must be a limit."""
    for name, value in getattr(part, "__dict__", {}).items():
        _demand(not hasattr(type(part), name) or name in _HIDING, f"{name} in the place of a method")
        if name in _MOST and isinstance(value, int | float):
            _demand(value <= _MOST[name], f"an impossible {name}")
        if name == "n_jobs" and value not in (None, 1):
            part.n_jobs = 1  # a made-up file could ask for thousands of processes


def _check_tree(part: Any) -> None:
    tree, features = part.tree_, part.n_features_in_
    nodes, inner = np.arange(tree.node_count), tree.children_left >= 0
    _demand(type(tree).__name__ == "Tree" and type(features) is int, "a tree without nodes")
    _demand(tree.n_features == features, "a tree of the forest has a different number of features")
    _demand(tree.value.shape[:2] == (len(nodes), 1) and part.n_outputs_ == 1, "a tree has different outputs")
    values = len(part.classes_) if hasattr(part, "classes_") else 1
    _demand(tree.value.shape[2] == values == getattr(part, "n_classes_", 1), "a tree has different classes")
    for children in (tree.children_left, tree.children_right):
        onward = (children > nodes) & (children < len(nodes))
        _demand(bool(np.where(inner, onward, children == -1).all()), "a tree of the forest has an invalid child")
    columns = tree.feature[inner]
    _demand(bool(((columns >= 0) & (columns < features)).all()), "a tree of the forest uses features that do not exist")


def _check_forest(forest: Any) -> None:
    """Trees do not look at the number of features that a forest hands them."""
    for tree in forest.estimators_:
        _demand(type(tree).__name__ in _TREES, "a forest of other estimators")
        _demand(tree.n_features_in_ == forest.n_features_in_, "a tree of the forest has a different number of features")
    _demand(forest.n_outputs_ == 1 and forest.n_classes_ == len(forest.classes_), "a forest of other classes")


def _check_boosted(boosted: Any) -> None:
    """`sklearn.ensemble.GradientBoostingClassifier` adds the trees' values to a table of a width that nobody checks."""
    classes = len(boosted.classes_)
    columns = 1 if classes == 2 else classes
    loss = "HalfMultinomialLoss" if classes > 2 else "HalfBinomialLoss"
    _demand(boosted.n_trees_per_iteration_ == columns == boosted.estimators_.shape[1], "trees of other classes")
    _demand(boosted.estimators_.ndim == 2, "trees of other classes")
    _demand(type(boosted._loss).__name__ in (loss, "ExponentialLoss"), "another loss")
    _demand("is_multiclass" not in vars(boosted._loss), "another loss")
    for tree in boosted.estimators_.ravel():
        _demand(type(tree).__name__ == "DecisionTreeRegressor", "other trees")
        _demand(tree.n_features_in_ == boosted.n_features_in_, "a tree has a different number of features")
    first = boosted.init_
    _demand(first == "zero" or type(first).__name__ == "DummyClassifier", "another beginning")
    began = boosted._raw_predict_init(np.zeros((2, boosted.n_features_in_), dtype=np.float32))
    _demand(began.shape == (2, columns) and began.dtype == np.float64, "a beginning of other classes")


def _check_binned(boosted: Any) -> None:
    """`sklearn.ensemble.HistGradientBoostingClassifier`."""
    features = boosted.n_features_in_
    _demand(type(features) is int and not getattr(boosted, "_in_fit", False), "a fit that has not ended")
    _demand(boosted.is_categorical_ is None, "categories")
    columns = 1 if len(boosted.classes_) == 2 else len(boosted.classes_)
    _demand(boosted.n_trees_per_iteration_ == columns, "trees of other classes")
    for grown in boosted._predictors:
        _demand(len(grown) == columns, "trees of other classes")
        for tree in grown:
            _demand(type(tree).__name__ == "TreePredictor", "other trees")
            _check_predictor(tree.nodes, features)


def _check_predictor(nodes: Any, features: int) -> None:
    places, inner = np.arange(len(nodes)), nodes["is_leaf"] == 0
    _demand(nodes.ndim == 1 and len(nodes) > 0 and not nodes["is_categorical"].any(), "categories")
    for name in ("left", "right"):
        onward = (nodes[name] > places) & (nodes[name] < len(nodes))
        _demand(bool(onward[inner].all()), "a tree with an invalid child")
    columns = nodes["feature_idx"][inner]
    _demand(bool(((columns >= 0) & (columns < features)).all()), "a tree that uses features that do not exist")


def _check_vectors(machine: Any) -> None:
    """Support vectors, their weights and their numbers a class; see `sklearn.svm.SVC`."""
    classes, (vectors, features) = len(machine.classes_), machine.support_vectors_.shape
    counts = np.asarray(machine._n_support)
    _demand(features == machine.n_features_in_, "the support vectors have a different number of features")
    _demand(len(counts) == classes and counts.min() >= 0 and counts.sum() == vectors, "support vectors are missing")
    _demand(machine.support_.shape == (vectors,), "support vectors are missing")
    _demand(machine._dual_coef_.shape == machine.dual_coef_.shape == (classes - 1, vectors), "weights are missing")
    pairs = classes * (classes - 1) // 2
    _demand(machine._intercept_.shape == machine.intercept_.shape == (pairs,), "intercepts are missing")
    _demand(not len(machine._probA) and not len(machine._probB), "another kind of probabilities")
    kernels = ("linear", "rbf") if type(machine).__name__ == "KernelMachine" else ("linear", "poly", "rbf", "sigmoid")
    _demand(machine.kernel in kernels and not machine._sparse, "another kernel")


def _check_neighbours(neighbours: Any) -> None:
    """Images in which neighbours are searched; see `sklearn.neighbors`."""
    images, features = neighbours._fit_X.shape
    _demand(features == neighbours.n_features_in_ and neighbours.n_samples_fit_ == images, "images are missing")
    _demand(neighbours._fit_method == "brute" and neighbours._tree is None, "a tree of neighbours")
    _demand(neighbours._fit_X.dtype in (np.float32, np.float64), "images without numbers")
    metrics = (neighbours.metric, neighbours.effective_metric_)
    _demand(all(metric in _METRICS for metric in metrics), "another distance")
    _demand(
        all(np.isscalar(value) for value in (neighbours.effective_metric_params_ or {}).values()), "a weighted distance"
    )
    if hasattr(neighbours, "_y"):
        labels, classes = neighbours._y, len(neighbours.classes_)
        _demand(labels.shape == (images,) and labels.dtype.kind == "i" and not neighbours.outputs_2d_, "other labels")
        _demand(
            bool(((labels >= 0) & (labels < classes)).all()) and not neighbours.outputs_2d_, "labels without a class"
        )
        _demand(neighbours.weights in ("uniform", "distance", None), "other weights")
    if (nearest := getattr(neighbours, "n_neighbors", None)) is not None:
        _demand(1 <= nearest <= images, "more neighbours than images")


def _check_pooled(pooling: Any) -> None:
    labels = pooling.labels_
    _demand(bool(((labels >= 0) & (labels < len(labels))).all()), "features of clusters that do not exist")


def _check_products(products: Any) -> None:
    _demand(products._n_out_full <= _MOST_COLUMNS, "too many products of features")


def _check_bins(bins: Any) -> None:
    _demand(bins.encode == "ordinal", "a sparse table")


_CHECKS: Mapping[str, tuple[str, Callable[[Any], None]]] = {
    **dict.fromkeys(_TREES, ("tree_", _check_tree)),
    **dict.fromkeys(("RandomForest", "RandomForestClassifier", "ExtraTreesClassifier"), ("estimators_", _check_forest)),
    **dict.fromkeys(("KernelMachine", "NuSVC", "SVC"), ("support_vectors_", _check_vectors)),
    **dict.fromkeys(_NEIGHBOURS, ("_fit_X", _check_neighbours)),
    "FeatureAgglomeration": ("labels_", _check_pooled),
    "GradientBoostingClassifier": ("estimators_", _check_boosted),
    "HistGradientBoostingClassifier": ("_predictors", _check_binned),
    "KBinsDiscretizer": ("bin_edges_", _check_bins),
    "PolynomialFeatures": ("_n_out_full", _check_products),
}
"""Name of a type that hands indices to compiled code, or takes memory that no array limits -> an attribute without
which it predicts nothing, and its check."""


def _demand(right: Any, otherwise: str) -> None:
    if not right:
        raise ValueError(otherwise)

"""Checks of a stored estimator: whether its arrays fit together, which compiled code takes for granted."""

from __future__ import annotations

from typing import Any

import numpy as np


def check_part(part: Any) -> None:
    """Refuse an estimator that would leave the process's memory, or never end, when it predicts.

    Raises
    ------
    ValueError
        The reason, in words.
    """
    name = type(part).__name__
    if name == "RandomForest":
        for grown in part.estimators_:
            _check_tree(grown.tree_, part.n_features_in_, len(part.classes_))
    elif name in ("SVC", "KernelMachine"):
        _check_vectors(part)
    elif name == "DecisionTreeClassifier":
        raise ValueError("an unexpected decision tree")


def _check_tree(tree: Any, features: int, classes: int) -> None:
    nodes, inner = np.arange(tree.node_count), tree.children_left >= 0
    _demand(tree.n_features == features, "a tree of the forest has a different number of features")
    _demand(tree.n_outputs == 1 and tree.value.shape == (len(nodes), 1, classes), "a tree has different classes")
    for children in (tree.children_left, tree.children_right):
        onward = (children > nodes) & (children < len(nodes))
        _demand(bool(np.where(inner, onward, children == -1).all()), "a tree of the forest has an invalid child")
    columns = tree.feature[inner]
    _demand(bool(((columns >= 0) & (columns < features)).all()), "a tree of the forest uses features that do not exist")


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
    _demand(machine.kernel in ("linear", "rbf"), "another kernel")


def _demand(right: bool, otherwise: str) -> None:
    if not right:
        raise ValueError(otherwise)

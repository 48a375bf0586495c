"""Stored trees of XGBoost, checked first, because XGBoost would follow wrong indices out of its memory."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

_COLUMNS = (
    "base_weights", "default_left", "left_children", "loss_changes", "parents", "right_children", "split_conditions",
    "split_indices", "split_type", "sum_hessian",
)  # fmt: skip
_NUMBERS = ("base_weights", "loss_changes", "split_conditions", "sum_hessian")
_NO_PARENT = 2**31 - 1
_CATEGORIES = ("categories", "categories_nodes", "categories_segments", "categories_sizes")


def check_trees(stored: bytes, features: int, classes: int) -> None:
    """Refuse a model in XGBoost's JSON that `leukobench.classifiers.boosting.XGBoost` cannot have fitted.

    Parameters
    ----------
    stored : bytes
    features, classes : int
        That the classifier was fitted on.

    Raises
    ------
    ValueError
        The reason, in words.
    """
    learner = json.loads(stored)["learner"]
    boosted, objective = learner["gradient_booster"], learner["objective"]["name"]
    trees, each = boosted["model"]["trees"], 1 if classes == 2 else classes
    parameters = learner["learner_model_param"]
    numbers = [int(parameters[name]) for name in ("num_class", "num_feature", "num_target")]
    _demand(boosted["name"] == "gbtree", "another kind of model")
    _demand(numbers == [0 if classes == 2 else classes, features, 1], "other classes or features")
    _demand(objective == ("binary:logistic" if classes == 2 else "multi:softprob"), "another objective")
    if classes > 2:
        _demand(int(learner["objective"]["softmax_multiclass_param"]["num_class"]) == classes, "other classes")
    size, parallel = (int(boosted["model"]["gbtree_model_param"][key]) for key in ("num_trees", "num_parallel_tree"))
    _demand(size == len(trees) and parallel == 1, "another number of trees")
    _demand(boosted["model"]["tree_info"] == [k % each for k in range(size)], "trees of other classes")
    _demand(boosted["model"]["iteration_indptr"] == list(range(0, size + 1, each)), "rounds that do not fit its trees")
    _demand(not any(boosted["model"].get("cats", {}).values()), "categories")
    for tree in trees:
        _check_tree(tree, features)


def _check_tree(tree: dict[str, Any], features: int) -> None:
    nodes, parameters = len(tree["left_children"]), tree["tree_param"]
    sizes = [int(parameters[name]) for name in ("num_nodes", "num_feature", "num_deleted", "size_leaf_vector")]
    _demand(sizes[:2] == [nodes, features] and sizes[2] == 0 and sizes[3] in (0, 1), "a tree of another size")
    _demand(all(len(tree[name]) == nodes for name in _COLUMNS), "a tree with too few numbers")
    _demand(not any(tree[name] for name in _CATEGORIES) and not any(tree["split_type"]), "categories")
    left, right, split, parents = (
        np.asarray(tree[name], dtype=np.int64)
        for name in ("left_children", "right_children", "split_indices", "parents")
    )
    for name in _NUMBERS:
        _demand(bool(np.isfinite(np.asarray(tree[name], dtype=np.float64)).all()), "numbers that are not finite")
    inner = left >= 0
    for children in (left, right):
        onward = (children > np.arange(nodes)) & (children < nodes)
        _demand(bool((np.where(inner, onward, children == -1)).all()), "a tree that leads nowhere")
    expected = np.full(nodes, _NO_PARENT)
    for children in (left, right):
        expected[children[inner]] = np.flatnonzero(inner)
    _demand(bool((parents == expected).all()), "a tree whose nodes have other parents")
    _demand(bool(((split >= 0) & (split < features)).all()), "a tree on other features")


def _demand(valid: bool, fault: str) -> None:
    if not valid:
        raise ValueError(f"The stored model of XGBoost has {fault}.")

"""Random forest."""

from __future__ import annotations

from numpy.random import RandomState
from sklearn.ensemble import RandomForestClassifier


def random_forest(
    *,
    n_trees: int = 200,
    max_features: float | int | str | None = "sqrt",
    min_samples_leaf: int | float = 1,
    class_weight: str | dict | None = None,
    random_state: int | RandomState | None = None,
    n_jobs: int | None = None,
) -> RandomForestClassifier:
    """Return a random forest; trees need no scaling.

    Parameters
    ----------
    n_trees : int, default=200
        Number of trees.
    max_features : {"sqrt", "log2"}, int, float or None, default="sqrt"
        How many features each split chooses from: a number, a fraction, or None for all.
    min_samples_leaf : int or float, default=1
        Fewest training images in a leaf, a number or a fraction.
    class_weight : "balanced", "balanced_subsample", dict or None, default=None
        Weight of each class.
    random_state : int, RandomState instance or None, default=None
        Draws the images and features of each tree.
    n_jobs : int or None, default=None
        Trees grown at a time; the answer does not depend on it.

    References
    ----------
    L. Breiman, Random Forests, Machine Learning 45, 2001.
    """
    return RandomForestClassifier(
        n_trees,
        max_features=max_features,
        min_samples_leaf=min_samples_leaf,
        class_weight=class_weight,
        random_state=random_state,
        n_jobs=n_jobs,
    )

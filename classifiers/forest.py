"""Random forest."""

from __future__ import annotations

from typing import Any

from ..fast_forest import RandomForest


def random_forest(
    *,
    n_estimators: int = 200,
    max_features: Any = "sqrt",
    max_depth: int | None = None,
    min_samples_leaf: int = 1,
    class_weight: Any = None,
    random_state: int | None = None,
    n_jobs: int | None = None,
    engine: str = "auto",
) -> RandomForest:
    """Random forest; trees need no scaling.

    Parameters
    ----------
    n_estimators : int
        Number of trees.
    max_features : int, float, "sqrt", "log2" or None
        Features tried at a split.
    max_depth : int, optional
        Depth of a tree; grown until its leaves are pure by default.
    min_samples_leaf : int
    class_weight : "balanced", "balanced_subsample", mapping or None
    random_state, n_jobs : int, optional
    engine : {"auto", "onedal", "scikit-learn"}
        What grows the trees; oneDAL is several times faster, where scikit-learn-intelex is installed.

    References
    ----------
    L. Breiman, Random Forests, Machine Learning 45, 2001.
    """
    return RandomForest(
        n_estimators,
        max_features=max_features,
        max_depth=max_depth,
        min_samples_leaf=min_samples_leaf,
        class_weight=class_weight,
        random_state=random_state,
        n_jobs=n_jobs,
        engine=engine,
    )

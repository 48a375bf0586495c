"""Forest: features by their importance in a random forest."""

from __future__ import annotations

from numbers import Integral
from typing import Any, ClassVar

import numpy as np
from sklearn.utils._param_validation import Interval, StrOptions

from ..classifiers.forest import RandomForest
from ..registry import declares
from .base import NUMBERS_OF_FEATURES, Floats, Integers, RankingSelector


@declares(search_space=NUMBERS_OF_FEATURES)
class Forest(RankingSelector):
    """Keep the features that lower the Gini impurity of a random forest most; equal ones in order of column.

    Parameters
    ----------
    n_features : int or float, default=200
        How many features to keep: a number, or a fraction (below 1) of the features that vary.
    n_trees : int, default=100
        Number of trees.
    random_state : int, RandomState instance or None, default=None
        Draws the images and features of each tree. The forest also depends on the order of the rows.
    n_jobs : int or None, default=None
        Trees grown at a time; the ranking does not depend on it.
    engine : {"auto", "onedal", "scikit-learn"}, default="auto"
        What grows the trees; see `leukobench.classifiers.forest.RandomForest`.

    Attributes
    ----------
    support_, ranking_, n_features_in_
        See `RankingSelector`.
    scores_ : ndarray of float64, shape (n_features_in_,)
        Mean decrease of impurity; sums to 1.

    References
    ----------
    L. Breiman, Random Forests, Machine Learning 45, 2001.
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **RankingSelector._parameter_constraints,
        "n_trees": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state"],
        "n_jobs": [Integral, None],
        "engine": [StrOptions({"auto", "onedal", "scikit-learn"})],
    }

    def __init__(
        self,
        n_features: int | float = 200,
        n_trees: int = 100,
        random_state: int | np.random.RandomState | None = None,
        n_jobs: int | None = None,
        engine: str = "auto",
    ) -> None:
        super().__init__(n_features)
        self.n_trees = n_trees
        self.random_state = random_state
        self.n_jobs = n_jobs
        self.engine = engine

    def _rank(self, X: Floats, y: Integers) -> tuple[Integers, Floats]:
        forest = RandomForest(self.n_trees, random_state=self.random_state, n_jobs=self.n_jobs, engine=self.engine)
        scores = forest.fit(X, y).feature_importances_
        return np.argsort(-scores, kind="stable"), scores

"""Importance of a forest against scikit-learn."""

from __future__ import annotations

import numpy as np
from sklearn.ensemble import RandomForestClassifier

from leukobench.selection.forest import Forest

from .problem import problem


def test_forest_importance_is_scikit_learns() -> None:
    X, y = problem(1)
    importance = RandomForestClassifier(100, random_state=3).fit(X, y).feature_importances_
    ours = Forest(n_features=5, random_state=3, engine="scikit-learn").fit(X, y)
    np.testing.assert_allclose(ours.scores_, importance)
    assert set(ours.support_) == set(np.argsort(-importance)[:5])

"""ANOVA against scikit-learn."""

from __future__ import annotations

import numpy as np
import sklearn.feature_selection

from leukobench.selection.anova import ANOVA

from .problem import problem


def test_anova_is_scikit_learns() -> None:
    X, y = problem(0)
    ours = ANOVA(n_features=7).fit(X, y)
    scores, _ = sklearn.feature_selection.f_classif(X, y)
    np.testing.assert_allclose(ours.scores_, scores, rtol=1e-9)
    assert set(ours.support_) == set(np.argsort(-scores)[:7])

"""Lasso against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import Lasso as PlainLasso
from sklearn.preprocessing import StandardScaler

from leukobench.selection.lasso import Lasso

from .problem import problem


@pytest.mark.parametrize("alpha", [0.02, 0.05, 0.15])
def test_lasso_at_one_penalty_is_scikit_learns(alpha: float) -> None:
    X, y = problem(1)
    Z = StandardScaler().fit_transform(X)
    weights = [PlainLasso(alpha, tol=1e-8, max_iter=100_000).fit(Z, y == c).coef_ for c in np.unique(y)]
    expected = np.flatnonzero(np.abs(weights).max(axis=0) > 0)
    np.testing.assert_array_equal(Lasso(alpha=alpha).fit(X, y).support_, expected)


def test_lasso_at_a_penalty_that_keeps_nothing_keeps_the_first() -> None:
    X, y = problem(1)
    Z = StandardScaler().fit_transform(X)
    correlation = [np.abs(Z.T @ ((y == c) - (y == c).mean())) for c in np.unique(y)]
    assert Lasso(alpha=50.0).fit(X, y).support_.tolist() == [int(np.max(correlation, axis=0).argmax())]

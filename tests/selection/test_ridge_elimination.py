"""Elimination by ridge regression against scikit-learn's RFE."""

from __future__ import annotations

import numpy as np
import pytest
import sklearn.feature_selection
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import RidgeClassifier
from sklearn.preprocessing import StandardScaler

from leukobench.selection.rfe import RFE

from .problem import problem


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 1000), classes=st.integers(3, 4), alpha=st.sampled_from([0.1, 1.0, 30.0]))
def test_ridge_elimination_ranks_as_scikit_learns_rfe(seed: int, classes: int, alpha: float) -> None:
    X, y = problem(seed, classes=classes)
    Z = StandardScaler().fit_transform(X)
    theirs = sklearn.feature_selection.RFE(RidgeClassifier(alpha=alpha), n_features_to_select=1, step=1).fit(Z, y)
    ours = RFE(n_features=5, alpha=alpha).fit(X, y)
    np.testing.assert_array_equal(ours.ranking_, theirs.ranking_)


@pytest.mark.parametrize(("images", "features"), [(90, 150), (40, 64), (30, 200)])
def test_ridge_elimination_over_several_blocks_and_more_features_than_images(images: int, features: int) -> None:
    X, y = problem(5, images, features)
    Z = StandardScaler().fit_transform(X)
    theirs = sklearn.feature_selection.RFE(RidgeClassifier(), n_features_to_select=1, step=1).fit(Z, y)
    np.testing.assert_array_equal(RFE().fit(X, y).ranking_, theirs.ranking_)


def test_ridge_elimination_with_two_classes() -> None:
    X, y = problem(2, classes=2)
    Z = StandardScaler().fit_transform(X)
    theirs = sklearn.feature_selection.RFE(RidgeClassifier(), n_features_to_select=1, step=1).fit(Z, y)
    np.testing.assert_array_equal(RFE().fit(X, y).ranking_, theirs.ranking_)


def test_of_equal_columns_the_later_one_leaves_first() -> None:
    X, y = problem(4, features=12)
    fitted = RFE(n_features=12).fit(np.hstack([X, X]), y)
    assert (fitted.ranking_[:12] < fitted.ranking_[12:]).all()

"""Each algorithm against an independent computation."""

from __future__ import annotations

import numpy as np
import pytest
import sklearn.feature_selection
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import decomposition
from sklearn.datasets import make_classification
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import Lasso as PlainLasso
from sklearn.linear_model import RidgeClassifier
from sklearn.preprocessing import StandardScaler

from leukobench.selection.anova import ANOVA
from leukobench.selection.forest import Forest
from leukobench.selection.lasso import Lasso
from leukobench.selection.pca import PCA
from leukobench.selection.rfe import RFE


def problem(seed: int, images: int = 90, features: int = 24, classes: int = 3) -> tuple[np.ndarray, np.ndarray]:
    X, y = make_classification(
        images, features, n_informative=6, n_redundant=4, n_classes=classes, n_clusters_per_class=1, random_state=seed
    )
    return X, y


def test_anova_is_scikit_learns() -> None:
    X, y = problem(0)
    ours = ANOVA(n_features=7).fit(X, y)
    scores, _ = sklearn.feature_selection.f_classif(X, y)
    np.testing.assert_allclose(ours.scores_, scores, rtol=1e-9)
    assert set(ours.support_) == set(np.argsort(-scores)[:7])


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


@pytest.mark.parametrize("estimator", ["svm", "logistic"])
def test_the_refitting_variants_are_scikit_learns(estimator: str) -> None:
    from sklearn.linear_model import LogisticRegression
    from sklearn.svm import SVC

    X, y = problem(7)
    Z = StandardScaler().fit_transform(X)
    classifier = SVC(kernel="linear") if estimator == "svm" else LogisticRegression(max_iter=1000)
    theirs = sklearn.feature_selection.RFE(classifier, n_features_to_select=6, step=2).fit(Z, y)
    ours = RFE(n_features=6, estimator=estimator, step=2).fit(X, y)
    np.testing.assert_array_equal(ours.support_, np.flatnonzero(theirs.support_))


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


def test_forest_importance_is_scikit_learns() -> None:
    X, y = problem(1)
    importance = RandomForestClassifier(100, random_state=3).fit(X, y).feature_importances_
    ours = Forest(n_features=5, random_state=3, engine="scikit-learn").fit(X, y)
    np.testing.assert_allclose(ours.scores_, importance)
    assert set(ours.support_) == set(np.argsort(-importance)[:5])


@pytest.mark.parametrize(("images", "features"), [(90, 24), (20, 60)])
@pytest.mark.parametrize("wanted", [0.9, 5])
def test_pca_is_scikit_learns(images: int, features: int, wanted: float) -> None:
    X, y = problem(1, images, features)
    theirs = decomposition.PCA(wanted, svd_solver="full").fit(X)
    ours = PCA(n_components=wanted).fit(X, y)
    np.testing.assert_allclose(np.abs(ours.transform(X)), np.abs(theirs.transform(X)), atol=1e-8)

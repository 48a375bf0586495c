from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import ttest_1samp
from sklearn.datasets import make_moons
from sklearn.model_selection import RepeatedStratifiedKFold, cross_val_score
from sklearn.svm import SVC

from leukobench.evaluation.statistics.comparisons import corrected_t, correlated_posterior, holm


@pytest.fixture(scope="module")
def published() -> np.ndarray:
    """RBF minus linear kernel, of scikit-learn's example "Statistical comparison of models using grid search"."""
    features, labels = make_moons(noise=0.352, random_state=1, n_samples=100)
    folds = RepeatedStratifiedKFold(n_splits=10, n_repeats=10, random_state=0)
    rbf, linear = (
        cross_val_score(SVC(kernel=kernel, random_state=0), features, labels, scoring="roc_auc", cv=folds)
        for kernel in ("rbf", "linear")
    )
    return rbf - linear


def test_corrected_t_equals_scikit_learns_published_example(published: np.ndarray) -> None:
    found = corrected_t(published, folds=10)
    assert found.t == pytest.approx(0.750, abs=5e-4)
    assert found.p / 2 == pytest.approx(0.227, abs=5e-4)  # theirs is one-sided


def test_the_posterior_equals_scikit_learns_published_example(published: np.ndarray) -> None:
    found = correlated_posterior(published, folds=10, rope=0.01)
    assert found == pytest.approx((0.068, 0.432, 0.500), abs=5e-4)
    assert correlated_posterior(published, folds=10, rope=0).better == pytest.approx(0.773, abs=5e-4)


def test_the_posterior_equals_baycomps() -> None:
    """baycomp 1.0.3: CorrelatedTTest(x, zeros, rope=.01, runs=2).probs() is (better, equivalent, worse)."""
    x = np.array([0.051, -0.041, 0.018, -0.001, 0.001, 0.006, -0.03, 0.005, -0.007, 0.076])
    found = correlated_posterior(x, folds=5, rope=0.01)
    assert found == pytest.approx((0.20367798757631728, 0.33791610618689605, 0.4584059062367867), abs=1e-9)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), folds=st.integers(2, 10), repeats=st.integers(1, 4))
def test_corrected_t_is_students_with_a_larger_variance(seed: int, folds: int, repeats: int) -> None:
    gaps = np.random.default_rng(seed).normal(0.01, 0.02, folds * repeats)
    plain = ttest_1samp(gaps, 0).statistic
    found = corrected_t(gaps, folds)
    assert found.t == pytest.approx(plain / np.sqrt(1 + len(gaps) / (folds - 1)))
    assert sum(correlated_posterior(gaps, folds)) == pytest.approx(1)


def test_differences_that_do_not_vary() -> None:
    assert corrected_t(np.zeros(5), 5) == (0, 0, 1)
    assert corrected_t(np.full(5, 0.1), 5) == (pytest.approx(0.1), np.inf, 2**-4)
    assert corrected_t(np.full(5, -0.1), 5).t == -np.inf
    assert correlated_posterior(np.zeros(5), 5) == (0, 1, 0)
    assert correlated_posterior(np.full(5, 0.1), 5) == (0, 0, 1)


def test_folds_without_the_metric_do_not_count() -> None:
    gaps = np.array([0.01, np.nan, 0.03, 0.02])
    assert corrected_t(gaps, 5) == corrected_t(gaps[[0, 2, 3]], 5)
    lonely = corrected_t(np.array([0.01, np.nan]), 5)
    assert lonely.difference == 0.01
    assert np.isnan(lonely.p)
    assert np.isnan(correlated_posterior(np.array([np.nan, np.nan]), 5)).all()


@settings(max_examples=60, deadline=None)
@given(p=st.lists(st.floats(0, 1), min_size=1, max_size=7))
def test_holm_is_the_closure_of_bonferroni(p: list[float]) -> None:
    found = holm(np.array(p))
    for one in range(len(p)):
        others = [i for i in range(len(p)) if i != one]
        families = [(one, *rest) for size in range(len(p)) for rest in combinations(others, size)]
        worst = max(min(1.0, len(family) * min(p[i] for i in family)) for family in families)
        assert found[one] == pytest.approx(worst)


def test_holm_leaves_out_what_was_not_tested() -> None:
    found = holm(np.array([0.01, np.nan, 0.04]))
    assert found[[0, 2]].tolist() == [0.02, 0.04]
    assert np.isnan(found[1])

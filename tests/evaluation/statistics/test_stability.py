from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leukobench.evaluation.statistics.stability import selection_stability


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), features=st.integers(5, 40), folds=st.integers(2, 6))
def test_indices_equal_their_definitions(seed: int, features: int, folds: int) -> None:
    rng = np.random.default_rng(seed)
    kept = int(rng.integers(1, features))
    supports = [set(rng.permutation(features)[:kept].tolist()) for _ in range(folds)]
    found = selection_stability(supports, features)
    common = [len(a & b) for a, b in combinations(supports, 2)]
    # Kuncheva 2007, equation 2, and the theorem of Nogueira et al. 2018 that theirs is equal to it at one size
    consistency = [(r * features - kept**2) / (kept * (features - kept)) for r in common]
    assert found.kuncheva == pytest.approx(np.mean(consistency))
    assert found.nogueira == pytest.approx(np.mean(consistency))
    assert found.jaccard == pytest.approx(np.mean([r / (2 * kept - r) for r in common]))
    assert found.features == kept


def test_the_same_features_everywhere_are_stable() -> None:
    assert selection_stability([[1, 5, 7]] * 4, 20) == (3, 1, 1, 1)


def test_features_picked_at_random_are_at_zero_but_for_jaccard() -> None:
    rng = np.random.default_rng(0)
    found = selection_stability([rng.permutation(200)[:60].tolist() for _ in range(40)], 200)
    assert found.kuncheva == pytest.approx(0, abs=0.02)
    assert found.nogueira == pytest.approx(0, abs=0.02)
    assert found.jaccard == pytest.approx(0.3 / 1.7, abs=0.02)


def test_sizes_that_differ_have_only_nogueiras_index() -> None:
    """Z = [[1, 1, 0, 0], [1, 0, 0, 0]]: 1 - mean variance / (3/8 * 5/8), where one column of four varies by 1/2."""
    found = selection_stability([[0, 1], [0]], 4)
    assert np.isnan(found.kuncheva)
    assert found.jaccard == 0.5
    assert found.nogueira == pytest.approx(1 - (0.5 / 4) / (3 / 8 * 5 / 8))


def test_everything_kept_is_no_selection() -> None:
    found = selection_stability([range(4)] * 3, 4)
    assert np.isnan(found.kuncheva)
    assert np.isnan(found.nogueira)
    assert found.jaccard == 1


def test_one_fold_says_nothing_about_stability() -> None:
    found = selection_stability([[1, 2]], 4)
    assert found.features == 2
    assert np.isnan(found[1:]).all()

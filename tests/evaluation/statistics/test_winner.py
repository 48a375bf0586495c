from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import friedmanchisquare, spearmanr

from leukobench.evaluation.statistics.winner import agreement, correct_for_selection, is_saturated, order, tied


def hits(combinations: int, n: int, seed: int, rate: float = 0.5) -> np.ndarray:
    return (np.random.default_rng(seed).random((combinations, n)) < rate).astype(float)


def indifferent(combinations: int, resamples: int) -> tuple[np.ndarray, ...]:
    """Log losses, saturation and features that decide nothing."""
    return np.zeros((combinations, resamples)), np.zeros(combinations, bool), np.zeros(combinations)


def resampled(right: np.ndarray, resamples: int, seed: int) -> tuple[np.ndarray, ...]:
    n = right.shape[1]
    weights = np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), resamples).T
    left = weights == 0
    return right @ weights / n, right @ left / left.sum(axis=0), *indifferent(len(right), resamples)


def test_correction_equals_the_published_algorithm_written_out() -> None:
    """Tsamardinos et al. 2018, algorithm 5: resample rows, pick on them, score on the rest."""
    right = hits(12, 80, seed=1, rate=0.7)
    rng = np.random.default_rng(4)
    inside, outside, losses = np.empty((12, 60)), np.empty((12, 60)), []
    for draw in range(60):
        rows = rng.integers(80, size=80)
        rest = np.setdiff1d(np.arange(80), rows)
        inside[:, draw], outside[:, draw] = right[:, rows].mean(axis=1), right[:, rest].mean(axis=1)
        losses.append(right[int(np.argmax(right[:, rows].mean(axis=1)))][rest].mean())
    found = correct_for_selection(inside, outside, *indifferent(12, 60))
    assert found.value == pytest.approx(np.mean(losses))
    assert (found.low, found.high) == pytest.approx(tuple(np.quantile(losses, [0.025, 0.975])))


def test_the_best_of_many_useless_ones_looks_good_until_it_is_corrected() -> None:
    best, honest = [], []
    for seed in range(40):
        right = hits(50, 100, seed)
        best.append(right.mean(axis=1).max())
        honest.append(correct_for_selection(*resampled(right, 200, seed)).value)
    assert np.mean(best) > 0.59
    assert np.mean(honest) == pytest.approx(0.5, abs=0.02)


def test_a_winner_that_is_far_ahead_needs_no_correction() -> None:
    right = np.vstack([hits(20, 400, 0, rate=0.6), hits(1, 400, 1, rate=0.95)])
    found = correct_for_selection(*resampled(right, 300, 2))
    assert found.value == pytest.approx(right[-1].mean(), abs=0.005)
    assert found.low < right[-1].mean() < found.high


def test_what_is_not_defined_is_neither_picked_nor_counted() -> None:
    inside = np.array([[np.nan, 0.9, 0.9], [0.8, 0.8, 0.8]])
    outside = np.array([[1.0, 0.7, np.nan], [0.6, 0.5, 0.4]])
    corrected = correct_for_selection(inside, outside, *indifferent(2, 3))
    assert (corrected.value, corrected.dropped) == (pytest.approx((0.6 + 0.7) / 2), 1)
    assert np.isnan(correct_for_selection(inside, np.full((2, 3), np.nan), *indifferent(2, 3)).value)


def test_each_resample_orders_equals_by_the_whole_rule() -> None:
    """Written out with min(): higher value, not saturated, lower log loss, fewer features, first given."""
    rng = np.random.default_rng(2)
    inside, losses = rng.integers(0, 3, (6, 200)) / 3, rng.integers(0, 2, (6, 200)) / 7
    features, outside = np.array([9.0, 3, 3, 9, 1, 1]), rng.random((6, 200))
    saturated = np.array([False, False, False, False, False, True])
    picked = [
        min(range(6), key=lambda one: (-inside[one, draw], saturated[one], losses[one, draw], features[one], one))
        for draw in range(200)
    ]
    corrected = correct_for_selection(inside, outside, losses, saturated, features)
    assert corrected.value == pytest.approx(outside[picked, np.arange(200)].mean())
    for draw in range(20):
        assert order(inside[:, draw], losses[:, draw], saturated, features)[0] == picked[draw]
    assert tied(np.array([0.9, 0.9 - 1e-16, 0.8, np.nan])) == 2


def test_saturated_is_surer_than_so_many_images_can_make_it() -> None:
    sure = np.tile([1e-9, 1 - 1e-9], (1, 300, 1))
    assert is_saturated(sure)
    assert not is_saturated(np.tile([0.01, 0.99], (1, 300, 1)))
    few = np.where(np.arange(300)[:, None] < 100, sure[0], [0.2, 0.8])
    assert not is_saturated(few[None])


def test_agreement_follows_from_spearmans_correlations() -> None:
    """Without equals, W = (mean correlation of pairs * (m - 1) + 1) / m (Kendall and Babington Smith 1939)."""
    values = np.random.default_rng(3).normal(size=(4, 9)) + np.arange(9) / 3
    pairs = spearmanr(values, axis=1).statistic[np.triu_indices(4, 1)]
    assert agreement(values) == pytest.approx((pairs.mean() * 3 + 1) / 4)


def test_agreement_with_equals_follows_from_friedmans_statistic() -> None:
    values = np.random.default_rng(5).integers(0, 4, (5, 8)).astype(float)
    assert agreement(values) == pytest.approx(friedmanchisquare(*values.T).statistic / (5 * 7))


def test_agreement_at_its_limits() -> None:
    same = np.tile([3.0, 1, 2], (4, 1))
    assert agreement(same) == pytest.approx(1)
    assert agreement(np.array([[1.0, 2, 3], [3, 2, 1]])) == pytest.approx(0)
    assert np.isnan(agreement(same[:1]))
    assert np.isnan(agreement(np.ones((3, 4))))

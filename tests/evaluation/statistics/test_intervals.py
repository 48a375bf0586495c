from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest, norm, t

from leukobench.evaluation.statistics import intervals


@settings(max_examples=40, deadline=None)
@given(images=st.integers(1, 400), share=st.floats(0, 1))
def test_exact_equals_scipys_clopper_pearson(images: int, share: float) -> None:
    hits = round(share * images)
    expected = binomtest(hits, images).proportion_ci(method="exact")
    low, high = intervals.exact(np.array(hits), np.array(images))
    assert (float(low), float(high)) == pytest.approx((expected.low, expected.high), abs=1e-9)


def test_no_error_in_3256_images_leaves_room_for_four() -> None:
    ones = np.ones((3256, 1))
    low, high = intervals.rates(ones, ones)
    assert low[0] == pytest.approx(0.025 ** (1 / 3256))
    assert high[0] == 1


def test_images_that_are_their_own_groups_are_worth_themselves() -> None:
    hits = np.array([[1.0]] * 90 + [[0.0]] * 10)
    assert intervals.effective_images(hits, np.ones((100, 1)))[0] == pytest.approx(100)


@pytest.mark.parametrize("wrong", [0, 1, 4])
def test_groups_that_are_all_right_or_all_wrong_are_worth_one_image_each(wrong: int) -> None:
    images = np.full((20, 1), 50.0)
    hits = images.copy()
    hits[:wrong] = 0
    assert intervals.effective_images(hits, images)[0] == pytest.approx(20, rel=0.06)


def test_errors_spread_evenly_over_many_groups_are_worth_most_of_their_images() -> None:
    rng = np.random.default_rng(0)
    images = np.full((400, 1), 10.0)
    worth = intervals.effective_images(rng.binomial(10, 0.8, (400, 1)).astype(float), images)[0]
    assert 3200 < worth <= 4000


def test_one_more_error_never_makes_a_lower_limit_jump_up() -> None:
    images = np.full((10, 1), 300.0)
    lows = []
    for errors in range(5):
        hits = images.copy()
        hits[:errors] -= 1
        lows.append(intervals.rates(hits, images)[0][0])
    assert lows[0] == pytest.approx(0.025**0.1)
    assert max(np.diff(lows)) < 0.15
    assert lows[4] < 0.97


def test_a_rate_without_images_has_no_limits() -> None:
    low, high = intervals.rates(np.zeros((5, 1)), np.zeros((5, 1)))
    assert np.isnan(low[0])
    assert np.isnan(high[0])


def test_one_group_says_next_to_nothing() -> None:
    low, high = intervals.rates(np.array([[90.0]]), np.array([[100.0]]))
    assert low[0] < 0.15
    assert high[0] == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize("groups", [5, 10, 50])
def test_expanded_percentiles_of_means_are_students_interval(groups: int) -> None:
    sample = np.random.default_rng(groups).normal(0, 1, groups)
    resampled = np.random.default_rng(1).normal(sample.mean(), sample.std(ddof=0) / np.sqrt(groups), 400_000)
    low, high = intervals.percentile(resampled[:, None], groups)
    half = t.ppf(0.975, groups - 1) * sample.std(ddof=1) / np.sqrt(groups)
    assert (low[0], high[0]) == pytest.approx((sample.mean() - half, sample.mean() + half), abs=0.03 * half)


@pytest.mark.parametrize("groups", [3, 10, 50])
def test_stretched_percentiles_of_means_are_students_interval(groups: int) -> None:
    sample = np.random.default_rng(groups).normal(0, 1, groups)
    resampled = np.random.default_rng(1).normal(sample.mean(), sample.std(ddof=0) / np.sqrt(groups), 400_000)
    low, high = intervals.stretched(np.asarray(sample.mean()), resampled, groups, groups - 1)
    half = t.ppf(0.975, groups - 1) * sample.std(ddof=1) / np.sqrt(groups)
    assert (float(low), float(high)) == pytest.approx((sample.mean() - half, sample.mean() + half), abs=0.03 * half)


def test_without_degrees_of_freedom_nothing_is_stretched() -> None:
    for groups, degrees in ((1, 0), (2, 0)):
        assert np.isnan(intervals.stretched(np.asarray(0.5), np.linspace(0, 1, 9), groups, degrees)).all()


def test_nearer_takes_the_narrower_limit_on_each_side() -> None:
    nan = np.nan
    first = np.array([0.4, 0.6, nan]), np.array([0.7, 0.8, nan])
    second = np.array([0.3, nan, nan]), np.array([0.6, nan, nan])
    low, high = intervals.nearer(np.array([0.5, 0.7, nan]), first, second)
    assert low[:2].tolist() == [0.4, 0.6]
    assert high[:2].tolist() == [0.6, 0.8]
    assert np.isnan([low[2], high[2]]).all()


def test_percentiles_leave_out_what_is_not_defined() -> None:
    values = np.column_stack([np.arange(1000.0), np.full(1000, np.nan)])
    values[::2, 0] = np.nan
    low, high = intervals.percentile(values, 10_000)
    assert (low[0], high[0]) == pytest.approx((25, 974), abs=3)
    assert np.isnan(low[1])
    assert np.isnan(high[1])


def test_combined_walds_limits_are_walds_limits_of_the_mean() -> None:
    rates, half = np.array([0.7, 0.8, 0.9]), np.array([0.05, 0.04, 0.03])
    low, high = intervals.combine(np.array(0.8), 0.8 - half / 3, 0.8 + half / 3)
    expected = np.sqrt(np.square(half).sum()) / 3
    assert (float(low), float(high)) == pytest.approx((rates.mean() - expected, rates.mean() + expected))


@settings(max_examples=40, deadline=None)
@given(value=st.floats(0.05, 1.0), ones=st.integers(3, 500), zeros=st.integers(3, 500))
def test_limits_of_an_area_solve_newcombes_equation(value: float, ones: int, zeros: int) -> None:
    """Both limits are 1.96 of their own standard errors (Hanley and McNeil 1982, sizes averaged) from the value."""
    low, high = intervals.area(np.array([value]), np.array([float(ones)]), np.array([float(zeros)]))
    for limit in (float(low[0]), float(high[0])):
        if limit in (0.0, 1.0):
            assert limit == pytest.approx(value)
            continue
        q1, q2 = limit / (2 - limit), 2 * limit**2 / (1 + limit)
        others = (ones + zeros) / 2 - 1
        variance = (limit * (1 - limit) + others * (q1 - limit**2 + q2 - limit**2)) / (ones * zeros)
        assert abs(limit - value) == pytest.approx(norm.ppf(0.975) * np.sqrt(variance), abs=1e-6)
    assert low[0] < value
    assert high[0] >= value - 1e-12


def test_farther_takes_the_wider_limit_on_each_side() -> None:
    nan = np.nan
    first = np.array([0.4, 0.6, 0.1]), np.array([0.7, 0.7, 0.2])
    second = np.array([0.3, nan, 0.1]), np.array([0.6, 0.8, 0.2])
    low, high = intervals.farther(np.array([0.5, 0.5, nan]), first, second)
    assert low[:2].tolist() == [0.3, 0.5]
    assert high[:2].tolist() == [0.7, 0.8]
    assert np.isnan(low[2])
    assert np.isnan(high[2])

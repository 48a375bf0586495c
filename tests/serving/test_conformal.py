from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leukobench.serving.conformal import ConformalScores, prediction_sets


def split_conformal(scores: np.ndarray, level: float) -> float:
    """The textbook's threshold: the ceil((n + 1) level)-th smallest score."""
    place = math.ceil(round((len(scores) + 1) * level, 9))
    return float(np.sort(scores)[place - 1]) if place <= len(scores) else math.inf


@settings(max_examples=80, deadline=None)
@given(n=st.integers(1, 60), level=st.sampled_from([0.5, 0.8, 0.9, 0.95, 0.99]), seed=st.integers(0, 1000))
def test_single_images_as_groups_give_split_conformal_prediction(n: int, level: float, seed: int) -> None:
    scores = np.random.default_rng(seed).random(n)
    conformal = ConformalScores(scores, np.zeros(n, int), np.arange(n), 2)  # one class has no image
    assert conformal.thresholds(level) == pytest.approx([split_conformal(scores, level)] * 2)


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 1000))
def test_rows_in_another_order_and_groups_with_other_numbers_change_nothing(seed: int) -> None:
    rng = np.random.default_rng(seed)
    scores, labels, groups = rng.random(200), rng.integers(0, 2, 200), rng.integers(0, 60, 200)
    order = rng.permutation(200)
    expected = ConformalScores(scores, labels, groups, 2).thresholds(0.8)
    thresholds = ConformalScores(scores[order], labels[order], 1000 - groups[order], 2).thresholds(0.8)
    assert np.array_equal(thresholds, expected)


def test_a_group_weighs_the_same_however_many_images_it_has() -> None:
    scores, groups = np.array([0.1, 0.2, 0.3, 0.9]), np.array([0, 1, 2, 3])
    many = np.concatenate([scores, np.full(500, 0.1)]), np.concatenate([groups, np.zeros(500, int)])
    one = ConformalScores(scores, np.zeros(4, int), groups, 1).thresholds(0.6)
    assert ConformalScores(many[0], np.zeros(504, int), many[1], 1).thresholds(0.6) == pytest.approx(one)


def test_classes_have_thresholds_of_their_own_where_groups_are_enough() -> None:
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1], 100)
    scores = np.where(labels, 0.5, 0.0) + 0.1 * rng.random(200)
    conformal = ConformalScores(scores, labels, np.arange(200), 2)
    assert conformal.by_class(0.9)
    assert not conformal.by_class(0.99)
    low, high = conformal.thresholds(0.9)
    assert low == pytest.approx(split_conformal(scores[:100], 0.9))
    assert high == pytest.approx(split_conformal(scores[100:], 0.9))


def test_sets_are_never_empty_and_hold_the_most_probable_class() -> None:
    probabilities = np.array([[0.4, 0.35, 0.25], [0.98, 0.01, 0.01]])
    assert prediction_sets(probabilities, np.full(3, -1.0)).tolist() == [[True, False, False]] * 2
    assert prediction_sets(probabilities, np.full(3, np.inf)).all()
    assert prediction_sets(probabilities, np.full(3, 0.66)).tolist() == [[True, True, False], [True, False, False]]


@pytest.mark.parametrize("level", [0.0, 1.0, -1.0, 2.0, float("nan")])
def test_impossible_levels_are_refused(level: float) -> None:
    with pytest.raises(ValueError, match="level"):
        ConformalScores(np.ones(1), np.zeros(1, int), np.zeros(1, int), 1).thresholds(level)

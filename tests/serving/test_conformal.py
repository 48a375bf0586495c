from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leukobench.serving.conformal import LEVELS, Calibration, coverage, sets


def split_conformal(scores: np.ndarray, level: float) -> float:
    """The textbook's threshold: the ceil((n + 1) level)-th smallest score."""
    place = math.ceil(round((len(scores) + 1) * level, 9))
    return float(np.sort(scores)[place - 1]) if place <= len(scores) else math.inf


@settings(max_examples=80, deadline=None)
@given(n=st.integers(1, 60), level=st.sampled_from([0.5, 0.8, 0.9, 0.95, 0.99]), seed=st.integers(0, 1000))
def test_single_images_as_groups_give_split_conformal_prediction(n: int, level: float, seed: int) -> None:
    scores = np.random.default_rng(seed).random(n)
    found = Calibration(scores, np.zeros(n, int), np.arange(n), 2)  # one class has no image: one threshold for both
    assert found.thresholds(level) == pytest.approx([split_conformal(scores, level)] * 2)


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 1000))
def test_rows_in_another_order_and_groups_with_other_numbers_change_nothing(seed: int) -> None:
    rng = np.random.default_rng(seed)
    scores, labels, groups = rng.random(200), rng.integers(0, 2, 200), rng.integers(0, 60, 200)
    order = rng.permutation(200)
    expected = Calibration(scores, labels, groups, 2).thresholds(0.8)
    found = Calibration(scores[order], labels[order], 1000 - groups[order], 2).thresholds(0.8)
    assert np.array_equal(found, expected)


def test_a_group_weighs_the_same_however_many_images_it_has() -> None:
    scores, groups = np.array([0.1, 0.2, 0.3, 0.9]), np.array([0, 1, 2, 3])
    many = np.concatenate([scores, np.full(500, 0.1)]), np.concatenate([groups, np.zeros(500, int)])
    one = Calibration(scores, np.zeros(4, int), groups, 1).thresholds(0.6)
    assert Calibration(many[0], np.zeros(504, int), many[1], 1).thresholds(0.6) == pytest.approx(one)


def test_classes_have_thresholds_of_their_own_where_groups_are_enough() -> None:
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1], 100)
    scores = np.where(labels, 0.5, 0.0) + 0.1 * rng.random(200)
    found = Calibration(scores, labels, np.arange(200), 2)
    assert found.by_class(0.9)
    assert not found.by_class(0.99)
    low, high = found.thresholds(0.9)
    assert low == pytest.approx(split_conformal(scores[:100], 0.9))
    assert high == pytest.approx(split_conformal(scores[100:], 0.9))


def drawn(rng: np.random.Generator, groups: int, images: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Probabilities of 3 classes whose quality is that of the patient: images of one patient go wrong together."""
    quality = np.repeat(rng.normal(1.5, 1.5, groups), images)
    labels = np.repeat(rng.integers(0, 3, groups), images)
    logits = rng.normal(size=(groups * images, 3))
    logits[np.arange(len(labels)), labels] += quality
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return probabilities, labels, np.repeat(np.arange(groups), images)


@pytest.mark.parametrize("level", [0.8, 0.9])
def test_images_of_new_patients_are_covered_where_images_as_their_own_groups_would_fall_short(level: float) -> None:
    rng, by_group, by_image = np.random.default_rng(1), [], []
    for _ in range(300):
        probabilities, labels, groups = drawn(rng, 25, 20)
        known, new = groups < 24, groups == 24
        for found, numbers in ((by_group, groups), (by_image, np.arange(len(groups)))):
            calibration = Calibration.of(probabilities[known], labels[known], numbers[known])
            scores = 1 - probabilities[new, labels[new]]
            found.append(float((scores <= calibration.thresholds(level)[labels[new]]).mean()))
    spread = np.std(by_group) / np.sqrt(len(by_group))
    assert np.mean(by_group) > level - 2 * spread
    assert np.mean(by_group) > np.mean(by_image)


def test_the_check_covers_what_it_says_and_leaks_nothing() -> None:
    rng = np.random.default_rng(2)
    probabilities, labels, groups = drawn(rng, 400, 3)
    rows = coverage(probabilities, labels, groups, groups % 5)
    assert [row["level"] for row in rows] == list(LEVELS)
    for row in rows:
        assert row["by_group"] > row["level"] - 0.03
        assert len(row["by_class"]) == 3
        assert 1 <= row["size"] <= 3
    assert np.all(np.diff([row["size"] for row in rows]) >= 0)


def test_the_check_of_a_fold_does_not_see_its_own_scores() -> None:
    """A fold that is always wrong, among others that are sure: only thresholds from itself would cover it."""
    labels, folds = np.zeros(300, dtype=int), np.repeat([0, 1, 2], 100)
    probabilities = np.where((folds == 0)[:, None], [[0.1, 0.9]], [[0.99, 0.01]])
    (row,) = coverage(probabilities, labels, np.arange(300), folds, [0.9])
    assert row["coverage"] == pytest.approx(2 / 3)


def test_sets_are_never_empty_and_hold_the_most_probable_class() -> None:
    probabilities = np.array([[0.4, 0.35, 0.25], [0.98, 0.01, 0.01]])
    assert sets(probabilities, np.full(3, -1.0)).tolist() == [[True, False, False]] * 2
    assert sets(probabilities, np.full(3, np.inf)).all()
    assert sets(probabilities, np.full(3, 0.66)).tolist() == [[True, True, False], [True, False, False]]


@pytest.mark.parametrize("level", [0.0, 1.0, -1.0, 2.0, float("nan")])
def test_impossible_levels_are_refused(level: float) -> None:
    with pytest.raises(ValueError, match="level"):
        Calibration(np.ones(1), np.zeros(1, int), np.zeros(1, int), 1).thresholds(level)

"""Paired drops against plain NumPy and scikit-learn; verdicts by intervals; how many images would decide."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, balanced_accuracy_score, roc_auc_score

from leukobench.evaluation.metrics import AUROC, BALANCED_ACCURACY, metric_of
from leukobench.evaluation.statistics.drops import Drop, PairedScores, right_where_wrong

RNG = np.random.default_rng(0)
LABELS = np.arange(300) % 3
GROUPS = np.arange(300) // 2
FOLDS = np.arange(300) // 2 % 5
CLASSES = ("a", "b", "c")


def predictions(seed: int, right: float) -> np.ndarray:
    rng = np.random.default_rng(seed)
    probabilities = rng.dirichlet([1, 1, 1], 300)
    probabilities[rng.random(300) < right, :] *= 0.1
    hit = probabilities.sum(axis=1) < 0.5
    probabilities[hit, LABELS[hit]] += 0.9
    return probabilities / probabilities.sum(axis=1, keepdims=True)


def paired(metric: str = BALANCED_ACCURACY.name, resamples: int = 2000) -> PairedScores:
    return PairedScores(LABELS, CLASSES, GROUPS, FOLDS, metric_of(metric), resamples, 0)


def test_drop_and_error_are_those_of_a_bootstrap_over_groups() -> None:
    one, other = predictions(1, 0.9), predictions(2, 0.8)
    scores = paired()
    drop = scores.drop(scores.scores(one), scores.scores(other))
    top = one.argmax(axis=1), other.argmax(axis=1)
    assert drop.value == pytest.approx(balanced_accuracy_score(LABELS, top[1]))
    assert drop.drop == pytest.approx(balanced_accuracy_score(LABELS, top[0]) - drop.value)
    gaps = []
    for _ in range(2000):
        drawn = np.bincount(RNG.integers(0, 150, 150), minlength=150)[GROUPS]
        shares = [np.bincount(LABELS, drawn * (one == LABELS), 3) / np.bincount(LABELS, drawn, 3) for one in top]
        gaps.append(shares[0].mean() - shares[1].mean())
    one_more = 1 / 300  # an image of a class of 100, in the mean over three classes
    assert drop.error == pytest.approx(math.hypot(np.std(gaps), one_more), rel=0.06)
    assert (drop.low + drop.high) / 2 == pytest.approx(drop.drop)


def test_areas_are_means_over_folds_and_classes() -> None:
    one = predictions(1, 0.5)
    expected = [
        np.mean([roc_auc_score(LABELS[f == FOLDS] == c, one[f == FOLDS, c]) for f in range(5)]) for c in range(3)
    ]
    assert paired(AUROC.name, 100).scores(one)[0] == pytest.approx(np.mean(expected))


def test_equal_predictions_have_an_interval_of_one_image() -> None:
    one = predictions(1, 0.9)
    scores = paired()
    drop = scores.drop(scores.scores(one), scores.scores(one))
    assert drop.drop == 0
    assert drop.error == pytest.approx(1 / 300)


def test_the_margin_is_a_share_of_the_way_from_guessing() -> None:
    scores = paired()
    one = predictions(1, 0.9)
    value = balanced_accuracy_score(LABELS, one.argmax(axis=1))
    assert scores.margin(scores.scores(one), 0.1) == pytest.approx(0.1 * (value - 1 / 3))
    accuracy = paired("accuracy")
    share = accuracy_score(LABELS, one.argmax(axis=1)) - 1 / 3
    assert accuracy.margin(accuracy.scores(one), 0.2) == pytest.approx(0.2 * share)
    assert scores.margin(scores.scores(np.random.default_rng(3).dirichlet([1, 1, 1], 300)), 0.1) is None


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [(0.06, 0.2, "needed"), (-0.01, 0.04, "not needed"), (0.04, 0.2, "undecided"), (-0.1, 0.05, "undecided")],
)
def test_verdicts_go_by_the_interval(low: float, high: float, verdict: str) -> None:
    assert Drop(0.9, (low + high) / 2, low, high, 0.02).verdict(0.05) == verdict
    assert Drop(0.9, math.nan, math.nan, math.nan, math.nan).verdict(0.05) == "undecided"


def test_so_many_images_decide_four_times_of_five() -> None:
    drop = Drop(0.9, 0.02, -0.02, 0.06, 0.02)
    count = drop.images_to_decide(0.05, 500)
    assert count is not None
    error = 0.02 * math.sqrt(500 / count)
    draws = np.random.default_rng(0).normal(0.02, error, 20_000)
    assert (draws + 1.96 * error < 0.05).mean() == pytest.approx(0.8, abs=0.02)
    assert drop.images_to_decide(0.0200001, 500) is None


def test_where_another_is_wrong_the_rate_is_of_independent_groups() -> None:
    right, other = np.arange(100) % 10 != 0, np.arange(100) >= 40
    alone = right_where_wrong(np.arange(100), right, other)
    assert (alone.images, alone.right) == (40, 0.9)
    together = right_where_wrong(np.arange(100) // 10, right, other)
    assert together.low < alone.low < 0.9 < alone.high < together.high
    assert right_where_wrong(np.arange(100), right, np.ones(100, bool)).images == 0

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leukobench.evaluation.metric import mean_of_defined
from leukobench.evaluation.metrics import CALIBRATION_BINS, calibration_bins
from leukobench.evaluation.scorer import Scorer


def drawn(seed: int, classes: int, n: int = 80) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    labels = np.concatenate([np.arange(classes), rng.integers(0, classes, n)])
    probabilities = rng.dirichlet(np.ones(classes), len(labels))
    probabilities[np.arange(len(labels)), labels] += 0.3
    return labels, probabilities / probabilities.sum(axis=1, keepdims=True)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), classes=st.integers(2, 5), places=st.integers(1, 9))
def test_pooled_metrics_are_those_of_all_images_whatever_the_places(seed: int, classes: int, places: int) -> None:
    labels, probabilities = drawn(seed, classes)
    where = np.random.default_rng(seed).integers(0, places, len(labels))
    names = tuple(f"c{i}" for i in range(classes))
    scorer = Scorer(names)
    pooled = scorer.pooled_scores(scorer.tally(labels, probabilities, where, places).sum(axis=0))
    expected = {name: value for name, value in scorer.score(labels, probabilities).items() if name != "auroc"}
    assert {name: pooled[name] for name in expected} == pytest.approx(expected, abs=1e-12)


def test_ece_is_the_weighted_gap_between_confidence_and_accuracy() -> None:
    labels, probabilities = drawn(5, 4, 400)
    top, confidence = probabilities.argmax(axis=1), probabilities.max(axis=1)
    gaps = 0.0
    for low, high in zip(np.linspace(0, 1, 16)[:-1], np.linspace(0, 1, 16)[1:], strict=True):
        inside = (confidence > low) & (confidence <= high)
        if inside.any():
            gaps += inside.mean() * abs((top == labels)[inside].mean() - confidence[inside].mean())
    found = Scorer(("a", "b", "c", "d")).score(labels, probabilities)
    assert found["ece"] == pytest.approx(gaps)
    assert gaps > 0.01


def test_bins_are_closed_at_the_right() -> None:
    width = 1 / CALIBRATION_BINS
    confidence = np.array([1e-9, width, width + 1e-9, 0.5, 1.0])
    assert calibration_bins(confidence).tolist() == [0, 0, 1, 7, CALIBRATION_BINS - 1]


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_weights_count_like_repeated_images(seed: int) -> None:
    labels, probabilities = drawn(seed, 3, 30)
    rng = np.random.default_rng(seed)
    groups = rng.integers(0, 8, len(labels))
    weights = rng.integers(1, 4, (8, 5)).astype(float)
    scorer = Scorer(("a", "b", "c"))
    many = scorer.pooled_scores(weights.T @ scorer.tally(labels, probabilities, groups, 8))
    for column in range(5):
        again = np.repeat(np.arange(len(labels)), weights[groups, column].astype(int))
        one = scorer.score(labels[again], probabilities[again])
        del one["auroc"]
        assert {name: many[name][column] for name in one} == pytest.approx(one)


def test_an_absent_class_makes_its_metrics_undefined_not_zero() -> None:
    labels = np.array([0, 0, 1, 1])
    probabilities = np.array([[0.8, 0.1, 0.1], [0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.2, 0.1, 0.7]])
    found = Scorer(("a", "b", "c")).score(labels, probabilities)
    assert {name for name, value in found.items() if np.isnan(value)} == {
        "auroc",
        "balanced_accuracy",
        "f1_macro",
        "sensitivity[c]",
    }


def test_a_log_loss_is_finite_where_the_true_class_has_probability_zero() -> None:
    found = Scorer(("a", "b")).score(np.array([1, 1]), np.array([[1.0, 0.0]] * 2))
    assert found["log_loss"] == pytest.approx(-np.log(1e-15))
    assert np.isnan(found["mcc"])


def test_the_mean_of_what_is_defined() -> None:
    values = np.array([[1.0, np.nan], [3.0, np.nan]])
    found = mean_of_defined(values, axis=0)
    assert found[0] == 2
    assert np.isnan(found[1])

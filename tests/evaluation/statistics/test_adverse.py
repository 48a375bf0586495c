from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import skew

from leukobench.evaluation.metrics import BALANCED_ACCURACY, BRIER, ECE, LOG_LOSS
from leukobench.evaluation.scorer import Scorer
from leukobench.evaluation.statistics.adverse import adverse_groups, exchange
from leukobench.evaluation.statistics.analysis import Analysis

SCORER = Scorer(("a", "b", "c"), [BALANCED_ACCURACY, BRIER, LOG_LOSS, ECE])


def drawn(groups: int, images: int, strength: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Labels, probabilities and groups."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 3, groups * images)
    scores = rng.normal(size=(len(labels), 3))
    scores[np.arange(len(labels)), labels] += strength
    odds = np.exp(2 * scores)
    return labels, odds / odds.sum(axis=1, keepdims=True), np.repeat(np.arange(groups), images)


def adverse(labels: np.ndarray, probabilities: np.ndarray, groups: np.ndarray) -> dict[str, np.ndarray]:
    tally = SCORER.tally(labels, probabilities, groups, groups.max() + 1)
    return adverse_groups(SCORER, labels, probabilities, tally)


def test_exchanged_probabilities_are_wrong_everywhere_and_as_sure() -> None:
    labels, probabilities, _ = drawn(10, 30, 1.0)
    wrong = exchange(labels, probabilities)
    right = probabilities.argmax(axis=1) == labels
    assert right.any()
    assert not right.all()
    assert (wrong.argmax(axis=1) != labels).all()
    assert (np.sort(wrong, axis=1) == np.sort(probabilities, axis=1)).all()
    assert (wrong[~right] == probabilities[~right]).all()
    second = np.sort(probabilities[right], axis=1)[:, 1]
    assert (wrong[right, labels[right]] == second).all()


def test_without_an_error_the_adverse_group_is_all_wrong() -> None:
    labels, probabilities, groups = drawn(12, 20, 30.0)
    sums = adverse(labels, probabilities, groups)["brier"]
    assert SCORER.counts(sums).sum() == pytest.approx(20)
    assert np.trace(SCORER.counts(sums)) == 0
    expected = np.square(exchange(labels, probabilities) - np.eye(3)[labels]).sum(axis=1).mean()
    assert SCORER.value(BRIER, sums) == pytest.approx(expected)


def test_with_many_errors_it_moves_a_mean_as_skewness_asks() -> None:
    """Groups worse than the mean, weighed by the square of their excess, beside one that is all wrong."""
    labels, probabilities, groups = drawn(60, 1, 0.5)
    losses = np.square(probabilities - np.eye(3)[labels]).sum(axis=1)
    excess = np.maximum(losses - losses.mean(), 0) ** 2
    errors = int((probabilities.argmax(axis=1) != labels).sum())
    all_wrong = np.square(exchange(labels, probabilities) - np.eye(3)[labels]).sum(axis=1).mean()
    expected = (errors * (excess @ losses) / excess.sum() + all_wrong) / (errors + 1)
    assert SCORER.value(BRIER, adverse(labels, probabilities, groups)["brier"]) == pytest.approx(expected)
    assert errors > 10
    assert expected - losses.mean() > skew(losses) * losses.std()  # third by second moment, at least


def test_for_several_classes_it_is_of_the_class_that_costs_most() -> None:
    labels = np.repeat([0, 1, 2], [60, 36, 4])
    probabilities = np.eye(3)[labels] * 0.9 + 0.05
    counts = SCORER.counts(adverse(labels, probabilities, np.arange(100))["balanced_accuracy"])
    assert counts.sum(axis=1) == pytest.approx([0, 0, 1])
    assert counts[2, 2] == 0


def test_where_all_is_right_and_sure_every_interval_has_a_width() -> None:
    labels = np.arange(400) % 2
    analysis = Analysis(labels, ("a", "b"), np.arange(400), np.arange(400) // 2 % 2, "accuracy", resamples=1000)
    analysis.add(("net", "none", "svm"), "combination", np.eye(2)[labels][None])
    row = analysis.tables()["leaderboard"].iloc[0]
    # one image more is drawn three times in 2.5 % of the resamples (Poisson): its Brier score is 2, its gap 1
    assert (row["brier"], row["brier_low"]) == (0, 0)
    assert row["brier_high"] == pytest.approx(3 * 2 / 403, rel=0.01)
    assert row["ece_high"] == pytest.approx(3 / 403, rel=0.01)
    assert row["log_loss_high"] == pytest.approx(3 * -np.log(1e-15) / 403, rel=0.01)
    assert 1 - row["balanced_accuracy_low"] == pytest.approx(3 / 2 / 203, rel=0.1)  # classes vary in size


def test_an_interval_of_one_group_is_not_stated() -> None:
    labels, probabilities, _ = drawn(1, 40, 1.0)
    analysis = Analysis(labels, ("a", "b", "c"), np.zeros(40, np.int64), np.arange(40) % 2, "accuracy", resamples=50)
    analysis.add(("net", "none", "svm"), "combination", probabilities[None])
    row = analysis.tables()["leaderboard"].iloc[0]
    for name in ("brier", "log_loss", "ece"):
        assert row[name] > 0
        assert row[[f"{name}_low", f"{name}_high"]].isna().all()
    assert not np.isnan(row["accuracy_low"])

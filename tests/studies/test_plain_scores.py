"""The metrics that were written a second time, against scikit-learn."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn import metrics

from leukobench.studies import plain_scores

CLASSES = ("a", "b", "c")


def drawn(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Labels and probabilities with ties."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(3, size=60)
    return labels, rng.dirichlet(np.ones(3) + np.eye(3)[labels].sum() / 60, 60).round(2)


@pytest.mark.parametrize("seed", range(3))
def test_metrics_are_those_of_scikit_learn(seed: int) -> None:
    labels, probabilities = drawn(seed)
    predicted = probabilities.argmax(axis=1)
    values = plain_scores.scores(labels, probabilities, CLASSES)
    expected = {
        "accuracy": metrics.accuracy_score(labels, predicted),
        "balanced_accuracy": metrics.balanced_accuracy_score(labels, predicted),
        "f1_macro": metrics.f1_score(labels, predicted, average="macro"),
        "f1_weighted": metrics.f1_score(labels, predicted, average="weighted"),
        "mcc": metrics.matthews_corrcoef(labels, predicted),
    }
    assert {name: values[name] for name in expected} == pytest.approx(expected, abs=1e-12)
    assert values["sensitivity[b]"] == pytest.approx(metrics.recall_score(labels == 1, predicted == 1))
    assert values["specificity[b]"] == pytest.approx(metrics.recall_score(labels != 1, predicted != 1))
    areas = [metrics.roc_auc_score(labels == k, probabilities[:, k]) for k in range(3)]
    assert plain_scores.areas(labels, probabilities) == pytest.approx(areas)
    brier = np.mean([((np.eye(3)[label] - row) ** 2).sum() for label, row in zip(labels, probabilities, strict=True)])
    assert values["brier"] == pytest.approx(brier)


def test_what_a_fold_lacks_is_undefined() -> None:
    labels, probabilities = np.zeros(4, dtype=np.int64), np.tile([0.5, 0.3, 0.2], (4, 1))
    values = plain_scores.scores(labels, probabilities, CLASSES)
    assert all(math.isnan(values[name]) for name in ("balanced_accuracy", "f1_macro", "mcc", "sensitivity[b]"))
    assert values["accuracy"] == 1
    assert values["ece"] == pytest.approx(0.5)
    assert values["log_loss"] == pytest.approx(math.log(2))
    assert all(math.isnan(area) for area in plain_scores.areas(labels, probabilities))


def test_areas_are_means_over_folds() -> None:
    labels, probabilities = drawn(5)
    folds = np.arange(60) % 2
    each = [plain_scores.areas(labels[folds == one], probabilities[folds == one]) for one in (0, 1)]
    whole = plain_scores.overall(labels, probabilities, folds, CLASSES)
    assert whole["auroc"] == pytest.approx(np.mean(each))
    by_fold = plain_scores.by_fold(labels, probabilities, folds, CLASSES)
    assert by_fold[1]["auroc"] == pytest.approx(np.mean(each[1]))

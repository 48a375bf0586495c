"""Images that lack a class are scored on those that they have, as scikit-learn scores them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.metrics import matthews_corrcoef, recall_score, roc_auc_score

from leukobench.evaluation.statistics.analysis import Analysis

CLASSES = ("a", "b", "c", "d")


def scored(labels: Any, groups: Any, probabilities: Any, rank_by: str = "balanced_accuracy") -> Any:
    once, patients = np.zeros((1, len(labels)), dtype=np.int64), [f"P{group}" for group in groups]
    analysis = Analysis(labels, CLASSES, groups, once, rank_by, 0, 200, patients)
    analysis.add(("e", "s", "c"), "combination", probabilities[None])
    return analysis.tables()["leaderboard"].iloc[0]


def example(classes: list[int]) -> tuple[Any, Any, Any]:
    rng = np.random.default_rng(0)
    labels, groups = np.repeat(classes, 60), np.repeat(np.arange(12 * len(classes)), 5)
    probabilities = rng.dirichlet([1, 1, 1, 1], len(labels))
    probabilities[np.arange(len(labels)), labels] += 0.5
    return labels, groups, probabilities / probabilities.sum(axis=1, keepdims=True)


def test_means_go_over_the_classes_that_there_are() -> None:
    labels, groups, probabilities = example([0, 2])
    row, predicted = scored(labels, groups, probabilities), probabilities.argmax(axis=1)
    recalls = recall_score(labels, predicted, labels=[0, 2], average=None)
    areas = [roc_auc_score(labels == k, probabilities[:, k]) for k in (0, 2)]
    assert (predicted % 2 == 1).any()  # taken for a class that is absent: wrong
    assert row["balanced_accuracy"] == pytest.approx(recalls.mean(), abs=1e-12)
    assert row["auroc"] == pytest.approx(np.mean(areas), abs=1e-12)
    assert row["mcc"] == pytest.approx(matthews_corrcoef(labels, predicted), abs=1e-12)
    assert 0 < row["patient_balanced_accuracy"] <= 1
    for name in ("balanced_accuracy", "auroc", "patient_auroc", "mcc"):
        assert row[f"{name}_low"] < row[name] <= row[f"{name}_high"]
    assert np.isnan(row["f1_macro"])
    assert np.isnan(row["sensitivity[b]"])


def test_one_class_alone_has_a_sensitivity_and_no_area() -> None:
    labels, groups, probabilities = example([3])
    row = scored(labels, groups, probabilities, "accuracy")
    right = (probabilities.argmax(axis=1) == 3).mean()
    assert row["accuracy"] == row["balanced_accuracy"] == row["sensitivity[d]"] == pytest.approx(right)
    assert np.isnan(row["auroc"])
    assert np.isnan(row["auroc_high"])

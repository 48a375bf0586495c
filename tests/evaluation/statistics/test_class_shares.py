"""Other shares of the classes: the metrics that scikit-learn gives where images have weights."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, balanced_accuracy_score, log_loss, matthews_corrcoef, roc_auc_score

from leukobench.evaluation.statistics.class_shares import PredictedImages, effect_of_shares

COUNTS = np.array([300, 20, 40])


@pytest.fixture(scope="module")
def images() -> Any:
    rng = np.random.default_rng(3)
    labels = np.repeat([0, 1, 2], [60, 90, 50])
    probabilities = rng.dirichlet([1, 1, 1], len(labels))
    probabilities[np.arange(len(labels)), labels] += 0.4 + 0.3 * (labels == 0)
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    return PredictedImages(labels, ("a", "b", "c"), probabilities, np.arange(len(labels)) // 4, np.arange(200) % 2)


def test_scores_are_those_of_weighted_images(images: Any) -> None:
    effects = {one.metric: one for one in effect_of_shares(images, COUNTS, 200)}
    labels, shown = images.labels, images.probabilities
    predicted, own = shown.argmax(axis=1), np.bincount(labels)
    weight = (COUNTS / own)[labels]
    expected = {
        "accuracy": accuracy_score(labels, predicted, sample_weight=weight),
        "balanced_accuracy": balanced_accuracy_score(labels, predicted, sample_weight=weight),
        "mcc": matthews_corrcoef(labels, predicted, sample_weight=weight),
        "log_loss": log_loss(labels, shown, sample_weight=weight),
        "auroc": np.mean(
            [
                [
                    roc_auc_score(labels[rows] == k, shown[rows, k], sample_weight=weight[rows])
                    for rows in (images.folds == 0, images.folds == 1)
                ]
                for k in range(3)
            ]
        ),
    }
    for name, value in expected.items():
        assert effects[name].after == pytest.approx(value, abs=1e-9)
    assert effects["accuracy"].before == pytest.approx(accuracy_score(labels, predicted), abs=1e-12)
    assert effects["balanced_accuracy"].change == pytest.approx(0, abs=1e-12)
    one = effects["accuracy"]
    assert one.change == pytest.approx(one.after - one.before)
    assert one.low < one.change < one.high
    assert one.low > 0  # class 0, which becomes the most frequent, is the easiest


def test_a_class_that_is_absent_elsewhere_is_left_out_before_as_well(images: Any) -> None:
    effects = {one.metric: one for one in effect_of_shares(images, np.array([10, 30, 0]), 50)}
    rows = images.labels < 2
    right = images.probabilities.argmax(axis=1) == images.labels
    assert effects["accuracy"].before == pytest.approx(right[rows].mean())
    shares = [right[images.labels == k].mean() for k in (0, 1)]
    assert effects["accuracy"].after == pytest.approx(0.25 * shares[0] + 0.75 * shares[1])
    assert effects["balanced_accuracy"].after == pytest.approx(np.mean(shares))

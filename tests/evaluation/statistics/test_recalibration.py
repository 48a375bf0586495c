"""Recalibration on a few groups: the likelihood is as high as another optimiser makes it; it learns no nonsense."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax

from leukobench.evaluation.metrics import BALANCED_ACCURACY
from leukobench.evaluation.statistics.recalibration import recalibrate, recalibration_curve


def sharpened(groups: int = 40) -> tuple[Any, Any, Any, Any]:
    """True probabilities, and predicted ones that are too extreme and favour class 0."""
    rng = np.random.default_rng(5)
    codes = np.repeat(np.arange(groups), 6)
    logits = rng.normal(0, 1.2, (len(codes), 3))
    true = softmax(logits, axis=1)
    labels = np.array([rng.choice(3, p=row) for row in true])
    return labels, softmax(3 * logits + [2.0, 0.0, 0.0], axis=1), codes, true


def test_it_is_the_penalised_maximum_of_the_likelihood() -> None:
    labels, probabilities, *_ = sharpened()
    weights = np.full(len(labels), 40 / len(labels))
    own = recalibrate(labels, probabilities, weights)

    def loss(parameters: Any) -> float:
        logits = parameters[0] * np.log(np.maximum(probabilities, 1e-6)) + parameters[1:]
        chosen = log_softmax(logits, axis=1)[np.arange(len(labels)), labels]
        return float(-(weights * chosen).sum() + ((parameters - [1, 0, 0, 0]) ** 2).sum())

    options = {"xatol": 1e-8, "fatol": 1e-10, "maxiter": 5000}
    other = minimize(loss, np.array([1.0, 0, 0, 0]), method="Nelder-Mead", options=options)
    assert own.slope == pytest.approx(other.x[0], abs=1e-3)
    assert own.shift == pytest.approx(other.x[1:], abs=1e-3)
    assert own.slope < 0.6
    assert own(probabilities).sum(axis=1) == pytest.approx(1)


def test_without_evidence_nothing_changes() -> None:
    own = recalibrate(np.array([0, 1]), np.array([[0.7, 0.3], [0.2, 0.8]]), np.zeros(2))
    assert own.slope == pytest.approx(1)
    assert own(np.array([[0.6, 0.4]])) == pytest.approx(np.array([[0.6, 0.4]]))


def test_the_curve_falls_towards_the_loss_of_the_truth_and_says_how_often_it_helps() -> None:
    labels, probabilities, codes, true = sharpened()
    points = recalibration_curve(labels, probabilities, codes, ("a", "b", "c"), [BALANCED_ACCURACY], draws=12)
    loss = [one for one in points if one.metric == "log_loss"]
    assert [one.groups for one in loss] == [3, 6, 12]
    best = -np.log(true[np.arange(len(labels)), labels]).mean()
    assert loss[0].before == pytest.approx(-np.log(probabilities[np.arange(len(labels)), labels]).mean(), rel=0.05)
    assert loss[0].after > loss[1].after > loss[2].after > best - 0.1
    assert loss[2].after < 0.75 * loss[2].before
    assert loss[2].better == 1.0
    assert all(one.low <= one.after <= one.high for one in points)
    balanced = [one for one in points if one.metric == "balanced_accuracy"]
    assert balanced[2].after > balanced[2].before  # class 0 is no longer favoured


def test_too_few_groups_give_no_curve() -> None:
    labels = np.array([0, 1, 2, 0])
    assert not recalibration_curve(labels, np.full((4, 3), 1 / 3), np.arange(4), ("a", "b", "c"), [BALANCED_ACCURACY])

"""How often 95 % intervals hold the truth, by simulation: groups of images whose errors go together."""

from __future__ import annotations

import numpy as np
import pytest

from leukobench.evaluation.metric import FromCounts, Rate
from leukobench.evaluation.metrics import metrics
from leukobench.evaluation.scorer import Scorer
from leukobench.evaluation.statistics.analysis import Analysis

METRICS = ("accuracy", "balanced_accuracy", "f1_macro", "mcc", "sensitivity[a]", "auroc", "brier", "log_loss", "ece")


def covered(groups: int, images: int, rate: float, dependence: float, simulations: int) -> dict[str, float]:
    """Share of simulations in which each interval, and the plain percentile interval of accuracy, holds the truth.

    The rate of each group is drawn from a beta distribution whose intraclass correlation is `dependence`; two classes.
    """
    labels = np.repeat(np.arange(groups) % 2, images)
    codes, folds = np.repeat(np.arange(groups), images), np.repeat(np.arange(groups) // 2 % 2, images)
    counts = np.array([rate, 1 - rate, 1 - rate, rate]) / 2
    scorer = Scorer(("a", "b"), [metric for metric in metrics() if isinstance(metric.source, Rate | FromCounts)])
    truth = {name: float(value) for name, value in scorer.pooled_scores(counts).items()} | {"auroc": rate}
    truth |= {"brier": rate * 0.08 + (1 - rate) * 1.28, "log_loss": -rate * np.log(0.8) - (1 - rate) * np.log(0.2)}
    truth["ece"] = abs(rate - 0.8)
    held = dict.fromkeys((*METRICS, "percentile"), 0)
    for seed in range(simulations):
        rng = np.random.default_rng(seed)
        spread = (1 - dependence) / dependence if dependence else np.inf
        rates = rng.beta(rate * spread, (1 - rate) * spread, groups) if dependence else np.full(groups, rate)
        right = rng.random(len(labels)) < rates[codes]
        top = np.where(right, labels, 1 - labels)
        analysis = Analysis(labels, ("a", "b"), codes, folds, "accuracy", seed=seed, resamples=300)
        analysis.add(("net", "none", "svm"), "combination", np.where(top[:, None] == np.arange(2), 0.8, 0.2)[None])
        entry = next(iter(analysis._entries.values()))
        for name in METRICS:
            _, low, high = entry.metrics[name]
            held[name] += low - 1e-9 <= truth[name] <= high + 1e-9
        low, high = np.quantile(entry.ranking.inside, [0.025, 0.975])
        held["percentile"] += low <= truth["accuracy"] <= high
    return {name: count / simulations for name, count in held.items()}


@pytest.mark.slow
def test_intervals_hold_where_plain_percentiles_do_not() -> None:
    """Two errors expected in 200 images: a plain percentile interval misses the truth whenever there is none."""
    found = covered(200, 1, 0.99, 0.0, simulations=60)
    assert found.pop("percentile") < 0.93
    assert min(found.values()) > 0.9


def test_intervals_hold_with_few_groups_of_images_that_go_together() -> None:
    found = covered(10, 20, 0.9, 0.5, simulations=60)
    assert found.pop("percentile") < 0.9
    assert min(found.values()) > 0.9


@pytest.mark.slow
@pytest.mark.parametrize("shift", [0.0, 0.15])
def test_calibrated_predictions_are_not_said_to_be_uncalibrated(shift: float) -> None:
    """Two classes, the top one right as often as its probability less `shift`: the true ECE is `shift`."""
    held, simulations = 0, 60
    for seed in range(simulations):
        rng = np.random.default_rng(seed)
        top = rng.uniform(0.75, 0.95, 400)
        labels = (rng.random(400) > top - shift).astype(np.int64)
        analysis = Analysis(labels, ("a", "b"), np.arange(400), np.arange(400) % 2, "accuracy", seed, resamples=300)
        analysis.add(("net", "none", "svm"), "combination", np.column_stack([top, 1 - top])[None])
        row = analysis.tables()["leaderboard"].iloc[0]
        held += row["ece_low"] <= shift + 1e-9 <= row["ece_high"] + 1e-9
        assert row["ece"] > 0.01
    assert held / simulations > 0.9


SETTINGS = [
    *((10, 30, 0.9, 0.5), (40, 1, 0.9, 0.0), (1000, 1, 0.998, 0.0)),
    *((10, 30, 0.9, 0.1), (20, 30, 0.7, 0.3), (20, 30, 0.97, 0.3)),
    *((73, 40, 0.9, 0.15), (73, 40, 0.99, 0.15), (200, 1, 0.9, 0.0)),
]


@pytest.mark.parametrize(
    ("groups", "images", "rate", "dependence"),
    [pytest.param(*one, marks=pytest.mark.slow if one in SETTINGS[:2] else pytest.mark.thorough) for one in SETTINGS],
)
def test_coverage_of_intervals(groups: int, images: int, rate: float, dependence: float) -> None:
    found = covered(groups, images, rate, dependence, simulations=400)
    found.pop("percentile")
    assert min(found.values()) >= 0.93  # 95 % less two standard errors of 400 simulations

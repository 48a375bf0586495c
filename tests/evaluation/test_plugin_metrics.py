"""A metric from outside: one entry point, and it is wherever metrics are."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from leukobench.config.experiment import Evaluation
from leukobench.errors import ConfigurationError
from leukobench.evaluation.metrics import metric_of, metrics
from leukobench.evaluation.scorer import Scorer

SOURCE = """
    import numpy as np
    from leukobench.evaluation.metric import FromCounts, FromProbabilities, Metric, ratio

    def kappa(counts):
        total = counts.sum(axis=(-2, -1))
        by_chance = ratio((counts.sum(axis=-1) * counts.sum(axis=-2)).sum(axis=-1), total**2)
        agreed = ratio(np.trace(counts, axis1=-2, axis2=-1), total)
        return ratio(agreed - by_chance, 1 - by_chance)

    def missed(labels, probabilities):
        return np.zeros_like(labels), 1 - probabilities[np.arange(len(labels)), labels]

    KAPPA = Metric("kappa", "Cohen's kappa", FromCounts(kappa), "number", chance=0.0)
    MISSED = Metric("missed", "missed probability", FromProbabilities(missed), greater_is_better=False)
"""
POINTS = {"leukobench.metrics": {"kappa": "agreement:KAPPA", "missed": "agreement:MISSED"}}


@pytest.fixture
def agreement(install: Any) -> None:
    install("agreement", SOURCE, POINTS)


def test_a_metric_from_outside_is_computed_and_may_rank(agreement: None) -> None:
    from sklearn.metrics import cohen_kappa_score

    rng = np.random.default_rng(0)
    labels, probabilities = rng.integers(0, 3, 50), rng.dirichlet(np.ones(3), 50)
    scores = Scorer(("a", "b", "c")).score(labels, probabilities)
    assert scores["kappa"] == pytest.approx(cohen_kappa_score(labels, probabilities.argmax(axis=1)))
    assert scores["missed"] == pytest.approx(1 - probabilities[np.arange(50), labels].mean())
    assert Evaluation(rank_by="kappa").rank_by == "kappa"
    assert metric_of("kappa").shown(0.8126) == "0.813"
    with pytest.raises(ValueError, match="no metric that ranks"):
        Evaluation(rank_by="missed")


def test_without_the_package_its_name_is_refused_and_its_column_is_a_number() -> None:
    with pytest.raises(ValueError, match="no metric that ranks"):
        Evaluation(rank_by="kappa")
    assert metric_of("kappa").shown(0.8126) == "0.813"


def test_what_is_no_metric_is_refused(install: Any) -> None:
    install("wrong", "KAPPA = 1", {"leukobench.metrics": {"kappa": "wrong:KAPPA"}})
    with pytest.raises(ConfigurationError, match="'kappa' is no metric"):
        metrics()

"""Learning curves: values and intervals as computed by hand, and changes of places that were planted."""

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, roc_auc_score

from leukobench.evaluation.metrics import AUROC, BALANCED_ACCURACY
from leukobench.evaluation.scorer import Scorer
from leukobench.evaluation.statistics.curves import Curves, Point
from leukobench.evaluation.statistics.entry import Design
from leukobench.evaluation.statistics.resampling import GroupResamples


def design(images: int, draws: int, metric=BALANCED_ACCURACY) -> Design:
    labels, folds = np.arange(images) % 2, np.tile(np.arange(images) // 2 % 2, (draws, 1))
    drawn = GroupResamples(np.arange(images), 400, 0)
    return Design(labels, folds, drawn, Scorer(["a", "b"], [metric]), metric)


def predicted(plan: Design, right: np.ndarray) -> np.ndarray:
    """Probabilities that are right on some images of each draw, shape (draws, n)."""
    return np.eye(2)[np.where(right, plan.labels, 1 - plan.labels)] * 0.8 + 0.1


def point(plan: Design, shares: list[float], seed: int) -> Point:
    rng = np.random.default_rng(seed)
    return Point.of(
        plan,
        predicted(
            plan,
            np.array([rng.permutation(len(plan.labels)) for _ in shares])
            < np.array(shares)[:, None] * len(plan.labels),
        ),
    )


@pytest.mark.parametrize("metric", [BALANCED_ACCURACY, AUROC])
def test_values_are_those_of_scikit_learn_on_resampled_images(metric) -> None:
    plan = design(60, 2, metric)
    probabilities = np.random.default_rng(1).dirichlet([1.0, 1.0], (2, 60))
    own = Point.of(plan, probabilities)

    def score(one: np.ndarray, weights: np.ndarray) -> float:
        if metric is BALANCED_ACCURACY:
            return balanced_accuracy_score(plan.labels, one.argmax(axis=1), sample_weight=weights)
        parts = [plan.folds[0] == fold for fold in (0, 1)]
        return np.mean([roc_auc_score(plan.labels[p], one[p, 1], sample_weight=weights[p]) for p in parts])

    assert own.draws == pytest.approx([score(one, np.ones(60)) for one in probabilities])
    drawn = np.concatenate([chunk for chunk, _ in plan.resamples.chunks()], axis=1)
    for number in range(0, 400, 80):
        expected = np.mean([score(one, drawn[:, number]) for one in probabilities])
        assert own.resampled[number] == pytest.approx(expected)


def test_a_gain_is_the_difference_with_an_interval_of_the_same_images() -> None:
    few, all_ = design(400, 2), design(400, 1)
    points = [[point(few, [0.7, 0.7], 1), point(all_, [0.9], 2)]]
    curves = Curves(points, all_)
    gap, low, high = curves.gain(0, 0, 1)
    assert gap == pytest.approx(curves.values[0, 1] - curves.values[0, 0])
    differences = points[0][1].resampled - points[0][0].resampled
    half = 1.96 * differences.std()
    assert (gap - low, high - gap) == (pytest.approx(half, rel=0.2), pytest.approx(half, rel=0.2))


def test_draws_that_lie_apart_widen_the_intervals() -> None:
    few, all_ = design(400, 2), design(400, 1)
    alike = Curves([[point(few, [0.8, 0.8], 1), point(all_, [0.9], 2)]], all_)
    apart = Curves([[point(few, [0.7, 0.9], 1), point(all_, [0.9], 2)]], all_)
    for one in (
        lambda curves: curves.gain(0, 0, 1),
        lambda curves: curves.band(0, 0),
        lambda curves: curves.band(0, 1),
    ):
        assert one(apart)[2] - one(apart)[1] > 1.3 * (one(alike)[2] - one(alike)[1])


def test_places_that_change_are_found_and_no_others() -> None:
    few, all_ = design(400, 2), design(400, 1)
    shares = [(0.85, 0.86), (0.65, 0.97), (0.6, 0.6)]
    points = [[point(few, [a, a], seed), point(all_, [b], seed + 9)] for seed, (a, b) in enumerate(shares)]
    (crossing,) = Curves(points, all_).crossings()
    assert (crossing.few, crossing.all, crossing.size) == (0, 1, 0)
    assert crossing.ahead[1] > 0 > crossing.behind[2]
    assert Curves(points[:1], all_).crossings() == []

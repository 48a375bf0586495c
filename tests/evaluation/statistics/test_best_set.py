from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm, t

from leukobench.evaluation.metrics import ranking_metrics
from leukobench.evaluation.statistics.best_set import BestSet, Differences, best_set, less_one, one_error


def weights(groups: int, resamples: int = 1000) -> np.ndarray:
    return np.random.default_rng(0).multinomial(groups, np.full(groups, 1 / groups), resamples).T


def of_images(right: np.ndarray, resamples: int = 1000) -> Differences:
    """Accuracy of some combinations on independent images."""
    n = right.shape[1]
    return Differences.of(right.mean(axis=1), right @ weights(n, resamples) / n, n, 1, 1 / n)


def test_the_set_and_the_ranks_equal_the_procedure_written_out() -> None:
    """Pair by pair, with the standard errors and quantiles of the docstrings."""
    rng, groups, count = np.random.default_rng(3), 30, 6
    shared = rng.normal(size=groups)
    scores = (
        np.array([0.8, 0.79, 0.77, 0.7, 0.6, 0.55])[:, None] + 0.1 * shared + 0.08 * rng.normal(size=(count, groups))
    )
    resampled = scores @ weights(groups, 400) / groups
    values, freedom = scores.mean(axis=1), groups - 2
    result = best_set(Differences.of(values, resampled, groups, 2, 0.001))

    def gap(one: int, other: int) -> np.ndarray:
        gaps = resampled[one] - resampled[other]
        return (gaps - gaps.mean()) * np.sqrt(groups / freedom)

    pairs = [(one, other) for one in range(count) for other in range(count) if one != other]
    variance = {pair: np.mean(gap(*pair) ** 2) for pair in pairs}
    own = [np.median([variance[one, other] for other in range(count) if other != one]) for one in range(count)]
    common = np.median(list(variance.values()))
    spread = {}
    for (one, other), seen in variance.items():
        usual = max(own[one] + own[other] - common, min(own[one], own[other]) / 4)
        spread[one, other] = np.sqrt((freedom * seen + 6 * usual) / (freedom + 6))
    error = {pair: np.hypot(own, 0.001) for pair, own in spread.items()}

    def bound(pairs: list[tuple[int, int]]) -> float:
        greatest = np.max([gap(*pair) / spread[pair] for pair in pairs], axis=0)
        return float(t.ppf(norm.cdf(np.quantile(greatest, 0.95)), freedom + 6))

    ratio = {pair: (values[pair[0]] - values[pair[1]]) / error[pair] for pair in pairs}
    for one in range(count):
        rivals = [pair for pair in pairs if pair[1] == one]
        strong = [pair for pair in rivals if ratio[pair] > -bound(rivals)]
        assert result.member[one] == (not strong or max(ratio[pair] for pair in strong) <= max(bound(strong), 0))
    limit = bound(pairs)
    for one in range(count):
        assert result.rank_low[one] == 1 + sum(ratio[pair] > limit for pair in pairs if pair[1] == one)
        assert result.rank_high[one] == count - sum(ratio[pair] > limit for pair in pairs if pair[0] == one)
    assert result.margin[0, 5] == pytest.approx(limit * error[0, 5])
    assert 1 < result.member.sum() < count


def paired(both: int, first: int, second: int, n: int) -> tuple[float, float, float]:
    """The difference of two accuracies with these numbers of errors: of both, of one, of the other."""
    right = np.ones((2, n))
    right[:, :both] = 0
    right[0, both : both + first] = 0
    right[1, both + first : both + first + second] = 0
    return less_one(of_images(right), 0, 1)


def test_few_errors_are_no_proof() -> None:
    assert paired(0, 0, 4, 3256)[1] < 0  # McNemar's exact p is 0.125
    assert paired(0, 0, 12, 3256)[1] > 0  # and here 0.0005
    assert paired(90, 5, 30, 2000)[1] > 0 > paired(0, 95, 120, 2000)[1]  # errors that are shared decide nothing


def test_combinations_without_any_disagreement_are_all_possible() -> None:
    right = np.ones((5, 200))
    result = best_set(of_images(right))
    assert result.member.all()
    assert (result.rank_low == 1).all()
    assert (result.rank_high == 5).all()
    gap, low, high = less_one(of_images(right), 0, 4)
    assert low <= gap == 0 <= high


def test_a_few_errors_more_than_none_do_not_exclude_but_many_do() -> None:
    """McNemar's one-sided p of two and three errors against none: 1/4 and 1/8."""
    right = np.ones((25, 400))
    for place, errors in enumerate((2, 3, 20, 40), 21):
        right[place, :errors] = 0
    assert best_set(of_images(right)).member[20:].tolist() == [True, True, True, False, False]


def test_a_class_of_one_image_decides_nothing() -> None:
    """One image in five classes is 20 points of balanced accuracy, the same in every resample that has it."""
    labels = np.append(np.repeat(np.arange(4), 50), 4)
    hits = np.ones((2, 201))
    hits[1, 200] = 0
    drawn = weights(201)
    with np.errstate(invalid="ignore"):
        rates = [hits[:, labels == c] @ drawn[labels == c] / drawn[labels == c].sum(axis=0) for c in range(5)]
    metric = ranking_metrics()["balanced_accuracy"]
    step = one_error(metric, labels, 5)
    assert step == pytest.approx(0.2)
    assert best_set(Differences.of(np.array([1, 0.8]), np.mean(rates, axis=0), 201, 5, step)).member.all()


@pytest.mark.parametrize(("name", "step"), [("accuracy", 1 / 60), ("balanced_accuracy", 1 / 20), ("auroc", 1 / 20)])
def test_one_error_costs_most_in_the_smallest_class(name: str, step: float) -> None:
    assert one_error(ranking_metrics()[name], np.repeat([0, 1], [50, 10]), 2) == pytest.approx(step)


def test_resamples_without_a_class_are_left_out_and_too_few_say_nothing() -> None:
    rng = np.random.default_rng(0)
    values, resampled = np.array([0.9, 0.1]), np.array([[0.9], [0.1]]) + 0.01 * rng.normal(size=(2, 100))
    resampled[0, :50] = np.nan
    assert best_set(Differences.of(values, resampled, 40, 2, 0.01)).member.tolist() == [True, False]
    resampled[1, 50:85] = np.nan
    unknown = Differences.of(values, resampled, 40, 2, 0.01)
    assert best_set(unknown).member.all()
    assert np.isnan(less_one(unknown, 0, 1)[1])


@pytest.mark.parametrize("size", [0, 1])
def test_nothing_to_compare(size: int) -> None:
    result: BestSet = best_set(Differences.of(np.ones(size), np.ones((size, 50)), 40, 2, 0.01))
    assert result.member.tolist() == [True] * size
    assert result.rank_high.tolist() == [1] * size


@pytest.mark.parametrize("groups", [12, pytest.param(400, marks=pytest.mark.slow)])
def test_the_truly_best_stays_and_worse_ones_leave(groups: int) -> None:
    """The full simulation is benchmarks/best_set.py."""
    rng, stays, left, simulations = np.random.default_rng(11), [], [], 60
    truth, size = np.repeat([0.95, 0.8], 6), 4800 // groups
    drawn = weights(groups, 300)
    for _ in range(simulations):
        by_group = np.sqrt(0.1) * rng.normal(size=groups) + np.sqrt(0.05) * rng.normal(size=(12, groups))
        rates = norm.cdf((norm.ppf(truth)[:, None] + by_group) / np.sqrt(0.85))  # the mean over groups is the truth
        shares = rng.binomial(size, rates) / size
        result = best_set(Differences.of(shares.mean(axis=1), shares @ drawn / groups, groups, 1, 1 / 4800))
        stays.append(result.member[:6].mean())
        left.append((~result.member[6:]).mean())
    assert np.mean(stays) > 0.92
    assert np.mean(left) > 0.8


@pytest.mark.slow
def test_many_equal_ones_are_not_better_than_their_equal() -> None:
    """That the first of 96 was picked must count: its own interval alone is wrong far too often."""
    rng, claimed, ignored = np.random.default_rng(5), 0, 0
    for _ in range(150):
        right = (rng.normal(size=300) + rng.normal(size=(97, 300)) > norm.isf(0.9) * np.sqrt(2)).astype(float)
        differences = of_images(right, 400)
        first = int(np.argmax(differences.values[:96]))
        claimed += less_one(differences, first, 96)[1] > 0
        gaps = right[first] - right[96]
        ignored += gaps.mean() > 1.96 * gaps.std() / np.sqrt(300)
    assert ignored / 150 > 0.15
    assert claimed / 150 <= 0.05

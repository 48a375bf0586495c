"""Parts that are worse: Fisher's test where images are independent, a design effect where they are not."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import beta, fisher_exact

from leukobench.evaluation.statistics.comparisons import holm
from leukobench.evaluation.statistics.failures import Part, beyond_doubt, failure


def part(inside: np.ndarray, errors: np.ndarray, units: np.ndarray | None = None) -> Part:
    own = np.arange(len(errors)) if units is None else units
    return Part("site", "B", inside, ~inside, errors.astype(np.float64), own)


@pytest.mark.parametrize(
    ("wrong", "size", "elsewhere", "rest"), [(3, 5, 2, 3000), (12, 100, 30, 2900), (0, 10, 5, 500)]
)
def test_independent_images_get_fishers_test_and_clopper_and_pearsons_interval(
    wrong: int, size: int, elsewhere: int, rest: int
) -> None:
    errors = np.r_[np.arange(size) < wrong, np.arange(rest) < elsewhere]
    found = failure(part(np.arange(size + rest) < size, errors))
    expected = fisher_exact([[wrong, size - wrong], [elsewhere, rest - elsewhere]], alternative="greater").pvalue
    assert found.p == pytest.approx(expected, rel=0.25)  # expanded for the number of units, which is large here
    assert (found.images, found.units, found.wrong, found.rate) == (size, size, wrong, wrong / size)
    low = beta.ppf(0.025, wrong, size - wrong + 1) if wrong else 0.0
    assert (found.low, found.high) == pytest.approx((low, beta.ppf(0.975, wrong + 1, size - wrong)))
    assert found.elsewhere == elsewhere / rest


def test_images_that_are_all_alike_within_a_patient_count_once_each_patient() -> None:
    patients = np.repeat(np.arange(60), 20)
    wrong = np.isin(patients, [0, 1, 2, 3, 30, 31])
    inside = patients < 30
    alone, together = failure(part(inside, wrong)), failure(part(inside, wrong, patients))
    once = fisher_exact([[4, 26], [2, 28]], alternative="greater").pvalue
    assert alone.p < 1e-4
    assert together.p == pytest.approx(once, rel=0.05)
    assert together.units == 30
    assert together.high - together.low > 3 * (alone.high - alone.low)


def test_a_part_of_every_patient_is_compared_within_patients() -> None:
    """Hard patients are in both sides, so their errors say nothing against the part."""
    patients = np.repeat(np.arange(60), 20)
    wrong = np.isin(patients, [0, 1, 2, 3, 30, 31])
    inside = np.arange(len(patients)) % 2 == 0
    assert failure(part(inside, wrong, patients)).p == pytest.approx(failure(part(inside, wrong)).p, abs=0.05)


def simulated(rng: np.random.Generator, harder: float) -> list[Part]:
    """Twenty patients of 15 images, of unequal skill; five facts about patients or about images."""
    patients = np.repeat(np.arange(20), 15)
    rates = rng.beta(0.9, 8.1, 20)[patients]
    facts = [np.isin(patients, rng.permutation(20)[:7]) for _ in range(3)] + list(rng.random((2, len(patients))) < 0.3)
    rates = np.where(facts[-1], np.minimum(harder * rates, 1.0), rates)
    errors = rng.random(len(patients)) < rates
    return [part(one, errors, patients) for one in facts]


def test_a_part_that_is_not_worse_is_seldom_called_so_and_one_that_is_often() -> None:
    rng = np.random.default_rng(11)

    def called(harder: float) -> np.ndarray:
        return np.array(
            [beyond_doubt(holm(np.array([failure(one).p for one in simulated(rng, harder)]))) for _ in range(60)]
        )

    assert called(1.0).any(axis=1).mean() <= 0.08
    assert called(5.0)[:, -1].mean() > 0.5

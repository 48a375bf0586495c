from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import friedmanchisquare

from leukobench.errors import ConfigurationError
from leukobench.evaluation.statistics.several_data_sets import alike, compare_methods, critical_difference

# Demsar 2006, table 6. Two scores that the table rounds to .975 are not equal in its ranks, so one is .9751 here.
AUC = [
    [0.763, 0.768, 0.771, 0.798], [0.599, 0.591, 0.590, 0.569], [0.954, 0.971, 0.968, 0.967],
    [0.628, 0.661, 0.654, 0.657], [0.882, 0.888, 0.886, 0.898], [0.936, 0.931, 0.916, 0.931],
    [0.661, 0.668, 0.609, 0.685], [0.583, 0.583, 0.563, 0.625], [0.775, 0.838, 0.866, 0.875],
    [1.000, 1.000, 1.000, 1.000], [0.940, 0.962, 0.965, 0.962], [0.619, 0.666, 0.614, 0.669],
    [0.972, 0.981, 0.9751, 0.975], [0.957, 0.978, 0.946, 0.970],
]  # fmt: skip


@pytest.fixture
def demsar() -> pd.DataFrame:
    return pd.DataFrame(AUC, columns=["C4.5", "C4.5+m", "C4.5+cf", "C4.5+m+cf"])


def test_demsars_ranks_and_tests(demsar: pd.DataFrame) -> None:
    found = compare_methods(demsar)
    assert found.ranks == pytest.approx(
        {"C4.5+m+cf": 1.964, "C4.5+m": 2.000, "C4.5+cf": 2.893, "C4.5": 3.143}, abs=5e-4
    )
    assert list(found.ranks) == ["C4.5+m+cf", "C4.5+m", "C4.5+cf", "C4.5"]
    assert (found.chi_squared, found.f) == pytest.approx((9.28, 3.69), abs=5e-3)
    assert found.p_f < 0.05  # 3.69 exceeds the critical value F(3, 39) = 2.85


def test_demsars_critical_differences(demsar: pd.DataFrame) -> None:
    strict, loose = compare_methods(demsar), compare_methods(demsar, alpha=0.1)
    assert (strict.critical_difference, loose.critical_difference) == pytest.approx((1.25, 1.12), abs=5e-3)
    assert strict.alike == [("C4.5+m+cf", "C4.5+m", "C4.5+cf", "C4.5")]
    # "the performance of C4.5 is significantly worse than that of C4.5+m and C4.5+m+cf"
    assert loose.alike == [("C4.5+m+cf", "C4.5+m", "C4.5+cf"), ("C4.5+cf", "C4.5")]
    worse = loose.nemenyi.loc["C4.5", ["C4.5+m", "C4.5+m+cf"]]
    assert (worse < 0.1).all()
    assert loose.nemenyi.loc["C4.5+cf", "C4.5+m+cf"] > 0.1


def test_holm_against_the_best_on_demsars_numbers(demsar: pd.DataFrame) -> None:
    found = compare_methods(demsar).holm.set_index("method")
    assert found.loc["C4.5", "z"] == pytest.approx((3.143 - 1.964) / 0.488, abs=5e-3)
    assert found.loc["C4.5", "p"] == pytest.approx(0.016, abs=5e-4)
    assert found.loc["C4.5", "p_holm"] == pytest.approx(3 * found.loc["C4.5", "p"])


@pytest.mark.parametrize(
    ("methods", "alpha", "quantile"), [(2, 0.05, 1.960), (5, 0.05, 2.728), (10, 0.05, 3.164), (10, 0.1, 2.920)]
)
def test_critical_values_equal_demsars_table_5(methods: int, alpha: float, quantile: float) -> None:
    found = critical_difference(methods, 20, alpha) / np.sqrt(methods * (methods + 1) / (6 * 20))
    assert found == pytest.approx(quantile, abs=1.1e-3)


def test_without_equals_the_statistic_is_scipys() -> None:
    scores = np.random.default_rng(2).random((12, 5))
    found = compare_methods(pd.DataFrame(scores))
    expected = friedmanchisquare(*scores.T)
    assert (found.chi_squared, found.p) == pytest.approx((expected.statistic, expected.pvalue))


def test_nemenyis_p_values_equal_those_of_scikit_posthocs() -> None:
    """scikit-posthocs 0.17.1, posthoc_nemenyi_friedman."""
    scores = [
        [0.1, 0.5, 0.3, 0.7],
        [0.2, 0.6, 0.1, 0.9],
        [0.4, 0.3, 0.5, 0.8],
        [0.15, 0.35, 0.25, 0.2],
        [0.5, 0.7, 0.6, 0.9],
    ]
    found = compare_methods(pd.DataFrame(scores, columns=list("abcd"))).nemenyi.loc[list("abcd"), list("abcd")]
    expected = [
        [1, 0.315940, 0.760994, 0.035525],
        [0.315940, 1, 0.883087, 0.760994],
        [0.760994, 0.883087, 1, 0.315940],
        [0.035525, 0.760994, 0.315940, 1],
    ]
    assert found.to_numpy() == pytest.approx(np.array(expected), abs=1e-5)


def test_alike_names_the_largest_groups_only() -> None:
    ranks = {"a": 1.0, "b": 1.5, "c": 2.2, "d": 4.0, "e": 4.1}
    assert alike(ranks, 1.0) == [("a", "b"), ("b", "c"), ("d", "e")]
    assert alike(ranks, 10.0) == [("a", "b", "c", "d", "e")]
    assert alike(ranks, 0.05) == []


@pytest.mark.parametrize("values", [[[0.9, 0.8]], [[0.9], [0.8]], [[0.9, np.nan], [0.8, 0.7]]])
def test_scores_that_cannot_be_compared_are_refused(values: list[list[float]]) -> None:
    with pytest.raises(ConfigurationError, match="cannot be compared"):
        compare_methods(pd.DataFrame(values))

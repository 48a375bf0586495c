"""On permuted labels only a score above guessing is a leak, and p is that of the highest of all combinations."""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd
import pytest

from leukobench.evaluation.chance import chance_verdict


def table(values: np.ndarray) -> pd.DataFrame:
    """Scores of combinations (columns) in permutations (rows)."""
    rows = [
        {"permutation": b, "extractor": "x", "selector": "none", "classifier": f"c{c}", "balanced_accuracy": value}
        for (b, c), value in np.ndenumerate(values)
    ]
    return pd.DataFrame(rows)


def drawn(seed: int, permutations: int = 19, combinations: int = 30, sd: float = 0.03) -> np.ndarray:
    """Around guessing among four classes, and alike among the combinations of a permutation."""
    rng = np.random.default_rng(seed)
    shared, own = rng.normal(size=(permutations, 1)), rng.normal(size=(permutations, combinations))
    return 0.25 + sd * (0.6 * shared + 0.8 * own)


def test_p_is_that_of_every_choice_of_signs() -> None:
    values = drawn(0, permutations=6, combinations=4)
    excess = values - 0.25
    highest = [np.mean(np.array(signs)[:, None] * excess, axis=0).max() for signs in product((1, -1), repeat=6)]
    verdict = chance_verdict(table(values), 4, "all 4 combinations")
    assert verdict["p"] == pytest.approx(np.mean(np.array(highest) >= excess.mean(axis=0).max() - 1e-12))
    assert verdict["highest"] == pytest.approx(values.mean(axis=0).max())
    assert (verdict["permutations"], verdict["combinations"]) == (6, 4)


@pytest.mark.slow
def test_its_level_holds_although_the_highest_of_many_is_tested() -> None:
    called = [not chance_verdict(table(drawn(seed)), 4, "")["at_chance"] for seed in range(150)]
    assert 0.01 <= np.mean(called) <= 0.1


@pytest.mark.slow
def test_a_leak_as_large_as_the_smallest_that_could_be_seen_is_seen_as_often_as_not() -> None:
    seen = []
    for seed in range(60):
        values = drawn(500 + seed)
        values[:, 3] += chance_verdict(table(values), 4, "")["smallest_leak"]
        seen.append(not chance_verdict(table(values), 4, "")["at_chance"])
    assert 0.35 < np.mean(seen) < 0.75


def test_a_leak_into_one_combination_is_named() -> None:
    values = drawn(2)
    smallest = chance_verdict(table(values), 4, "")["smallest_leak"]
    assert 0.5 * 0.03 * 3 / np.sqrt(19) < smallest < 1.5 * 0.03 * 3 / np.sqrt(19)
    values[:, 3] += 3 * smallest
    verdict = chance_verdict(table(values), 4, "all 30 combinations")
    assert (verdict["at_chance"], verdict["name"]) == (False, "x x none x c3")
    assert "ABOVE CHANCE: the highest mean of all 30 combinations, over 19 permutations, is" in verdict["words"]
    assert "something leaks" in verdict["words"]


def test_far_below_guessing_is_no_leak() -> None:
    verdict = chance_verdict(table(drawn(0) - 0.1), 4, "all 30 combinations")
    assert verdict["at_chance"]
    assert verdict["p"] > 0.9
    assert "leaks" not in verdict["words"]
    assert f"a leak that adds {100 * verdict['smallest_leak']:.1f} points or more to one of them" in verdict["words"]


def test_what_failed_in_a_permutation_is_left_out_and_nothing_at_all_proves_nothing() -> None:
    values = drawn(0)
    values[3, 5] = np.nan
    assert chance_verdict(table(values), 4, "")["combinations"] == 29
    verdict = chance_verdict(table(np.full((19, 2), np.nan)), 4, "")
    assert (verdict["at_chance"], verdict["p"]) == (False, None)

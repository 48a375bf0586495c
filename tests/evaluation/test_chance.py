from __future__ import annotations

import numpy as np
import pandas as pd

from leukobench.evaluation.chance import chance_verdict


def board(values: list[float], half: float = 0.02) -> pd.DataFrame:
    table = pd.DataFrame({"balanced_accuracy": values})
    table["balanced_accuracy_low"] = table["balanced_accuracy"] - half
    table["balanced_accuracy_high"] = table["balanced_accuracy"] + half
    return table.assign(extractor="x", selector="none", classifier=[f"c{n}" for n in range(len(values))])


def test_scores_around_chance_are_at_chance_although_some_intervals_miss_it() -> None:
    values = np.random.default_rng(0).normal(0.25, 0.02 / 1.96, 100)
    verdict = chance_verdict(board(values.tolist()), 4)
    assert verdict["at_chance"]
    assert 1 <= verdict["misses_95"] <= 12
    assert "as expected" in verdict["words"]


def test_one_row_far_above_chance_is_called_a_leak() -> None:
    verdict = chance_verdict(board([0.25, 0.26, 0.35]), 4)
    assert not verdict["at_chance"]
    assert verdict["outside"] == ["x x none x c2"]
    assert "NOT AT CHANCE" in verdict["words"]


def test_far_below_chance_is_no_guessing_either() -> None:
    assert not chance_verdict(board([0.15]), 4)["at_chance"]


def test_failed_rows_prove_nothing() -> None:
    assert not chance_verdict(board([float("nan")]), 4)["at_chance"]

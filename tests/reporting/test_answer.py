from __future__ import annotations

import json
from typing import Any

import pandas as pd
import pytest

from leukobench.config.experiment import Evaluation
from leukobench.evaluation.scores import Scored
from leukobench.reporting.answer import make_answer

NAMES = ["extractor", "selector", "classifier"]
PLAIN = ("none", "IMAGE-LEVEL, OPTIMISTIC: no patients known")


def scored(best: float, colour: float, gap_low: float) -> Scored:
    rows: list[dict[str, Any]] = [
        {"rank": 1, "kind": "combination", "extractor": "net", "value": best, "indistinguishable": True},
        {"rank": 2, "kind": "combination", "extractor": "other", "value": best - 0.01, "indistinguishable": True},
        {"rank": None, "kind": "shortcut", "extractor": "shortcut: colour", "value": colour},
        {"rank": None, "kind": "shortcut", "extractor": "shortcut: majority class", "value": 0.25},
    ]
    table = pd.DataFrame(rows).assign(selector="none", classifier="svm").astype({"rank": "Int64"})
    table["balanced_accuracy"] = table.pop("value")
    table["balanced_accuracy_low"] = table["balanced_accuracy"] - 0.01
    table["balanced_accuracy_high"] = table["balanced_accuracy"] + 0.01
    winner = {"extractor": "net", "selector": "none", "classifier": "svm", "metric": "balanced_accuracy"}
    winner |= {"value": best, "low": best - 0.01, "high": best + 0.01, "corrected": best - 0.005}
    winner |= {"corrected_low": best - 0.02, "corrected_high": best, "picked_among": 2, "rank_agreement": float("nan")}
    against = {("shortcut: colour", "none", "svm"): (best - colour, gap_low, best - colour + 0.01)}
    against["shortcut: majority class", "none", "svm"] = (best - 0.25, best - 0.26, best - 0.24)
    empty = pd.DataFrame()
    return Scored(table, empty, empty, {}, winner, against, {"expected": 0.25, "at_chance": True, "words": "PERMUTED"})


def answer(*numbers: float, **evaluation: Any) -> dict[str, Any]:
    return make_answer(scored(*numbers), Evaluation(**evaluation), PLAIN, {"words": "no copies"}, ["line"])


@pytest.mark.parametrize(
    ("numbers", "verdict", "words"),
    [
        ((0.99, 0.98, 0.005), "confounded", "CONFOUNDED: colour alone reaches 98.00 %"),
        ((0.99, 0.70, 0.2), "confounded", "PARTLY CONFOUNDED"),
        ((0.99, 0.98, -0.001), "not better", "NOT BETTER THAN A SHORTCUT"),
        ((0.99, 0.30, 0.5), "better", "Better than every shortcut"),
    ],
)
def test_the_verdict_on_shortcuts(numbers: tuple[float, ...], verdict: str, words: str) -> None:
    said = answer(*numbers)
    assert said["shortcut"]["verdict"] == verdict
    assert said["shortcut"]["words"].startswith(words)
    assert said["sentences"][2].startswith(words)


def test_a_shortcut_that_failed_is_not_a_shortcut_that_was_beaten() -> None:
    facts = scored(0.99, 0.30, 0.5)
    facts.leaderboard.loc[facts.leaderboard["extractor"] == "shortcut: colour", "balanced_accuracy"] = float("nan")
    said = make_answer(facts, Evaluation(), PLAIN, {"words": ""}, [])["shortcut"]
    assert said["verdict"] == "unknown"
    assert said["words"].startswith("SHORTCUTS UNKNOWN: 1 of them failed")
    assert "Better" not in said["words"]


def test_one_shortcut_that_is_not_beaten_is_enough() -> None:
    facts = scored(0.99, 0.60, 0.2)
    facts.against["shortcut: majority class", "none", "svm"] = (0.74, -0.1, 0.8)
    said = make_answer(facts, Evaluation(), PLAIN, {"words": ""}, [])["shortcut"]
    assert (said["verdict"], said["name"]) == ("not better", "majority class")


def test_one_combination_was_not_picked() -> None:
    facts = scored(0.99, 0.60, 0.2)
    assert facts.winner is not None
    facts.winner["picked_among"] = 1
    first, second, _ = make_answer(facts, Evaluation(), PLAIN, {"words": ""}, [])["sentences"]
    assert first == "The only combination: net x none x svm, balanced accuracy 99.00 % [98.00 to 100.00]."
    assert second == "There is nothing to compare it with."


def test_three_sentences_with_interval_correction_and_groups() -> None:
    said = answer(0.99, 0.5, 0.3)
    assert len(said["sentences"]) == 3
    assert "99.00 % [98.00 to 100.00]; corrected for having been picked: 98.50 %" in said["sentences"][0]
    assert said["sentences"][1].startswith("1 other combination cannot be told from it")
    assert "IMAGE-LEVEL, OPTIMISTIC" in said["sentences"][2]
    assert json.loads(json.dumps(said, allow_nan=False))["best"]["rank_agreement"] is None


def test_permuted_labels_are_the_first_thing_said() -> None:
    assert answer(0.99, 0.5, 0.3, permute=True)["sentences"][0] == "PERMUTED"
    assert answer(0.99, 0.5, 0.3)["chance"] is None

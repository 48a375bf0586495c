from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from leukobench.config.experiment import Experiment
from leukobench.evaluation.scores import Scored
from leukobench.evaluation.statistics.drops import WhereWrong
from leukobench.reporting.answer import Findings, make_answer
from leukobench.runs.answer import Answer, Chance, Duplicates, Groups
from leukobench.runs.label_answer import Failures, LabelSuspects
from leukobench.runs.view_answer import Views

NAMES = ["extractor", "selector", "classifier"]
PLAIN = Groups("none", "IMAGE-LEVEL, OPTIMISTIC: no patients known")
NO_COPIES = Duplicates(0, 0, 0, 0, 0, "no copies")
CHANCE = Chance(True, 0.25, 19, 2, 0.26, "net x none x svm", 0.4, 0.01, "PERMUTED")


def scored(best: float, colour: float, gap_low: float) -> Scored:
    rows: list[dict[str, Any]] = [
        {"rank": 1, "kind": "combination", "extractor": "net", "value": best, "in_best_set": True},
        {"rank": 2, "kind": "combination", "extractor": "other", "value": best - 0.01, "in_best_set": True},
        {"rank": None, "kind": "shortcut", "extractor": "shortcut: colour", "value": colour},
        {"rank": None, "kind": "shortcut", "extractor": "shortcut: majority class", "value": 0.25},
    ]
    table = pd.DataFrame(rows).assign(selector="none", classifier="svm").astype({"rank": "Int64"})
    table["balanced_accuracy"] = table.pop("value")
    table["balanced_accuracy_low"] = table["balanced_accuracy"] - 0.01
    table["balanced_accuracy_high"] = table["balanced_accuracy"] + 0.01
    winner = {"extractor": "net", "selector": "none", "classifier": "svm", "metric": "balanced_accuracy"}
    winner |= {"value": best, "low": best - 0.01, "high": best + 0.01, "corrected": best - 0.005}
    winner |= {"corrected_low": best - 0.02, "corrected_high": best, "dropped": 0, "tied": 1}
    winner |= {"picked_among": 2, "rank_agreement": float("nan")}
    against = {("shortcut: colour", "none", "svm"): (best - colour, gap_low, best - colour + 0.01)}
    against["shortcut: majority class", "none", "svm"] = (best - 0.25, best - 0.26, best - 0.24)
    empty = pd.DataFrame()
    return Scored(table, empty, empty, {}, winner, against)


def answer_of(facts: Scored, **evaluation: Any) -> Answer:
    experiment = Experiment.model_validate({"name": "trial", "images": {"folder": "x"}, "evaluation": evaluation})
    return make_answer(facts, experiment, PLAIN, NO_COPIES, ["line"])


def answer(*numbers: float, **evaluation: Any) -> Answer:
    return answer_of(scored(*numbers), **evaluation)


@pytest.mark.parametrize(
    ("numbers", "verdict", "words"),
    [
        (
            (0.99, 0.98, 0.005),
            "confounded",
            "CONFOUNDED: colour alone reaches 98.00 % balanced accuracy [97.00 to 99.00]",
        ),
        ((0.99, 0.70, 0.2), "partly confounded", "PARTLY CONFOUNDED: colour alone reaches 70.00 %"),
        ((0.999, 0.95, 0.04), "partly confounded", "PARTLY CONFOUNDED: colour alone reaches 95.00 %"),
        ((0.99, 0.98, -0.001), "not better", "NOT BETTER THAN A SHORTCUT"),
        (
            (0.99, 0.30, 0.5),
            "better",
            "Better than the shortcuts tried: colour, and majority class. The strongest: colour",
        ),
    ],
)
def test_the_verdict_on_shortcuts(numbers: tuple[float, ...], verdict: str, words: str) -> None:
    of_run = answer(*numbers)
    assert of_run.shortcut is not None
    assert of_run.shortcut.verdict == verdict
    assert of_run.shortcut.words.startswith(words)
    assert of_run.sentences[2].startswith(words)


def test_a_shortcut_that_failed_is_not_a_shortcut_that_was_beaten() -> None:
    facts = scored(0.99, 0.30, 0.5)
    facts.leaderboard.loc[facts.leaderboard["extractor"] == "shortcut: colour", "balanced_accuracy"] = float("nan")
    shortcut = answer_of(facts).shortcut
    assert shortcut is not None
    assert shortcut.verdict == "unknown"
    assert shortcut.words.startswith("SHORTCUTS UNKNOWN: 1 of them failed")
    assert "Better" not in shortcut.words


@pytest.mark.parametrize("low", [-0.1, float("nan")])
def test_one_shortcut_that_is_not_beaten_is_enough(low: float) -> None:
    facts = scored(0.99, 0.60, 0.2)
    facts.against["shortcut: majority class", "none", "svm"] = (0.74, low, 0.8)
    shortcut = answer_of(facts).shortcut
    assert shortcut is not None
    assert (shortcut.verdict, shortcut.name) == ("not better", "majority class")


def test_one_combination_was_not_picked() -> None:
    facts = scored(0.99, 0.60, 0.2)
    assert facts.winner is not None
    facts.winner["picked_among"] = 1
    first, second, _ = answer_of(facts).sentences
    assert first == "The only combination: net x none x svm, balanced accuracy 99.00 % [98.00 to 100.00]."
    assert second == "There is nothing to compare it with."


def test_three_sentences_with_interval_correction_and_groups() -> None:
    first, second, third = answer(0.99, 0.5, 0.3).sentences
    assert "99.00 % [98.00 to 100.00]; corrected for selecting the best of 2: 98.50 %" in first
    assert second.startswith("Any of these 2 fitted models may be the best: none is excluded with 95 % confidence")
    assert "IMAGE-LEVEL, OPTIMISTIC" in third


def test_the_best_is_among_those_that_the_leaderboard_marks() -> None:
    facts = scored(0.99, 0.5, 0.3)
    assert facts.winner is not None
    facts.winner["picked_among"] = 3
    assert answer_of(facts).best_set == 2
    assert "the best of these 3 fitted models is among the 2 that" in answer_of(facts).sentences[1]
    facts.leaderboard["in_best_set"] = facts.leaderboard["rank"].eq(1)
    assert answer_of(facts).sentences[1].startswith("With 95 % confidence it is the best of these 3 fitted models")


def test_ties_and_dropped_resamples_are_counted_in_the_first_sentence() -> None:
    facts = scored(0.99, 0.5, 0.3)
    assert facts.winner is not None
    facts.winner.update(tied=2, dropped=7)
    first = answer_of(facts).sentences[0]
    assert "(7 resamples dropped: a class is missing from their test part). 2 tie at this value" in first


def test_algorithms_have_a_sentence_of_their_own_where_they_were_compared() -> None:
    facts = scored(0.99, 0.5, 0.3)
    numbers = {"algorithms_p_holm": [0.2, 0.01, float("nan")], "algorithms_p_equivalent": [0.99, 0.0, float("nan")]}
    facts.tables["comparisons.csv"] = pd.DataFrame(numbers)
    _, second, third, _ = answer_of(facts, repeats=5).sentences
    assert "fitted models" in second
    assert third.startswith("As algorithms, trained on other images like these, 1 of the 3 others differ from it")
    assert "5 x 5 folds" in third
    assert "and 1 are within 1 point" in third


def test_permuted_labels_are_the_first_thing_said() -> None:
    experiment = Experiment.model_validate({"name": "trial", "images": {"folder": "x"}})
    permuted = make_answer(scored(0.99, 0.5, 0.3), experiment, PLAIN, NO_COPIES, ["line"], Findings(CHANCE))
    assert permuted.sentences == ("PERMUTED", f"{PLAIN.words}.")
    assert answer(0.99, 0.5, 0.3).chance is None


def test_how_often_the_best_is_right_where_the_shortcut_is_wrong_stands_beside_the_verdict() -> None:
    experiment = Experiment.model_validate({"name": "trial", "images": {"folder": "x"}})
    wrong = {("shortcut: colour", "none", "svm"): WhereWrong(21, 16 / 21, 0.53, 0.92)}
    facts = scored(0.99, 0.98, 0.005)
    answered = make_answer(facts, experiment, PLAIN, NO_COPIES, ["line"], Findings(where_wrong=wrong))
    assert answered.shortcut is not None
    assert (answered.shortcut.wrong, answered.shortcut.right_low) == (21, 0.53)
    words = "Of the 21 images on which the shortcut is wrong the best combination is right on 76.19 % [53.00 to 92.00]."
    assert words in answered.sentences[2]


def test_views_follow_the_verdict_and_answer_what_it_leaves_open() -> None:
    experiment = Experiment.model_validate({"name": "trial", "images": {"folder": "x"}})
    views = Views("balanced_accuracy", 300, 300, 0.99, 0.074, 0.1, words="Colour is not needed.")
    plain, tested = (
        make_answer(scored(0.99, 0.98, 0.005), experiment, PLAIN, NO_COPIES, ["line"], Findings(views=one)).sentences
        for one in (None, views)
    )
    assert "another question" in plain[2]
    assert "another question" not in tested[2]
    assert tested[3:] == ("Colour is not needed.",)


def test_doubtful_labels_and_failures_have_their_sentences_last() -> None:
    experiment = Experiment.model_validate({"name": "trial", "images": {"folder": "x"}})
    facts = scored(0.99, 0.5, 0.3)
    findings = Findings(suspects=LabelSuspects(96, 4, 5, 2, "DOUBTFUL"), failures=Failures(0.1, 9, words="FAILS"))
    answered = make_answer(facts, experiment, PLAIN, NO_COPIES, ["line"], findings)
    plain = answer(0.99, 0.5, 0.3).sentences
    assert answered.sentences == (*plain, "FAILS", "DOUBTFUL")
    assert (answered.suspects, answered.failures) == (findings.suspects, findings.failures)
    silent = Findings(suspects=LabelSuspects(96, 4, 5, 0), failures=Failures(0.1, 9))
    assert make_answer(facts, experiment, PLAIN, NO_COPIES, ["line"], silent).sentences == plain

"""The table of verdicts: one for every evidence, by intervals, in words that name what was tried."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest

from leukobench.evaluation.metrics import metric_of
from leukobench.reporting.verdicts import VERDICTS, Evidence, verdict_of, words_of
from leukobench.runs.answer import ShortcutVerdict

PLAIN = Evidence(beaten=True, failed=0, above_guessing=True, share_low=0.3, share_high=0.4, halves_errors=True)
TRIED = ("border", "file facts", "all shortcuts together")
SHORTCUT = ShortcutVerdict("border", 0.9, 0.88, 0.92, 0, "better", 0.95, "", 0.9, 0.97, 0.2, TRIED)


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({}, "better"),
        ({"beaten": False}, "not better"),
        ({"beaten": False, "failed": 1}, "not better"),
        ({"failed": 1}, "unknown"),
        ({"share_high": 0.6}, "partly confounded"),
        ({"share_high": 0.6, "above_guessing": False}, "better"),
        ({"share_low": 0.6, "share_high": 0.9}, "partly confounded"),
        ({"share_low": 0.6, "share_high": 0.9, "halves_errors": False}, "confounded"),
        ({"share_low": 0.4, "share_high": 0.9, "halves_errors": False}, "partly confounded"),
    ],
)
def test_the_first_that_holds(changes: dict[str, float], verdict: str) -> None:
    assert verdict_of(replace(PLAIN, **changes)) == verdict


def test_there_is_one_for_every_evidence_that_can_be() -> None:
    seen = {
        verdict_of(Evidence(beaten, failed, above, *share, halves))
        for beaten, failed, above, halves in product((True, False), (0, 2), (True, False), (True, False))
        for share in ((-0.2, 0.1), (0.2, 0.7), (0.6, 0.9), (float("nan"), float("nan")))
    }
    assert seen == set(VERDICTS)


def test_what_is_not_defined_is_no_all_clear() -> None:
    assert verdict_of(replace(PLAIN, share_low=float("nan"), share_high=float("nan"))) == "partly confounded"


@pytest.mark.parametrize("name", list(VERDICTS))
def test_sentences_claim_no_more_than_was_tried(name: str) -> None:
    words = words_of(replace(SHORTCUT, verdict=name, failed=1), metric_of("balanced_accuracy"), "brains")
    assert "cell" not in words
    assert "every shortcut" not in words
    assert "{" not in words
    assert "border alone reaches 90.00 % balanced accuracy [88.00 to 92.00]" in words
    assert ("brains" in words) == ("confounded" in name)


def test_the_all_clear_lists_what_was_tried_and_the_strongest_single_one() -> None:
    together = replace(SHORTCUT, name=TRIED[2], alone="border", alone_value=0.89)
    words = words_of(together, metric_of("balanced_accuracy"), "cells")
    assert words.startswith("Better than the shortcuts tried: border, file facts, and all shortcuts together. ")
    assert "all shortcuts together reach 90.00 % balanced accuracy [88.00 to 92.00] (border alone 89.00 %)" in words

"""Sentences on doubtful labels and on failures: nothing where there is nothing to say."""

from __future__ import annotations

from leukobench.reporting.label_words import failures_words, suspects_words
from leukobench.runs.label_answer import Failures, LabelSuspects, WorsePart

FIRST = {"path": "/images/a/268.bmp", "label": "monocyte", "suggested": "neutrophil"}


def test_suspects_are_counted_and_the_first_is_named() -> None:
    words = suspects_words(LabelSuspects(297, 39, 19, 7), FIRST, "group")
    assert words == (
        "Doubtful labels: at least 90 % of the 39 best combinations contradict the labels of 7 of 297 images, first "
        "268.bmp (monocyte, they say neutrophil): wrong labels or hard images, to look at (suspects.csv)."
    )
    assert "label of 1 of" in suspects_words(LabelSuspects(297, 39, 19, 1), FIRST, "group")
    assert "the only combination contradicts" in suspects_words(LabelSuspects(297, 1, 19, 7), FIRST, "group")
    assert "vouch for one another" in suspects_words(LabelSuspects(297, 39, 19, 7), FIRST, "list")
    assert suspects_words(LabelSuspects(297, 39, 19, 0), FIRST, "group") == ""


def test_the_three_worst_parts_are_named_with_their_numbers() -> None:
    part = WorsePart("site", "B", 1200, 60.0, 0.05, 0.04, 0.062, 0.004, 0.001)
    assert failures_words(Failures(0.01, 43, (part,))) == (
        "It is wrong more often than elsewhere, beyond doubt (corrected for 43 parts; failures.csv): "
        "site B, 60 of 1,200 (5.0 % [4 to 6], elsewhere 0.4 %)."
    )
    assert failures_words(Failures(0.01, 43, (part,) * 5)).endswith("; and 2 more.")
    assert failures_words(Failures(0.01, 43)) == ""
    pair = WorsePart("label and prediction", "A taken for B", 1200, 60.0, 0.05, 0.04, 0.062, 0.004, 0.001)
    assert "failures.csv): A taken for B, 60 of 1,200 (" in failures_words(Failures(0.01, 43, (pair,)))

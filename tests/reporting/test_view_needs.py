"""What suffices for a score, and whether the views say that it is needed, in one sentence each."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from leukobench.reporting.verdicts import NEEDS
from leukobench.reporting.view_needs import answer_views, sufficient
from leukobench.runs.view_answer import Views

BOARD = pd.DataFrame(
    [
        (1, "combination", "net", 0.99, 0.98),
        (None, "content", "content: whole-image colour", 0.975, 0.96),
        (None, "shortcut", "shortcut: all shortcuts together", 0.91, 0.9),
        (None, "shortcut", "shortcut: background", 0.87, 0.86),
        (None, "shortcut", "shortcut: file facts", 0.8, 0.75),
        (None, "shortcut", "shortcut: border", 0.6, 0.55),
        (None, "shortcut", "shortcut: majority class", 0.25, 0.24),
    ],
    columns=["rank", "kind", "extractor", "balanced_accuracy", "balanced_accuracy_low"],
).assign(selector="none", classifier="svm")
DROPS = {"colour normalised": "not needed", "foreground only": "not needed", "background only": "needed"}


def viewed(**verdicts: str) -> Views:
    """Results of views whose verdicts are these, with drops that follow."""
    drops = {"needed": 0.3, "not needed": 0.01, "undecided": 0.07}
    chosen = DROPS | {name.replace("_", " "): verdict for name, verdict in verdicts.items()}
    rows: list[dict[str, Any]] = [
        {"view": view, "words": f"<{view}>", "removes": "it", "untouched": 0.98, "margin": 0.073, "verdict": verdict}
        | {"value": 0.98 - drops[verdict], "drop": drops[verdict], "low": drops[verdict] - 0.02}
        | {"high": drops[verdict] + 0.02, "images_to_decide": 4100 if verdict == "undecided" else None}
        | {"unchanged": 0.5, "unchanged_drop": 0.48, "unchanged_low": 0.4, "unchanged_high": float("nan")}
        for view, verdict in chosen.items()
    ]
    numbers = Views("balanced_accuracy", 1003, 800, None, None, 0.1)
    return answer_views(numbers, pd.DataFrame(rows).astype({"images_to_decide": "Int64"}), BOARD, 0.25)


def test_single_rows_that_cover_half_of_the_way_suffice() -> None:
    assert sufficient(BOARD, "balanced_accuracy", 0.25) == [
        ("whole-image colour", 0.975),
        ("background", 0.87),
        ("file facts", 0.8),
    ]
    unsure = BOARD.assign(balanced_accuracy_low=0.2)
    assert sufficient(unsure, "balanced_accuracy", 0.25) == []


def test_what_every_view_can_do_without_is_not_needed() -> None:
    views = viewed()
    assert [(one.name, one.verdict) for one in views.shortcuts] == [
        ("whole-image colour", "not needed"),
        ("background", "not needed"),
        ("file facts", "untestable"),
    ]
    assert views.words == (
        "Whole-image colour is sufficient for 97.50 % balanced accuracy, but not needed: fitted anew with <colour "
        "normalised>, the best combination still reaches 97.00 %, against 98.00 % without a view (drop 1.00 points "
        "[-1.00 to 3.00], margin 7.30; 1,003 images). Also sufficient for at least half of the way: background "
        "(87.00 %): not needed; file facts (80.00 %): cannot be tested by a view."
    )
    assert views.results[0].unchanged_high is None


def test_one_view_that_cannot_do_without_it_is_enough() -> None:
    views = viewed(foreground_only="needed")
    assert [(one.verdict, one.view) for one in views.shortcuts[:2]] == [
        ("not needed", "colour normalised"),
        ("needed", "foreground only"),
    ]
    assert [one.verdict for one in viewed(foreground_only="undecided").shortcuts[:2]] == ["not needed", "undecided"]


def test_undecided_names_the_images_that_would_decide() -> None:
    words = viewed(colour_normalised="undecided").words
    assert "whether needed is undecided at this sample size" in words
    assert "reaches 91.00 % instead of 98.00 % (drop 7.00 points [5.00 to 9.00], margin 7.30; 1,003 images)" in words
    assert "which about 4,100 images would decide." in words


def test_a_background_that_is_enough_alone_is_the_last_sentence() -> None:
    last = viewed(background_only="not needed").words.partition("WHAT IS PICTURED IS NOT NEEDED: ")[2]
    assert last.startswith("fitted anew with <background only>, the best combination still reaches 97.00 %")


@pytest.mark.parametrize("name", list(NEEDS))
def test_the_unchanged_model_is_in_no_sentence_on_what_is_needed(name: str) -> None:
    assert "unchanged" not in NEEDS[name].words

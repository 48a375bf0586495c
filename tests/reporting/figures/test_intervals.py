"""The picture of the run: every row with the numbers of the leaderboard, at its place."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest

from leukobench.evaluation.metrics import metric_of
from leukobench.reporting.figures.interval_chart import Domain, Mark, interval_chart
from leukobench.reporting.figures.intervals import intervals
from leukobench.reporting.vega import Figure, specification
from leukobench.runs.finished import FinishedRun

from .scene import marks, outside


def drawn(figure: Figure) -> dict[str, dict[str, Any]]:
    """Rows of the figure by their titles."""
    rows = [row for layer in figure.specs[0]["layer"] for row in layer["data"]["values"] if "role" in row]
    return {row["title"]: row for row in rows}


def test_every_row_has_the_numbers_of_the_leaderboard(run: FinishedRun) -> None:
    figure = intervals(run)
    assert figure is not None
    rows = drawn(figure)
    table = run.leaderboard[run.leaderboard["balanced_accuracy"].notna()]
    assert len(rows) == len(table) == 51
    for row in table.to_dict("records"):
        names = [row["extractor"], row["selector"], row["classifier"]]
        name = (
            names[0].removeprefix("shortcut: ")
            if row["kind"] == "shortcut"
            else " \N{MULTIPLICATION SIGN} ".join(names)
        )
        own = rows[name]
        assert own["value"] == pytest.approx(100 * row["balanced_accuracy"])
        assert own["text"] == metric_of("balanced_accuracy").of_row(row)
        role = "may be the best" if row["in_best_set"] is True else "is not the best"
        assert own["role"] == ("shortcut" if row["kind"] == "shortcut" else role)
    assert str((table["in_best_set"] == True).sum()) in figure.note  # noqa: E712


def test_nothing_lies_outside_the_axes_and_weak_rows_are_arrows(run: FinishedRun) -> None:
    figure = intervals(run)
    assert figure is not None
    for spec in figure.specs:
        assert not outside(spec)
    assert "majority class" in {title for title, row in drawn(figure).items() if not row["inside"]}


def test_marks_stand_where_their_values_are() -> None:
    metric, scale = metric_of("accuracy"), Domain(0.5, 1.0)
    first = Mark("a", "b", "a x b", "may be the best", 0.75, 0.6, math.nan, "75.00 %")
    weak = replace(first, value=0.4, low=0.3, high=0.6, title="weak")
    spec = specification(interval_chart([first, weak], [], scale, metric, narrow=True))
    found = list(marks(spec))
    [dot, arrow] = [item for kind, item, _, _ in found if kind == "symbol"]
    [rule] = [item for kind, item, _, _ in found if kind == "rule"]
    width = found[0][2]
    assert dot["x"] == pytest.approx(width / 2)
    assert sorted([rule["x"], rule["x2"]]) == pytest.approx([0.2 * width, 0.5 * width])
    assert arrow["x"] < 10 < dot["x"]


def test_a_run_in_which_nothing_was_scored_has_no_picture(run: FinishedRun) -> None:
    failed = run.leaderboard.assign(rank=None)
    assert intervals(replace(run, leaderboard=failed)) is None

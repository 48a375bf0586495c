"""The given test part: the best combination there, everything beside its cross-validated score, and what leaks."""

from __future__ import annotations

from pathlib import Path

from ....evaluation.combination_names import names_of
from ....runs.finished import FinishedRun, Row, records
from ....runs.split_answer import GivenTest
from ...figures.given_part import given_part_figure
from ..charts import Scale, whisker
from ..interactive import figure_html
from ..numbers import Interval, as_number, interval_of, score_text, texts, title_of
from ..section import Section, View, fragment

_LEAKS, _DEPTH = 50, 3


def section(run: FinishedRun) -> Section | None:
    """None without a given test part that was scored."""
    test = run.answer.test
    if test is None or f"test_{test.metric}" not in run.leaderboard:
        return None
    leaks = run.table("audit/leaks.csv")
    figure = given_part_figure(run, test.metric)
    parts = {
        "test": test,
        "lines": _lines(run, test),
        "figure": figure_html(figure),
        "leaks": [_short(row) for row in records(leaks.head(_LEAKS))],
        "more": max(len(leaks) - _LEAKS, 0),
    }
    finding = f"{score_text(test.metric, as_number(test.value))} on {test.images:,} images, look {test.look}"
    html = fragment("given_test", **parts)
    return Section("The given test part", html, nav="Test part", finding=finding, figures=(figure,))


def _short(row: Row) -> Row:
    """With the last folders of each path alone."""
    return {**row, **{side: "/".join(Path(str(row[side])).parts[-_DEPTH:]) for side in ("path_a", "path_b")}}


def _lines(run: FinishedRun, test: GivenTest) -> list[View]:
    """The best combination in the folds and on the test part, and shortcuts there."""
    best = run.answer.best
    rows: list[tuple[str, Interval, str]] = []
    if best:
        rows.append(
            ("folds, corrected for selection", _numbers(best.corrected, best.corrected_low, best.corrected_high), "")
        )
    rows.append(("test part", _numbers(test.value, test.low, test.high), ""))
    shortcuts = sorted(run.shortcuts, key=lambda row: -as_number(row.get(f"test_{test.metric}")))
    rows += [
        (f"{title_of(names_of(row))} on it", interval_of(row, f"test_{test.metric}"), "shortcut")
        for row in shortcuts[:2]
    ]
    scale = Scale.around(number for _, interval, _ in rows for number in interval)
    return [
        {"label": label, "kind": kind, "line": whisker(scale, *interval)} | texts(test.metric, interval)
        for label, interval, kind in rows
    ]


def _numbers(*numbers: float | None) -> Interval:
    value, low, high = map(as_number, numbers)
    return value, low, high

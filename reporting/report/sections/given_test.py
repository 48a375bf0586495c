"""The given test part: the best combination there, everything beside its cross-validated score, and what leaks."""

from __future__ import annotations

from pathlib import Path

from ....evaluation.combination_names import names_of
from ....evaluation.metrics import metric_of
from ....runs.finished import FinishedRun, Row, records
from ....runs.split_answer import GivenTest
from ..charts import Chart, Scale, whisker
from ..numbers import Interval, as_number, interval_of, score_text, texts, title_of
from ..section import Section, View, fragment

_LEAKS, _DEPTH = 50, 3


def section(run: FinishedRun) -> Section | None:
    """None without a given test part that was scored."""
    test = run.answer.test
    if test is None or f"test_{test.metric}" not in run.leaderboard:
        return None
    leaks = run.table("audit/leaks.csv")
    parts = {
        "test": test,
        "lines": _lines(run, test),
        "chart": _chart(run, test.metric),
        "leaks": [_short(row) for row in records(leaks.head(_LEAKS))],
        "more": max(len(leaks) - _LEAKS, 0),
    }
    finding = f"{score_text(test.metric, as_number(test.value))} on {test.images:,} images, look {test.look}"
    return Section("The given test part", fragment("given_test", **parts), nav="Test part", finding=finding)


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


def _chart(run: FinishedRun, name: str) -> Chart:
    """Every row: its score in the folds, and on the test part."""
    metric, table = metric_of(name), run.leaderboard
    drawn: list[Row] = records(table[table[name].notna() & table[f"test_{name}"].notna()])
    scale = Scale.around(row[column] for row in drawn for column in (name, f"test_{name}"))
    percent = metric.unit == "percent"
    chart = Chart(
        scale, scale, "cross-validated in the training part", "given test part",
        f"{metric.title} of {len(drawn)} rows of the leaderboard on the test part, against that of the folds",
        height=320, percent=(percent, percent), diagonal=True,
    )  # fmt: skip
    for row in reversed(drawn):
        kind = "shortcut" if row["kind"] != "combination" else "front" if row["rank"] == 1 else ""
        text = f"{title_of(names_of(row))}: {score_text(name, row[name])}, test {score_text(name, row[f'test_{name}'])}"
        chart.point(row[name], row[f"test_{name}"], text, kind)
    return chart

"""The given test part: each row's score there against its score in the folds."""

from __future__ import annotations

import math

from ...evaluation.combination_names import names_of
from ...evaluation.metrics import metric_of
from ...runs.finished import FinishedRun, records
from ..report.numbers import as_number, score_text, title_of
from ..vega import Figure
from .axes import Axis
from .points import Point, points_chart


def given_part_figure(run: FinishedRun, name: str) -> Figure:
    """Every row that was scored on both, by the metric called `name`."""
    metric, there = metric_of(name), f"test_{name}"
    rows = [row for row in records(run.leaderboard) if not math.isnan(as_number(row[name]) + as_number(row[there]))]
    ends = [row[column] for row in rows for column in (name, there)]
    points = [
        Point(
            row[name],
            row[there],
            f"{title_of(names_of(row))}: {score_text(name, row[name])}, test {score_text(name, row[there])}",
            str(row["kind"]),
            front=row["kind"] == "combination" and row["rank"] == 1,
        )
        for row in reversed(rows)
    ]
    x = Axis.of(metric, ends, f"{metric.title} in the folds of the training part")
    y = Axis.of(metric, ends, f"{metric.title} on the test part")
    lower = sum(row[there] < row[name] for row in rows)
    alt = f"{metric.title} of {len(rows)} rows on the test part, against that of the folds; {lower} are lower there."
    note = (
        "One mark per row of the leaderboard; below the diagonal it scores lower on the test part. "
        "Filled: the best. The leaderboard is in the order of the folds: nothing is chosen by the test part."
    )
    chart = points_chart(points, x, y, equal=True, legend=True)
    return Figure("test-part", "Folds and test part", alt, chart, note=note)

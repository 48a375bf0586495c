"""Reliability diagrams: confidence against the share that is right."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ...evaluation.combination_names import names_of, rows_of
from ...evaluation.metric import FromProbabilities
from ...evaluation.metrics import overall_metrics
from ...runs.finished import FinishedRun, Row, records
from ..report.numbers import score_text
from ..vega import Figure
from .axes import WHOLE, Axis
from .examples import examples
from .points import Point, points_chart

_CONFIDENCE = Axis("confidence", WHOLE, percent=True)
_RIGHT = Axis("share correct", WHOLE, percent=True)


def reliability_figures(run: FinishedRun) -> list[Figure]:
    """One of each example; none where no probabilities were stored."""
    diagrams = (reliability_figure(run, one.row, one.slug, one.title, one.note) for one in examples(run))
    return [figure for figure in diagrams if figure]


def reliability_figure(run: FinishedRun, row: Row, slug: str, title: str, note: str = "") -> Figure | None:
    """Of one row of the leaderboard; None without bins."""
    bins = records(rows_of(run.table("reliability.parquet"), names_of(row)))
    if not bins:
        return None
    metrics = [one for one in overall_metrics() if isinstance(one.source, FromProbabilities)]
    numbers = ", ".join(f"{one.title} {score_text(one.name, row.get(one.name))}" for one in metrics)
    points = _points(bins, str(row["kind"]))
    far = max(points, key=lambda point: point.size * abs(point.x - point.y), default=None)
    alt = f"Confidence against the share correct. {title}: {numbers}."
    if far:
        alt += f" Farthest from the diagonal, counting predictions: {far.title}."
    chart = points_chart(points, _CONFIDENCE, _RIGHT, equal=True)
    return Figure(f"calibration-{slug}", title, alt, chart, note=f"{numbers[0].upper()}{numbers[1:]}. {note}".strip())


def _points(bins: Sequence[Row], kind: str) -> list[Point]:
    """A point a bin, its area by the number of predictions."""
    most = max(*(int(one["count"]) for one in bins), 1)
    return [
        Point(
            one["confidence"],
            one["accuracy"],
            f"{int(one['count']):,} predictions: confidence {100 * one['confidence']:.1f} %, "
            f"correct {100 * one['accuracy']:.1f} %",
            kind,
            front=True,
            size=20 + 330 * math.sqrt(one["count"] / most),
        )
        for one in bins
        if one["count"]
    ]

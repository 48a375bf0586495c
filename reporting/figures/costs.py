"""Score against the time of a fold, and the combinations that no other one beats in both (the Pareto front)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from ...evaluation.combination_names import names_of
from ...evaluation.metrics import metric_of
from ...evaluation.records import FIT_S
from ...runs.finished import FinishedRun, Row, records
from ..report.numbers import as_number, interval_of, score_text, seconds_of, title_of
from ..vega import KINDS, Figure
from .axes import SIDE, Axis, Domain
from .points import Point, points_chart


def pareto_front(run: FinishedRun) -> list[Row]:
    """Combinations, cheapest first, each better than every cheaper one; `seconds` is what a fold costs."""
    front: list[Row] = []
    for row in _priced(run):
        if row["kind"] == KINDS[0] and (not front or row[run.metric] > front[-1][run.metric]):
            front.append(row)
    return front


def cost_figure(run: FinishedRun) -> Figure | None:
    """None where no combination has both a score and a cost."""
    priced, front, metric = _priced(run), pareto_front(run), metric_of(run.metric)
    if not front:
        return None
    y = Axis(metric.title, _domain(run), metric.unit == "percent")
    x = Axis("seconds per fold (selector, fit and predict)", Domain.decades(row["seconds"] for row in priced), log=True)
    places = {names_of(row): str(place) for place, row in enumerate(front, 1)}
    points = [
        _point(row, run.metric, places.get(names_of(row), "")) for row in priced if y.domain.holds(row[run.metric])
    ]
    below = len(priced) - len(points)
    alt = f"{metric.title} against seconds per fold of {len(priced)} rows of the leaderboard. Best for their cost: "
    alt += "; ".join(_words(row, run.metric) for row in front)
    note = "One mark per row of the leaderboard; extraction is not counted. Filled: nothing is both cheaper and better."
    note += f" {below} rows are below the axis." if below else ""
    chart = points_chart(_legible(points, x, y), x, y, legend=True, steps=[point for point in points if point.front])
    return Figure("costs", f"{metric.title[0].upper()}{metric.title[1:]} against time", alt, chart, note=note)


def _priced(run: FinishedRun) -> list[Row]:
    """Rows with a score and a cost, cheapest first."""
    if run.metric not in run.leaderboard or FIT_S not in run.leaderboard:
        return []
    rows = [{**row, "seconds": seconds_of(row)} for row in records(run.leaderboard)]
    priced = [row for row in rows if row["seconds"] > 0 and not math.isnan(as_number(row[run.metric]))]
    return sorted(priced, key=lambda row: row["seconds"])


def _domain(run: FinishedRun) -> Domain:
    """From below the better half and the strongest shortcut to above the best."""
    ranked: Sequence[Row] = run.ranked
    rows = [ranked[0], ranked[(len(ranked) - 1) // 2], *run.shortcuts[:1]]
    return Domain.around(end for row in rows for end in interval_of(row, run.metric)).below(
        metric_of(run.metric).greatest
    )


def _point(row: Row, metric: str, label: str) -> Point:
    return Point(row["seconds"], row[metric], _words(row, metric), str(row["kind"]), bool(label), label)


def _words(row: Row, metric: str) -> str:
    return f"{title_of(names_of(row))}: {score_text(metric, row[metric])}, {row['seconds']:.2g} s"


def _legible(points: Sequence[Point], x: Axis, y: Axis) -> list[Point]:
    """Without the labels that would be written over earlier ones."""
    kept: list[tuple[float, float]] = []
    legible = []
    for point in points:
        across = SIDE * math.log(point.x / x.domain.low) / math.log(x.domain.high / x.domain.low)
        place = across, SIDE * (point.y - y.domain.low) / (y.domain.high - y.domain.low)
        free = all(max(abs(place[0] - one[0]) / 18, abs(place[1] - one[1]) / 14) >= 1 for one in kept)
        kept += [place] if point.label and free else []
        legible.append(point if free else replace(point, label=""))
    return legible

"""Rows of values with intervals, in groups: names beside them, or above them for a phone."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ...evaluation.metric import Metric
from ..vega import CARD, INK, KIND_COLOURS, KIND_SHAPES, KINDS, MARK, MUTED, NARROW, chart, layered
from .axes import Axis, Domain

AMONG_BEST, NOT_BEST = "may be the best", "is not the best"
_ROLES = (AMONG_BEST, NOT_BEST, *KINDS[1:])
_SHAPES = (KIND_SHAPES[0], *KIND_SHAPES)
_STROKES = (MARK, *KIND_COLOURS)
_FILLS = (MARK, CARD, *KIND_COLOURS[1:])


@dataclass(frozen=True)
class Mark:
    """A row: its group and name, the whole name for hints, its role, its numbers as such and as text; is it first?"""

    group: str
    name: str
    title: str
    role: str
    value: float
    low: float
    high: float
    text: str
    first: bool = False


@dataclass(frozen=True)
class Line:
    """A value that goes through all rows, with its interval."""

    kind: str
    name: str
    value: float
    low: float
    high: float


def interval_chart(
    marks: Sequence[Mark], lines: Sequence[Line], domain: Domain, metric: Metric, *, narrow: bool
) -> Any:
    """An Altair chart; what lies below `domain` is an arrow at its end, with its number.

    Parameters
    ----------
    marks : sequence of Mark
        Those of one group follow one another.
    lines : sequence of Line
    domain : Domain
        In the unit of the marks, not in percent.
    metric : Metric
    narrow : bool
        For a phone.
    """
    import altair as alt

    factor = 100 if metric.unit == "percent" else 1
    scale = domain.times(factor)
    width, step = (NARROW - 24, 31) if narrow else (430, 17)
    placed, heads, count = _placed(marks, scale, factor)
    x = functools.partial(Axis(metric.title, domain, metric.unit == "percent").channel, alt.X)
    layers = [
        *_through(lines, scale, factor, x, narrow),
        *_plotted(placed, x, _down(count), metric, columns=2 if narrow else 5),
        *_written(placed, heads, _down(count), width, narrow),
    ]
    room = {"top": 4, "bottom": 4, "left": 4 if narrow else 36, "right": 4 if narrow else 44}  # of a wider font
    return layered(layers).properties(width=width, height=step * count, padding=room)


def _plotted(placed: Sequence[dict[str, Any]], x: Any, y: Any, metric: Metric, columns: int) -> list[Any]:
    """Intervals, values, and arrows for what is below the axis."""
    import altair as alt

    inside, below = ([row for row in placed if row["inside"] is side] for side in (True, False))
    roles = [role for role in _ROLES if any(row["role"] == role for row in placed)]
    hints = [alt.Tooltip("title:N", title="row"), alt.Tooltip("text:N", title=metric.title), alt.Tooltip("role:N")]
    legend = alt.Legend(values=roles, columns=columns, symbolOpacity=1)
    stroke = _role(alt.Stroke, _STROKES, legend)
    looks = {"fill": _role(alt.Fill, _FILLS, legend), "stroke": stroke, "shape": _role(alt.Shape, _SHAPES, legend)}
    bars, dots, arrows = chart(inside), chart(inside), chart(below)
    return [
        bars.mark_rule(strokeWidth=3, opacity=0.55, strokeCap="round").encode(
            x=x("low"), x2="high:Q", y=y, stroke=stroke, tooltip=hints
        ),
        dots.mark_point(size=55, strokeWidth=2, opacity=1).encode(x=x("value"), y=y, tooltip=hints, **looks),
        arrows.mark_point(shape="triangle-left", size=40, strokeWidth=2).encode(
            x=alt.value(5), y=y, stroke=stroke, tooltip=hints
        ),
    ]


def _written(
    placed: Sequence[dict[str, Any]], heads: Sequence[dict[str, Any]], y: Any, width: int, narrow: bool
) -> list[Any]:
    """Names and numbers: beside the axes, or above each interval for a phone; those of the first row are bold."""
    import altair as alt

    left, right = (alt.value(0), alt.value(width)) if narrow else (alt.value(-8), alt.value(width + 8))
    font = {"fontSize": 10.5 if narrow else 12} | ({"dy": -10} if narrow else {})
    near, far = ("left", "right") if narrow else ("right", "left")
    limit = 150 if narrow else 300
    layers = [
        chart(heads).mark_text(align=near, **font | {"dy": 2, "fontWeight": "bold", "limit": 400})
        .encode(x=left, y=y, text="name:N")
    ]  # fmt: skip
    for first, weight in ((False, "normal"), (True, "bold")):
        part, look = [row for row in placed if row["first"] is first], font | {"fontWeight": weight}
        names, numbers = chart(part), chart(part)
        layers += [
            names.mark_text(align=near, color=INK, limit=limit, **look).encode(x=left, y=y, text="name:N"),
            numbers.mark_text(align=far, color=MUTED, **look).encode(x=right, y=y, text="text:N"),
        ]  # fmt: skip
    return layers


def _down(count: int) -> Any:
    """Places of rows, the first one on top."""
    import altair as alt

    return alt.Y("place:Q", scale=alt.Scale(domain=[count - 0.4, -0.6], nice=False, zero=False), axis=None)


def _role(channel: Any, colours: Sequence[str], legend: Any) -> Any:
    """Colours or shapes of the roles."""
    import altair as alt

    return channel("role:N", scale=alt.Scale(domain=list(_ROLES), range=list(colours)), legend=legend)


def _placed(
    marks: Sequence[Mark], scale: Domain, factor: float
) -> tuple[list[dict[str, Any]], list[dict[str, Any]], int]:
    """Rows with their places, heads of groups with theirs, and how many places there are."""
    placed: list[dict[str, Any]] = []
    heads: list[dict[str, Any]] = []
    place, group = 0, None
    for mark in marks:
        if mark.group != group:
            group = mark.group
            heads.append({"place": place, "name": group})
            place += 1
        value, low, high = (factor * number for number in (mark.value, mark.low, mark.high))
        low, high = (value if math.isnan(end) else end for end in (low, high))
        row = {"place": place, "name": mark.name, "title": mark.title, "role": mark.role, "text": mark.text}
        row |= {"value": value, "low": max(low, scale.low), "high": min(high, scale.high), "first": mark.first}
        placed.append(row | {"inside": value >= scale.low})
        place += 1
    return placed, heads, place


def _through(lines: Sequence[Line], scale: Domain, factor: float, x: Any, narrow: bool) -> list[Any]:
    """Dashed lines through all rows, each named above, pale where they cross names; of a shortcut the interval, too."""
    import altair as alt

    layers = []
    strength = {"strokeWidth": 1, "opacity": 0.5} if narrow else {"strokeWidth": 1.5, "opacity": 1}
    for place, line in enumerate(lines):
        colour = dict(zip(KINDS, KIND_COLOURS, strict=True))[line.kind]
        value, low, high = (factor * number for number in (line.value, line.low, line.high))
        low, high = (value if math.isnan(end) else end for end in (low, high))
        data = chart([{"value": value, "low": max(low, scale.low), "high": min(high, scale.high), "name": line.name}])
        right = value > (scale.low + scale.high) / 2
        near = {"align": "right" if right else "left", "baseline": "bottom", "dy": -4 - 14 * place, "limit": 260}
        band = data.mark_rect(color=colour, opacity=0.04 if narrow else 0.12).encode(x=x("low"), x2="high:Q")
        layers += [
            *([band] if line.kind == KINDS[1] else []),  # bands on one another could not be distinguished
            data.mark_rule(color=colour, strokeDash=[4, 3], **strength).encode(x=x("value")),
            data.mark_text(color=colour, fontSize=11, **near).encode(x=x("value"), y=alt.value(0), text="name:N"),
        ]
    return layers

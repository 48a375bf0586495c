"""Points in two axes: rows of a leaderboard by kind, bins of a reliability diagram, epochs of a training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..vega import KIND_COLOURS, KIND_SHAPES, KINDS, MARK, chart, layered
from .axes import Axis, diagonal, fitted


@dataclass(frozen=True)
class Point:
    """A point with its hint; a kind that is no kind of row is drawn as a combination.

    Attributes
    ----------
    x, y : float
    title : str
        What the hint says.
    kind : str
        One of `KINDS`.
    front : bool
        It is filled, and stands out.
    label : str
        Beside it.
    size : float
        Area in pixels.
    """

    x: float
    y: float
    title: str
    kind: str = KINDS[0]
    front: bool = False
    label: str = ""
    size: float = 50.0


def points_chart(
    points: Sequence[Point], x: Axis, y: Axis, *, equal: bool = False, legend: bool = False, steps: Sequence[Point] = ()
) -> Any:
    """An Altair chart of `points`, those in front last; with `equal` a line shows where both axes agree.

    Parameters
    ----------
    points : sequence of Point
        Within the ends of both axes.
    x, y : Axis
    equal : bool
    legend : bool
        Of the kinds.
    steps : sequence of Point
        A line goes through these, in steps.
    """
    import altair as alt

    kinds = [kind for kind in KINDS if any(point.kind == kind for point in points)]
    shown = alt.Legend(values=kinds, columns=2, symbolFillColor="transparent") if legend else None
    places = {"x": x.channel(alt.X, "x"), "y": y.channel(alt.Y, "y")}
    marks = chart([_row(point, x, y) for point in sorted(points, key=lambda point: point.front)])
    drawn = marks.mark_point(strokeWidth=1.5, opacity=1).encode(
        stroke=alt.Stroke("kind:N", scale=alt.Scale(domain=list(KINDS), range=list(KIND_COLOURS)), legend=shown),
        shape=alt.Shape("kind:N", scale=alt.Scale(domain=list(KINDS), range=list(KIND_SHAPES)), legend=shown),
        fill=alt.Fill("fill:N", scale=None),
        size=alt.Size("size:Q", scale=None),
        tooltip=alt.Tooltip("title:N", title="\N{BULLET}"),
        **places,
    )
    names = chart([_row(point, x, y) for point in points if point.label])
    named = names.mark_text(dy=-11, fontWeight="bold").encode(text="label:N", **places)
    line = chart([_row(point, x, y) for point in steps])
    stairs = line.mark_line(color=MARK, opacity=0.5, interpolate="step-after", strokeWidth=1.5).encode(**places)
    return fitted(layered([*([diagonal(x, y)] if equal else []), stairs, drawn, named]))


def _row(point: Point, x: Axis, y: Axis) -> dict[str, Any]:
    kind = point.kind if point.kind in KINDS else KINDS[0]
    colour = dict(zip(KINDS, KIND_COLOURS, strict=True))[kind]
    return {
        "x": x.factor * point.x, "y": y.factor * point.y, "title": point.title, "kind": kind,
        "fill": colour if point.front else "transparent", "label": point.label, "size": point.size,
    }  # fmt: skip

"""Critical-difference diagram: mean ranks over several data sets, and which methods cannot be distinguished."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..evaluation.statistics.several_data_sets import alike
from .vega import INK, MARK, MUTED, PICTURE, Figure, chart, layered, write_figure

_STEP, _LEVEL = 0.42, 0.18
_WIDTH, _UNIT = 420, 45
"""Pixels of the axis, and of one unit of height."""


def draw_critical_difference(average_ranks: Mapping[str, float], critical_difference: float, target: Path) -> None:
    """Draw the mean rank of each method on a line, the best left; a bar joins those that cannot be distinguished.

    Parameters
    ----------
    average_ranks : mapping of str to float
        Mean rank of each method over the data sets; 1 is best.
    critical_difference : float
        Mean ranks that differ by less cannot be distinguished; see
        `leukobench.evaluation.statistics.several_data_sets.critical_difference`.
    target : Path
        A PNG file; an SVG and a PDF are written beside it.

    References
    ----------
    Demsar: Statistical comparisons of classifiers over multiple data sets. JMLR 7 (2006) 1-30, figure 1.
    """
    write_figure(critical_difference_figure(average_ranks, critical_difference, target.stem), target.parent)


def critical_difference_figure(ranks: Mapping[str, float], difference: float, name: str) -> Figure:
    """The diagram; rows of its data are lines (from `x`, `y` to `x2`, `y2`) and texts."""
    ordered = sorted(ranks.items(), key=lambda item: item[1])
    groups = alike(dict(ordered), difference)
    first = min(1, math.floor(ordered[0][1]))
    last = max(len(ordered), math.ceil(ordered[-1][1]), math.ceil(first + difference))
    top = 0.35 + _LEVEL * len(groups)
    depth = top + _STEP * (math.ceil(len(ordered) / 2) - 0.5)
    spans = [(ranks[group[0]], ranks[group[-1]]) for group in groups]
    joined = "; ".join(" and ".join(group) for group in groups if len(group) > 1) or "none"
    words = ", ".join(f"{method} {rank:.2f}" for method, rank in ordered)
    alt = f"Mean ranks, best first: {words}. Critical difference {difference:.2f}; not distinguished: {joined}."
    layers = [
        *_axis(first, last, difference),
        _lines(_bars(spans, 0.008 * (last - first)), MARK, 4, "bars"),
        *_methods(ordered, (first, last), top),
    ]
    drawing = layered(layers).properties(width=_WIDTH, height=_UNIT * (depth + 0.95))
    return Figure(name, "Mean ranks", alt, _placed(drawing, (first, last), depth), formats=PICTURE)


def _placed(drawing: Any, ends: tuple[int, int], depth: float) -> Any:
    """With its scales, which have no axes."""
    import altair as alt

    for layer in drawing.layer:
        x, y = alt.Scale(domain=list(ends), nice=False), alt.Scale(domain=[-depth, 0.95], nice=False)
        layer.encoding.x = alt.X("x:Q", scale=x, axis=None)
        layer.encoding.y = alt.Y("y:Q", scale=y, axis=None)
    return drawing


def _lines(rows: Sequence[dict[str, Any]], colour: str, width: float, name: str) -> Any:
    return (
        chart(rows)
        .mark_rule(color=colour, strokeWidth=width)
        .encode(x="x:Q", y="y:Q", x2="x2", y2="y2")
        .properties(name=name)
    )


def _texts(rows: Sequence[dict[str, Any]], colour: str, align: str, dx: int = 0) -> Any:
    return chart(rows).mark_text(color=colour, align=align, dx=dx).encode(x="x:Q", y="y:Q", text="text:N")


def _line(x: float, y: float, x2: float, y2: float) -> dict[str, float]:
    return {"x": x, "y": y, "x2": x2, "y2": y2}


def _axis(first: int, last: int, difference: float) -> list[Any]:
    ticks = [_line(rank, 0, rank, 0.1) for rank in range(first, last + 1)]
    end = first + difference
    scale = [_line(first, 0.56, end, 0.56), _line(first, 0.5, first, 0.62), _line(end, 0.5, end, 0.62)]
    words = {"x": first + difference / 2, "y": 0.78, "text": f"critical difference {difference:.2f}"}
    return [
        _lines([_line(first, 0, last, 0), *ticks], INK, 1.2, "axis"),
        _texts([{"x": rank, "y": 0.26, "text": str(rank)} for rank in range(first, last + 1)], INK, "center"),
        _lines(scale, MARK, 2, "difference"),
        _texts([words], MARK, "center"),
    ]


def _bars(spans: Sequence[tuple[float, float]], more: float) -> list[dict[str, float]]:
    """A line for each group that cannot be distinguished, one below the other."""
    places = ((level, best, worst) for level, (best, worst) in enumerate(spans))
    return [
        _line(best - more, -0.16 - _LEVEL * level, worst + more, -0.16 - _LEVEL * level)
        for level, best, worst in places
    ]


def _methods(ordered: Sequence[tuple[str, float]], ends: tuple[int, int], top: float) -> list[Any]:
    """Names of the better half at the left end, of the others at the right end, each joined to its rank."""
    half = math.ceil(len(ordered) / 2)
    joints: list[dict[str, float]] = []
    left: list[dict[str, Any]] = []
    right: list[dict[str, Any]] = []
    for place, (name, rank) in enumerate(ordered):
        better = place < half
        y = -top - _STEP * (place if better else len(ordered) - 1 - place)
        end = ends[0 if better else 1]
        joints += [_line(rank, 0, rank, y), _line(min(rank, end), y, max(rank, end), y)]
        words = f"{name}  {rank:.2f}" if better else f"{rank:.2f}  {name}"
        (left if better else right).append({"x": end, "y": y, "text": words})
    dots = chart([{"x": rank, "y": 0} for _, rank in ordered]).mark_point(filled=True, color=INK, size=28, opacity=1)
    return [
        _lines(joints, MUTED, 1, "joints"),
        dots.encode(x="x:Q", y="y:Q"),
        _texts(left, INK, "right", -6),
        _texts(right, INK, "left", 6),
    ]

"""All combinations as a map: extractors and selectors down, classifiers across, the best and the shortcut marked."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from ...evaluation.combination_names import names_of, short_name
from ...evaluation.metric import Metric
from ...evaluation.metrics import metric_of
from ...runs.finished import FinishedRun, Row, records
from ..report.numbers import as_number, score_with_interval, title_of
from ..vega import INK, NARROW, PICTURE, SHORTCUT, Figure, chart, layered

_COLOURS = ("#f3f8fb", "#a9cfe3", "#4a9cc4", "#0b6d98", "#07415c")
_DARK, _LIGHT = "#111820", "#fdfefe"


def on_colour(depth: float) -> str:
    """Colour of text on a cell, from 0 (pale) to 1 (dark); it is the same where the page is dark."""
    return _LIGHT if depth > 0.55 else _DARK


def heat_figure(run: FinishedRun) -> Figure | None:
    """None where nothing was scored."""
    table, metric = run.leaderboard, metric_of(run.metric)
    table = table[table["kind"] == "combination"]
    if metric.name not in table or not table[metric.name].notna().any():
        return None
    # From the tenth part on: a bad few would make all others alike.
    low, top = (float(end) for end in table[metric.name].quantile([0.1, 1.0]))
    rows = records(table)
    shortcut, words = run.shortcuts[:1], ""
    level = as_number(shortcut[0][metric.name]) if shortcut else math.nan
    cells = [_cell(row, metric, (low, top), level) for row in rows]
    if shortcut:
        weak = sum(cell["weak"] for cell in cells)
        above = f"{weak} of {len(cells)} score no higher (orange frame)" if weak else "all combinations score higher"
        reached = score_with_interval(metric.name, shortcut[0])
        words = f"The strongest shortcut ({title_of(names_of(shortcut[0]))}) reaches {reached}: {above}."
    best = max(rows, key=lambda row: as_number(row[metric.name]) if as_number(row[metric.name]) >= 0 else -math.inf)
    factor = 100 if metric.unit == "percent" else 1
    least = min(cell["value"] for cell in cells if cell["scored"])
    palest = f"Below {metric.with_unit(low)} all cells are equally pale." if least < factor * low else ""
    ends = factor * low, factor * top
    return Figure(
        "combinations",
        f"{metric.title[0].upper()}{metric.title[1:]}{' (%)' if factor > 1 else ''} by extractor, selector, classifier",
        f"{metric.title} of {len(cells)} combinations; best {title_of(names_of(best))}, "
        f"{score_with_interval(metric.name, best)}. {words}",
        _chart(cells, ends, metric, narrow=False),
        _chart(cells, ends, metric, narrow=True),
        note=" ".join(["White frame: the best.", *([palest] if palest else []), *([words] if words else [])]),
        formats=PICTURE,
    )


def _cell(row: Row, metric: Metric, ends: tuple[float, float], level: float) -> dict[str, Any]:
    value, (low, top) = as_number(row[metric.name]), ends
    scored = not math.isnan(value)
    depth = min(max((value - low) / (top - low), 0.0), 1.0) if scored and top > low else 0.0
    return {
        "extractor": str(row["extractor"]), "selector": short_name(str(row["selector"])),
        "classifier": short_name(str(row["classifier"])), "title": title_of(names_of(row)),
        "value": (100 if metric.unit == "percent" else 1) * value,
        "hint": score_with_interval(metric.name, row) if scored else "no score",
        "text": metric.digits(value) if scored else "\N{EN DASH}", "ink": on_colour(depth), "scored": scored,
        "weak": scored and value <= level, "best": row["rank"] == 1,
    }  # fmt: skip


def _placed(cells: Sequence[dict[str, Any]]) -> tuple[list[dict[str, Any]], int]:
    """Rows of selectors below their extractors, in the same order below each: heads and names, and how many there are.

    Every cell gets its place.
    """
    places: dict[tuple[str, str], int] = {}
    written: list[dict[str, Any]] = []
    selectors = dict.fromkeys(cell["selector"] for cell in cells)
    for extractor in dict.fromkeys(cell["extractor"] for cell in cells):
        written.append({"place": len(written), "name": extractor, "head": True})
        own = {cell["selector"] for cell in cells if cell["extractor"] == extractor}
        for selector in filter(own.__contains__, selectors):
            places[extractor, selector] = len(written)
            written.append({"place": len(written), "name": selector, "head": False})
    for cell in cells:
        cell["place"] = places[cell["extractor"], cell["selector"]]
    return written, len(written)


def _chart(cells: Sequence[dict[str, Any]], ends: tuple[float, float], metric: Metric, *, narrow: bool) -> Any:
    import altair as alt

    written, count = _placed(cells)
    columns = _columns(cells)
    wide, high, font = (max((NARROW - 90) // len(columns), 26), 22, 9) if narrow else (64, 24, 12)
    y = alt.Y("place:Q", scale=alt.Scale(domain=[count - 0.5, -0.5], nice=False, zero=False), axis=None)
    labels = alt.Axis(
        title=None, orient="top", labelAngle=-40, labelOverlap=False, grid=False, labelFontSize=10 if narrow else 12
    )
    x = alt.X("classifier:N", sort=columns, axis=labels)
    legend = alt.Legend(title=f"{metric.title}{' (%)' if metric.unit == 'percent' else ''}", gradientLength=200)
    scale = alt.Scale(domain=list(ends), range=list(_COLOURS), clamp=True)
    hints = [alt.Tooltip("title:N", title="combination"), alt.Tooltip("hint:N", title=metric.title)]
    names = {"align": "right", "color": INK, "limit": 82 if narrow else 170, "fontSize": 10 if narrow else 12}
    heads = {"align": "left", "color": INK, "fontWeight": "bold", "fontSize": 11 if narrow else 12, "dy": 3}
    places = {"x": x, "y": y}
    scored, weak, best = (chart([cell for cell in cells if cell[what]]) for what in ("scored", "weak", "best"))
    frame = {"height": high - 3, "width": wide - 3, "filled": False}
    layers = [
        scored.mark_rect(height=high - 1).encode(
            color=alt.Color("value:Q", scale=scale, legend=legend), tooltip=hints, **places
        ),
        weak.mark_rect(stroke=SHORTCUT, strokeWidth=2, **frame).encode(**places),
        best.mark_rect(stroke=_LIGHT, strokeWidth=4, **frame).encode(**places),
        best.mark_rect(stroke=_DARK, strokeWidth=1.5, **frame).encode(**places),
        chart(cells)
        .mark_text(fontSize=font)
        .encode(text="text:N", color=alt.Color("ink:N", scale=None), tooltip=hints, **places),
        chart([row for row in written if not row["head"]])
        .mark_text(**names)
        .encode(x=alt.value(-6), y=y, text="name:N"),
        chart([row for row in written if row["head"]]).mark_text(**heads).encode(x=alt.value(0), y=y, text="name:N"),
    ]
    return layered(layers).properties(width=wide * len(columns), height=high * count)


def _columns(cells: Sequence[dict[str, Any]]) -> list[str]:
    """Classifiers, the best on the average first."""
    values: dict[str, list[float]] = {}
    for cell in cells:
        values.setdefault(cell["classifier"], []).extend([cell["value"]] if cell["scored"] else [])
    return sorted(values, key=lambda name: -sum(values[name]) / max(len(values[name]), 1))

"""The figure and the table of `leukobench leakage`."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..evaluation.combination_names import NAMES
from .vega import INK, PICTURE, SERIES, Figure, chart, layered, write_figure

if TYPE_CHECKING:
    import pandas as pd

_MATTERS = 2.0
"""Points: an interval from 0 or below to more than this says neither that a leak matters nor that it does not."""
_WHAT = {"as they are": "true labels", "permuted": "permuted labels: there is nothing to learn"}


def draw_leakage(table: pd.DataFrame, summary: pd.DataFrame, lines: list[str], target: Path) -> None:
    """Points of balanced accuracy that each leak adds, every combination a dot, the mean a bar with its interval.

    Parameters
    ----------
    table, summary : DataFrame
        See `leukobench.studies.leakage.Leakage`.
    lines : list of str
        In the description of the figure.
    target : Path
        PNG; an SVG and a PDF are written beside it.
    """
    write_figure(leakage_figure(table, summary, lines, target.stem), target.parent)


def leakage_figure(table: pd.DataFrame, summary: pd.DataFrame, lines: list[str], name: str) -> Figure:
    """The figure that `draw_leakage` writes: a panel for true labels, and one for permuted ones."""
    import altair as alt

    panels = list(dict.fromkeys(summary["labels"]))
    protocols, sizes = list(dict.fromkeys(summary["protocol"])), list(dict.fromkeys(summary["size"]))
    drawn = []
    for place, labels in enumerate(panels):
        rows = _rows(table[table["labels"] == labels], summary[summary["labels"] == labels], protocols, sizes)
        panel = layered(_layers(rows, protocols, sizes, place == 0))
        drawn.append(panel.properties(width=300, height=46 * len(protocols), title=_WHAT[labels]))
    heading = alt.Title(
        "What each leak adds to the score",
        subtitle=["bar: mean over combinations and repeats, line: 95 % t interval over repeats; dot: one combination"],
        frame="bounds",
    )
    best = summary.sort_values("inflation", ascending=False).iloc[0]
    words = f"Most is added by {best['protocol']}: {best['inflation']:+.1f} points. {' '.join(lines)}"
    drawing = alt.hconcat(*drawn, spacing=24).properties(title=heading)
    return Figure(name, "What each leak adds to the score", words, drawing, formats=PICTURE)


def _rows(
    table: pd.DataFrame, summary: pd.DataFrame, protocols: list[str], sizes: list[Any]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Means with their intervals, and combinations, each at its place: a protocol a row, sizes one below the other."""
    dots = 100 * table.groupby(["protocol", "size", *NAMES], sort=False)["inflation"].mean()
    means, singles = [], []
    for row in summary.to_dict("records"):
        position = sizes.index(row["size"])
        place = protocols.index(row["protocol"]) + 0.3 * (position - (len(sizes) - 1) / 2)
        at = {"place": place, "size": _size(row["size"])}
        ends = {end: row["inflation"] if math.isnan(row[end]) else row[end] for end in ("low", "high")}
        means.append({**at, "value": row["inflation"], **ends})
        singles += [{**at, "value": value} for value in dots.loc[row["protocol"], row["size"]]]
    return means, singles


def _size(size: Any) -> str:
    return "all images" if size == "all" else f"{size} images"


def _layers(
    rows: tuple[list[dict[str, Any]], list[dict[str, Any]]], protocols: list[str], sizes: list[Any], named: bool
) -> list[Any]:
    import altair as alt

    means, singles = rows
    ends = alt.Scale(domain=[len(protocols) - 0.5, -0.5], nice=False, zero=False)
    y = alt.Y("place:Q", scale=ends, axis=None)
    axis = alt.Axis(title="points of balanced accuracy: leaky less honest", tickCount=6)
    x = alt.X("value:Q", axis=axis)
    names = [_size(size) for size in sizes]
    colour = alt.Color("size:N", scale=alt.Scale(domain=names, range=list(SERIES[: len(names)])), legend=alt.Legend())
    written = chart([{"place": place, "name": name} for place, name in enumerate(protocols)])
    return [
        chart([{"value": 0}]).mark_rule(color=INK, strokeWidth=0.8).encode(x=x),
        chart(singles).mark_point(filled=True, size=16, opacity=0.35).encode(x=x, y=y, color=colour),
        chart(means).mark_rule(strokeWidth=2).encode(x=alt.X("low:Q", axis=axis), x2="high:Q", y=y, color=colour),
        chart(means).mark_tick(orient="vertical", thickness=3, size=13).encode(x=x, y=y, color=colour),
        *([written.mark_text(align="right", dx=-8).encode(x=alt.value(0), y=y, text="name:N")] if named else []),
    ]


def leakage_lines(summary: pd.DataFrame) -> list[str]:
    """The summary as a plain table, one line a protocol and size."""
    width = max(len(name) for name in summary["protocol"])
    lines = []
    for labels, part in summary.groupby("labels", sort=False):
        lines += ["", f"{_WHAT[str(labels)].capitalize()}; balanced accuracy (%)"]
        lines += [f"{'protocol':<{width}}  images  honest   leaky  inflation (points)      most"]
        lines += [_line(row, width) for row in part.to_dict("records")]
    return [*lines[1:], *_undecided(summary)]


def _undecided(summary: pd.DataFrame) -> list[str]:
    """Leaks whose interval is too wide to say anything: it holds 0 as well as an effect that would matter."""
    wide = summary[(summary["low"] <= 0) & (summary["high"] > _MATTERS)]
    if not len(wide):
        return []
    rows = wide[["protocol", "labels", "size"]].to_numpy().tolist()
    named = [f"{protocol} ({_WHAT[labels].partition(':')[0]}, {size} images)" for protocol, labels, size in rows]
    return ["", f"Cannot be decided with so few repeats (more: --repeats): {'; '.join(named)}."]


def _line(row: dict[Any, Any], width: int) -> str:
    interval = "" if math.isnan(row["low"]) else f"[{row['low']:+.1f}, {row['high']:+.1f}]"
    sides = f"{row['honest']:6.1f}  {row['leaky']:6.1f}"
    added = f"{row['inflation']:+6.1f} {interval:<16} {row['most']:+6.1f}"
    failed = f"  ({row['failed']} failed)" if row["failed"] else ""
    failed += "  cannot be decided" if row["low"] <= 0 and row["high"] > _MATTERS else ""
    return f"{row['protocol']:<{width}}  {row['size']!s:>6}  {sides}  {added}{failed}"

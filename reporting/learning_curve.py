"""The words and the figure of `leukobench learning-curve`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..evaluation.combination_names import NAMES, names_of, rows_of, title
from ..evaluation.metric import Metric
from .figures.axes import Axis, Domain
from .vega import PALE, PICTURE, SERIES, Figure, chart, layered, write_figure

if TYPE_CHECKING:
    import pandas as pd

_POINT = 0.01
"""More than this is worth more data: one point of a metric in percent."""
_COLOURS = SERIES[:4]


def curve_lines(table: pd.DataFrame, crossings: pd.DataFrame, metric: Metric, unit: str) -> list[str]:
    """What more data would do to the best combination, and which combinations change places.

    Parameters
    ----------
    table, crossings : DataFrame
        See `leukobench.studies.learning_curve.LearningCurve`.
    metric : Metric
    unit : {"patients", "images"}
    """
    best = _rows_of_first(table)
    whole, sizes = best[-1], [f"{row['units']:,.0f}" for row in best]
    scores = ", ".join(
        f"with {size}: {_value(row, metric)}" for row, size in zip(best[-2::-1], sizes[-2::-1], strict=True)
    )
    return [
        f"{title(names_of(whole))}, trained on all {sizes[-1]} {unit} of a training part: {_value(whole, metric)} "
        f"{metric.title}; {scores}.",
        f"{_verdict(best, metric, unit)} {_others(table)}",
        _changes(table, crossings, metric, unit),
        f"95 % intervals, which allow for other test images and for other training {unit} of that number. The best was "
        "picked with everything, which flatters its last step.",
    ]


def _verdict(best: Sequence[Any], metric: Metric, unit: str) -> str:
    """The first size from which on everything else adds less than a point, or else what the last doubling added."""
    more = [place for place, row in enumerate(best[:-1]) if not row["gain_high"] < _POINT]
    first = more[-1] + 1 if more else 0
    everything, half = best[-1]["units"], best[-2]
    if first < len(best) - 1:
        row = best[first]
        return (
            f"LESS THAN A POINT MORE: {row['units']:,.0f} of the {everything:,.0f} {unit} do as well within a point; "
            f"all the others add {_gain(row, 'gain', metric)}."
        )
    doubled = f"from {half['units']:,.0f} to {everything:,.0f} {unit} adds {_gain(half, 'doubling', metric)}"
    if half["doubling_low"] > _POINT:
        return f"NOT LEVELLED OFF: {doubled}, so more {unit} like these are likely to help."
    return f"UNDECIDED: {doubled}, which may be more or less than a point."


def _others(table: pd.DataFrame) -> str:
    """How many combinations the last doubling still helps."""
    last = table[table["doubling"].notna()].groupby(list(NAMES), sort=False).tail(1)
    less, more = int((last["doubling_high"] < _POINT).sum()), int((last["doubling_low"] > _POINT).sum())
    return f"Of {len(last)} combinations the last doubling adds less than a point to {less}, more to {more}."


def _changes(table: pd.DataFrame, crossings: pd.DataFrame, metric: Metric, unit: str) -> str:
    first = _best(table[table["units"] == table["units"].min()])
    words = f"With {first['units']:,.0f} {unit} the best is {title(names_of(first))}, {_value(first, metric)}."
    if not len(crossings):
        return f"{words} No two combinations change places beyond the intervals."
    row: dict[Any, Any] = min(crossings.to_dict("records"), key=lambda one: one["with_all"])
    few, all_ = ([row[f"{side}_{name}"] for name in NAMES] for side in ("few", "all"))
    count = f"{len(crossings)} pair{'s change' if len(crossings) > 1 else ' changes'} places"
    return (
        f"{words} {count} beyond the intervals, such as {title(few)}, which leads {title(all_)} by "
        f"{_gain(row, 'with_few', metric)} with {row['units']:,.0f} {unit} and falls behind it by "
        f"{_gain(row, 'with_all', metric, -1)} with all."
    )


def _value(row: Any, metric: Metric) -> str:
    return metric.with_interval(row["value"], row["low"], row["high"])


def _gain(row: Any, name: str, metric: Metric, sign: int = 1) -> str:
    low, high = sorted(sign * row[f"{name}_{end}"] for end in ("low", "high"))
    points = " points" if metric.unit == "percent" else ""
    return f"{metric.digits(sign * row[name])}{points} {metric.brackets(low, high)}"


def _rows_of_first(table: pd.DataFrame) -> list[Any]:
    return rows_of(table, names_of(table.to_dict("records")[0])).to_dict("records")


def _best(table: pd.DataFrame) -> dict[Any, Any]:
    """The row with the highest value, the first of equals."""
    return max(table.to_dict("records"), key=lambda row: row["value"])


def draw_curves(table: pd.DataFrame, metric: Metric, unit: str, lines: Sequence[str], target: Path) -> None:
    """All curves, with the bands of the best combination of each size: a PNG, with an SVG and a PDF beside it."""
    write_figure(curve_figure(table, metric, unit, lines, target.stem), target.parent)


def curve_figure(table: pd.DataFrame, metric: Metric, unit: str, lines: Sequence[str], name: str) -> Figure:
    """The figure that `draw_curves` writes."""
    import altair as alt

    curves = {names_of(row): rows_of(table, names_of(row)) for row in table.to_dict("records")}
    winners = [names_of(_best(part)) for _, part in table.groupby("units", sort=False)]
    shown = list(dict.fromkeys([next(iter(curves)), *winners]))[: len(_COLOURS)]
    y, sizes = _height(table, [curves[one] for one in shown], metric), sorted(set(table["units"]))
    ends = alt.Scale(type="log", base=2, domain=[sizes[0], sizes[-1]], nice=False)
    x = alt.X("units:Q", scale=ends, axis=alt.Axis(title=f"{unit} to train on", values=sizes, format=",.0f"))
    rows = [row for one, curve in curves.items() for row in _rows_of_curve(title(one), curve, metric, y.domain)]
    titles = [title(one) for one in shown]
    colour = alt.Color("name:N", scale=alt.Scale(domain=titles, range=list(_COLOURS)), legend=alt.Legend(columns=1))
    hint, front = alt.Tooltip("title:N", title="\N{BULLET}"), chart([row for row in rows if row["name"] in titles])
    behind = chart([row for row in rows if row["name"] not in titles]).mark_line(color=PALE, strokeWidth=0.8, clip=True)
    across = {"x": x, "y": y.channel(alt.Y, "value")}
    layers = [
        behind.encode(detail="name:N", tooltip=hint, **across),
        front.mark_area(opacity=0.15).encode(x=x, y=y.channel(alt.Y, "low"), y2="high", color=colour),
        front.mark_line(point={"size": 40, "filled": True}).encode(color=colour, tooltip=hint, **across),
    ]
    drawing = layered(layers).properties(
        title=f"{len(curves)} combinations with more to train on", width=480, height=300
    )
    return Figure(name, f"{metric.title} with more {unit}", " ".join(lines), drawing, formats=PICTURE)


def _height(table: pd.DataFrame, shown: Sequence[pd.DataFrame], metric: Metric) -> Axis:
    """From the tenth part of the worst size on: a few bad combinations would press the others together."""
    least = [table.groupby("units")["value"].quantile(0.1).min(), *(curve["low"].min() for curve in shown)]
    most = [table["value"].max(), *(curve["high"].max() for curve in shown)]
    return Axis(metric.title, Domain(float(min(least)), float(max(most))), metric.unit == "percent")


def _rows_of_curve(name: str, curve: pd.DataFrame, metric: Metric, domain: Domain) -> list[dict[str, Any]]:
    factor = 100 if metric.unit == "percent" else 1
    return [
        {"name": name, "units": row["units"], "title": f"{name}, {row['units']:,.0f}: {_value(row, metric)}"}
        | {end: factor * max(row[end], domain.low) for end in ("value", "low", "high")}
        for row in curve.to_dict("records")
    ]

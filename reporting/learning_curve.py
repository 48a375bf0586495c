"""The words and the figure of `leukobench learning-curve`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..evaluation.combination_names import NAMES, names_of, rows_of, title
from ..evaluation.metric import Metric
from .figures.png import INK, MARK, PALE, caption, new_figure, save

if TYPE_CHECKING:
    import pandas as pd

_POINT = 0.01
"""More than this is worth more data: one point of a metric in percent."""
_COLOURS = (MARK, "#c2410c", "#7c3aed", "#52606d")


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


def draw_curves(table: pd.DataFrame, metric: Metric, unit: str, lines: list[str], target: Path) -> None:
    """All curves, with the bands of the best combination of each size, as PNG."""
    curves = {names_of(row): rows_of(table, names_of(row)) for row in table.to_dict("records")}
    winners = [names_of(_best(part)) for _, part in table.groupby("units", sort=False)]
    shown = list(dict.fromkeys([next(iter(curves)), *winners]))[: len(_COLOURS)]
    figure, (axes,) = new_figure(7, 4.5)
    scale = 100 if metric.unit == "percent" else 1
    for name, curve in curves.items():
        if name not in shown:
            axes.plot(curve["units"], scale * curve["value"], color=PALE, linewidth=0.8, zorder=1)
    for colour, name in zip(_COLOURS, shown, strict=False):
        curve = curves[name]
        x, low, high = curve["units"], scale * curve["low"], scale * curve["high"]
        axes.fill_between(x, low, high, color=colour, alpha=0.15, linewidth=0, zorder=2)
        axes.plot(x, scale * curve["value"], "o-", color=colour, markersize=4, label=title(name), zorder=3)
    seen = scale * table.groupby("units")["value"].quantile(0.1).min()
    axes.set_ylim(bottom=min(seen, *(scale * curves[name]["low"].min() for name in shown)))
    sizes = sorted(set(table["units"]))
    axes.set_xscale("log", base=2)
    axes.set_xticks(sizes, [f"{size:,.0f}" for size in sizes])
    axes.minorticks_off()
    axes.set_xlabel(f"{unit} to train on", color=INK)
    axes.set_ylabel(f"{metric.title}{' (%)' if scale > 1 else ''}", color=INK)
    axes.grid(color=PALE, linewidth=0.5)
    axes.legend(frameon=False, fontsize=8, loc="lower right")
    caption(axes, f"{len(curves)} combinations with more to train on", lines, below=45)
    save(figure, target)

"""The figure and the table of `leukobench leakage`."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

from .figures import INK, MARK, PALE, caption, new_figure, save

if TYPE_CHECKING:
    import pandas as pd

_COLOURS = (MARK, "#c2410c", "#52606d", "#7c3aed")


def draw_leakage(table: pd.DataFrame, summary: pd.DataFrame, lines: list[str], target: Path) -> None:
    """Points of balanced accuracy that each leak adds, every combination a dot, the mean a bar with its interval.

    Parameters
    ----------
    table, summary : DataFrame
        See `leukobench.leakage.Leakage`.
    lines : list of str
        Under the figure.
    target : Path
        PNG.
    """
    protocols, sizes = list(dict.fromkeys(summary["protocol"])), list(dict.fromkeys(summary["size"]))
    figure, axes = new_figure(7.5, 1 + 0.62 * len(protocols))
    combinations = ["protocol", "size", "extractor", "selector", "classifier"]
    dots = 100 * table.groupby(combinations, sort=False)["inflation"].mean()
    for position, size in enumerate(sizes):
        colour, shift = _COLOURS[position % len(_COLOURS)], 0.3 * (position - (len(sizes) - 1) / 2)
        for row in summary[summary["size"] == size].to_dict("records"):
            y = protocols.index(row["protocol"]) + shift
            values = dots.loc[row["protocol"], size]
            axes.plot(values, [y] * len(values), "o", color=colour, alpha=0.3, markersize=4, markeredgewidth=0)
            axes.plot([row["low"], row["high"]], [y, y], color=colour, linewidth=2)
            axes.plot(row["inflation"], y, "|", color=colour, markersize=13, markeredgewidth=3)
        label = "all images" if size == "all" else f"{size} images"
        axes.plot([], [], "|", color=colour, markersize=10, markeredgewidth=3, label=label)
    axes.axvline(0, color=INK, linewidth=0.8)
    axes.set_yticks(range(len(protocols)), protocols)
    axes.invert_yaxis()
    axes.grid(axis="x", color=PALE, linewidth=0.5)
    axes.set_xlabel("points of balanced accuracy: leaky less honest")
    axes.legend(frameon=False, fontsize=8, loc="lower right")
    told = [*lines, "bar: mean over combinations and repeats, line: 95 % t interval over repeats; dot: one combination"]
    caption(axes, "What each leak adds to the score", told, below=45)
    save(figure, target)


def leakage_lines(summary: pd.DataFrame) -> list[str]:
    """The summary as a plain table, one line a protocol and size."""
    width = max(len(name) for name in summary["protocol"])
    lines = [f"{'protocol':<{width}}  images  honest   leaky  inflation (points)      most"]
    for row in summary.to_dict("records"):
        interval = "" if math.isnan(row["low"]) else f"[{row['low']:+.1f}, {row['high']:+.1f}]"
        sides = f"{row['honest']:6.1f}  {row['leaky']:6.1f}"
        added = f"{row['inflation']:+6.1f} {interval:<16} {row['most']:+6.1f}"
        lines.append(f"{row['protocol']:<{width}}  {row['size']!s:>6}  {sides}  {added}")
    return lines

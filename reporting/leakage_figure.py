"""The figure and the table of `leukobench leakage`."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..evaluation.combination_names import NAMES
from .figures.png import INK, MARK, PALE, caption, new_figure, save

if TYPE_CHECKING:
    import pandas as pd

_COLOURS = (MARK, "#c2410c", "#52606d", "#7c3aed")
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
        Under the figure.
    target : Path
        PNG.
    """
    panels = list(dict.fromkeys(summary["labels"]))
    protocols = list(dict.fromkeys(summary["protocol"]))
    sizes = list(dict.fromkeys(summary["size"]))
    figure, axes = new_figure(4 + 3.5 * len(panels), 1.4 + 0.5 * len(protocols), len(panels))
    for panel, labels in zip(axes, panels, strict=True):
        part, own = summary[summary["labels"] == labels], table[table["labels"] == labels]
        _draw(panel, own, part, protocols, sizes)
        panel.text(0, 1.02, _WHAT[labels], transform=panel.transAxes, fontsize=9, color=INK)
    for position, size in enumerate(sizes):
        label = "all images" if size == "all" else f"{size} images"
        axes[0].plot([], [], "|", color=_COLOURS[position % 4], markersize=10, markeredgewidth=3, label=label)
    place = {"loc": "lower right", "bbox_to_anchor": (1, 1.06), "borderaxespad": 0, "ncols": len(sizes)}
    axes[-1].legend(*axes[0].get_legend_handles_labels(), frameon=False, fontsize=8, **place)
    axes[0].set_yticks(range(len(protocols)), protocols)
    legend = [
        *lines,
        "bar: mean over combinations and repeats, line: 95 % t interval over repeats; dot: one combination",
    ]
    caption(axes[0], "What each leak adds to the score\n", legend, below=45)
    save(figure, target)


def _draw(axes: Any, table: pd.DataFrame, summary: pd.DataFrame, protocols: list[str], sizes: list[Any]) -> None:
    combinations = ["protocol", "size", *NAMES]
    dots = 100 * table.groupby(combinations, sort=False)["inflation"].mean()
    for row in summary.to_dict("records"):
        position = sizes.index(row["size"])
        colour, shift = _COLOURS[position % len(_COLOURS)], 0.3 * (position - (len(sizes) - 1) / 2)
        y = protocols.index(row["protocol"]) + shift
        values = dots.loc[row["protocol"], row["size"]]
        axes.plot(values, [y] * len(values), "o", color=colour, alpha=0.3, markersize=4, markeredgewidth=0)
        axes.plot([row["low"], row["high"]], [y, y], color=colour, linewidth=2)
        axes.plot(row["inflation"], y, "|", color=colour, markersize=13, markeredgewidth=3)
    axes.axvline(0, color=INK, linewidth=0.8)
    axes.set_yticks([])
    axes.set_ylim(len(protocols) - 0.5, -0.5)
    axes.grid(axis="x", color=PALE, linewidth=0.5)
    axes.set_xlabel("points of balanced accuracy: leaky less honest", fontsize=9)


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

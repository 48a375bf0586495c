"""Figures of a run, drawn without a display."""

from __future__ import annotations

import math
import textwrap
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...evaluation.combination_names import NAMES
from ...evaluation.metrics import metric_of
from ...storage import atomic_path

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

INK, PALE, MARK, SHORTCUT = "#1f2933", "#cbd2d9", "#0b6e99", "#c2410c"
_BEST = 20


def draw_figures(
    leaderboard: pd.DataFrame, scores: pd.DataFrame, rank_by: str, protocol: list[str], folder: Path
) -> None:
    """Write ``leaderboard.png`` (best combinations, every fold a point) and ``combinations.png`` (heat map)."""
    if leaderboard["rank"].notna().any():
        save(_dots(leaderboard, scores, rank_by, protocol), folder / "leaderboard.png")
        save(_heat(leaderboard, rank_by, protocol), folder / "combinations.png")


def _dots(leaderboard: pd.DataFrame, scores: pd.DataFrame, rank_by: str, protocol: list[str]) -> Figure:
    best = _best_and_shortcuts(leaderboard, rank_by)
    keys = list(NAMES)
    folds = scores[scores.metric == rank_by].groupby(keys)["value"]
    named = best.to_dict("records")
    labels = [" \N{MIDDLE DOT} ".join(row[key] for key in keys) for row in named]
    figure, (axes,) = new_figure(7, 0.8 + 0.3 * len(best))
    strongest = best[best["kind"] == "shortcut"].head(1)
    seen = [best.loc[best["kind"] == "combination", f"{rank_by}_low"].min(), *strongest[f"{rank_by}_low"]]
    left, right = min(seen), best[f"{rank_by}_high"].max()
    axes.set_xlim(left - 0.05 * (right - left), right + 0.05 * (right - left))
    for position, row in enumerate(named):
        if row[rank_by] < left:
            axes.text(
                left,
                position,
                f"\N{LEFTWARDS ARROW} {metric_of(rank_by).digits(row[rank_by])}",
                color=SHORTCUT,
                va="center",
                fontsize=9,
            )
            continue
        values = folds.get_group(tuple(row[key] for key in keys))
        axes.plot(values, [position] * len(values), "o", color=PALE, markersize=5, zorder=1)
        colour = SHORTCUT if row["kind"] == "shortcut" else MARK
        axes.plot([row[f"{rank_by}_low"], row[f"{rank_by}_high"]], [position] * 2, color=colour, linewidth=2, zorder=2)
        axes.plot(row[rank_by], position, "|", color=colour, markersize=14, markeredgewidth=3, zorder=3)
    axes.set_yticks(range(len(best)), labels)
    axes.invert_yaxis()
    for tick, row in zip(axes.get_yticklabels(), named, strict=True):
        tick.set_color(SHORTCUT if row["kind"] == "shortcut" else INK)
    metric = metric_of(rank_by)
    scale, unit = (100, " (%)") if metric.unit == "percent" else (1, "")
    axes.xaxis.set_major_formatter(lambda value, place: f"{scale * value:.4g}")
    axes.set_xlabel(f"{metric.title}{unit} with its 95 % interval; each fold (points)")
    axes.grid(axis="x", color=PALE, linewidth=0.5)
    shown, count = (best["kind"] == "combination").sum(), (leaderboard["kind"] == "combination").sum()
    caption(axes, f"Best {shown} of {count} combinations, and what shortcuts alone reach", protocol, below=45)
    return figure


def _best_and_shortcuts(leaderboard: pd.DataFrame, rank_by: str) -> pd.DataFrame:
    shortcuts = leaderboard[(leaderboard["kind"] == "shortcut") & leaderboard[rank_by].notna()]
    best = leaderboard[leaderboard["rank"].notna()].head(_BEST)
    return leaderboard.loc[[*best.index, *shortcuts.index]]


def _heat(leaderboard: pd.DataFrame, rank_by: str, protocol: list[str]) -> Figure:
    import numpy as np

    rows = leaderboard[leaderboard["kind"] == "combination"]
    rows = rows.assign(row=rows.extractor + "  \N{MIDDLE DOT}  " + rows.selector)
    table = rows.pivot_table(index="row", columns="classifier", values=rank_by, sort=False, dropna=False)
    table = table.sort_index()[table.mean().sort_values(ascending=False).index]
    values, metric = table.to_numpy(), metric_of(rank_by)
    low, high = np.nanpercentile(values, 10), np.nanmax(values)
    figure, (axes,) = new_figure(1 + 0.8 * table.shape[1], 1 + 0.32 * table.shape[0])
    axes.imshow(values, cmap="viridis", vmin=low, vmax=max(high, low + 1e-9), aspect="auto")
    for (y, x), value in np.ndenumerate(values):
        text = "failed" if np.isnan(value) else metric.digits(value)
        axes.text(x, y, text, ha="center", va="center", fontsize=8, color=_contrast(value, low, high))
    axes.set_xticks(range(table.shape[1]), [name.replace("_", " ") for name in table.columns], rotation=30, ha="right")
    axes.set_yticks(range(table.shape[0]), table.index)
    unit = " (%)" if metric.unit == "percent" else ""
    caption(axes, f"{metric.title[0].upper()}{metric.title[1:]}{unit}", protocol, below=85)
    return figure


def _contrast(value: float, low: float, high: float) -> str:
    return "black" if math.isnan(value) or value > low + 0.6 * (high - low) else "white"


def new_figure(width: float, height: float, panels: int = 1) -> tuple[Figure, list[Any]]:
    """A white figure, in inches, and its panels side by side, without frames."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), facecolor="white")
    FigureCanvasAgg(figure)
    plots = [figure.add_subplot(1, panels, position + 1) for position in range(panels)]
    for axes in plots:
        axes.tick_params(colors=INK, length=0, labelsize=9)
        axes.spines[:].set_visible(False)
    return figure, plots


def caption(axes: Any, title: str, protocol: list[str], below: int) -> None:
    """Title above; under the axes, `below` points down, the evaluation protocol."""
    lines = [part for line in protocol for part in textwrap.wrap(line, 110, subsequent_indent="    ")]
    axes.set_title(title, loc="left", fontsize=12, color=INK, fontweight="bold")
    place = {"xy": (0, 0), "xycoords": "axes fraction", "xytext": (0, -below), "textcoords": "offset points"}
    axes.annotate("\n".join(lines), **place, fontsize=7.5, color=INK, va="top")


def save(figure: Figure, target: Path) -> None:
    """As PNG, whole or not at all."""
    from matplotlib import rc_context

    with atomic_path(target) as temporary, rc_context({"text.parse_math": False}), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph", UserWarning)  # a class name in a script that the font lacks
        figure.savefig(temporary, dpi=150, format="png", bbox_inches="tight", pad_inches=0.25)

"""Critical-difference diagram: mean ranks over several data sets, and which methods cannot be distinguished."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..evaluation.statistics.several_data_sets import alike
from .figures.png import INK, MARK, save

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_LINE = "#7b8794"
_STEP, _LEVEL = 0.42, 0.18


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
        A PNG file, written atomically.

    References
    ----------
    Demsar: Statistical comparisons of classifiers over multiple data sets. JMLR 7 (2006) 1-30, figure 1.
    """
    save(_figure(average_ranks, critical_difference), target)


def _figure(average_ranks: Mapping[str, float], critical_difference: float) -> Figure:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    ordered = sorted(average_ranks.items(), key=lambda item: item[1])
    groups = alike(dict(ordered), critical_difference)
    first = min(1, math.floor(ordered[0][1]))
    last = max(len(ordered), math.ceil(ordered[-1][1]), math.ceil(first + critical_difference))
    top = 0.35 + _LEVEL * len(groups)
    depth = top + _STEP * (math.ceil(len(ordered) / 2) - 0.5)
    figure = Figure(figsize=(7, 0.9 + 0.6 * depth), facecolor="white")
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.set(xlim=(first, last), ylim=(-depth, 0.8))
    axes.set_axis_off()
    _draw_axis(axes, first, last, critical_difference)
    _draw_groups(axes, [(average_ranks[group[0]], average_ranks[group[-1]]) for group in groups], last - first)
    _draw_methods(axes, ordered, (first, last), top)
    return figure


def _draw_axis(axes: Any, first: int, last: int, critical_difference: float) -> None:
    axes.plot([first, last], [0, 0], color=INK, linewidth=1.2, clip_on=False)
    for rank in range(first, last + 1):
        axes.plot([rank, rank], [0, 0.1], color=INK, linewidth=1.2, clip_on=False)
        axes.text(rank, 0.16, str(rank), ha="center", va="bottom", color=INK, fontsize=10)
    axes.plot([first, first + critical_difference], [0.62, 0.62], "|-", color=MARK, linewidth=2, clip_on=False)
    middle = first + critical_difference / 2
    text = f"critical difference {critical_difference:.2f}"
    axes.text(middle, 0.7, text, ha="center", va="bottom", color=MARK, fontsize=10)


def _draw_groups(axes: Any, spans: list[tuple[float, float]], width: float) -> None:
    for level, (best, worst) in enumerate(spans):
        ends = [best - 0.008 * width, worst + 0.008 * width]
        axes.plot(ends, [-0.16 - _LEVEL * level] * 2, color=MARK, linewidth=4, solid_capstyle="butt", clip_on=False)


def _draw_methods(axes: Any, ordered: list[tuple[str, float]], ends: tuple[int, int], top: float) -> None:
    """Names of the better half at the left end, of the others at the right end, each joined to its rank."""
    half = math.ceil(len(ordered) / 2)
    for place, (name, rank) in enumerate(ordered):
        left = place < half
        height = -top - _STEP * (place if left else len(ordered) - 1 - place)
        axes.plot([rank, rank, ends[0 if left else 1]], [0, height, height], color=_LINE, linewidth=1, clip_on=False)
        axes.plot(rank, 0, "o", color=INK, markersize=4, clip_on=False)
        text = {"ha": "right" if left else "left", "va": "center", "color": INK, "fontsize": 10}
        axes.annotate(
            f"{name}  {rank:.2f}" if left else f"{rank:.2f}  {name}",
            (ends[0 if left else 1], height),
            xytext=(-5 if left else 5, 0),
            textcoords="offset points",
            **text,
        )

"""Confusion matrices: counts of each label by prediction, coloured by the share of the label."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ...evaluation.combination_names import names_of, rows_of
from ...runs.finished import FinishedRun, Row
from ..vega import CARD, INK, MARK, NARROW, SHORTCUT, Figure, chart, layered
from .examples import examples

if TYPE_CHECKING:
    import pandas as pd

_CELL, _ROOMY, _LEAST = 52, 40, 26


def confusion_figures(run: FinishedRun) -> list[Figure]:
    """One of each example; none where no counts were stored."""
    figures = (confusion_figure(run, one.row, one.slug, one.title, one.note) for one in examples(run))
    return [figure for figure in figures if figure]


def confusion_figure(run: FinishedRun, row: Row, slug: str, title: str, note: str = "") -> Figure | None:
    """Of one row of the leaderboard; None without counts."""
    counts = rows_of(run.table("confusion.parquet"), names_of(row))
    if not len(counts):
        return None
    classes = list(dict.fromkeys([*counts["label"], *counts["predicted"]]))
    cells = confusion_cells(counts, classes)
    wrong = sum(cell["count"] for cell in cells if not cell["right"])
    total = sum(cell["count"] for cell in cells)
    errors = sorted((cell for cell in cells if not cell["right"] and cell["count"]), key=lambda cell: -cell["count"])
    commonest = "; ".join(f"{cell['label']} taken for {cell['predicted']}: {cell['count']:,}" for cell in errors[:3])
    alt = f"Confusion matrix. {title}: {wrong:,} wrong of {total:,}. {commonest}"
    note = f"{wrong:,} wrong of {total:,}. {note}".strip()
    return Figure(f"confusion-{slug}", title, alt, _chart(cells, classes), note=note)


def confusion_cells(counts: pd.DataFrame, classes: list[str]) -> list[dict[str, Any]]:
    """Each label by each prediction: count, its share of the label, and the depth of its colour, 0 to 1."""
    summed = counts.groupby(["label", "predicted"])["count"].sum()
    totals = counts.groupby("label")["count"].sum()
    cells = []
    for label in classes:
        for predicted in classes:
            count, total = int(summed.get((label, predicted), 0)), max(int(totals.get(label, 0)), 1)
            right, part = label == predicted, count / total
            depth = part if right else 0.2 + 0.8 * math.sqrt(part) if count else 0.0  # rare errors are looked for
            deep = depth > (0.5 if right else 0.85)
            cells.append({
                "label": label, "predicted": predicted, "count": count, "right": right, "depth": depth,
                "share": f"{_share(part)} %" if count else "", "text": f"{count:,}", "ink": CARD if deep else INK,
            })  # fmt: skip
    return cells


def _share(part: float) -> str:
    """In percent; never 0 or 100 for what is only nearly so."""
    return f"{100 * part:.0f}" if part in (0.0, 1.0) else f"{min(max(100 * part, 0.1), 99.9):.1f}"


def _chart(cells: list[dict[str, Any]], classes: list[str]) -> Any:
    import altair as alt

    side = max(min(_CELL, (NARROW - 90) // len(classes)), _LEAST)
    axis: dict[str, Any] = {"grid": False, "labelOverlap": False, "labelLimit": 110}
    across = alt.X("predicted:N", sort=classes, axis=alt.Axis(title="prediction", orient="top", labelAngle=-40, **axis))
    places = {"x": across, "y": alt.Y("label:N", sort=classes, axis=alt.Axis(title="label", **axis))}
    hints = [alt.Tooltip(f"{name}:N", title=name) for name in ("label", "predicted")]
    hints += [alt.Tooltip("text:N", title="images"), alt.Tooltip("share:N", title="of the label")]
    depth = alt.Opacity("depth:Q", scale=alt.Scale(domain=[0, 1], range=[0, 0.9]), legend=None)
    layers = []
    for right, colour in ((True, MARK), (False, SHORTCUT)):
        part = chart([cell for cell in cells if cell["right"] is right])
        layers.append(part.mark_rect(color=colour).encode(opacity=depth, tooltip=hints, **places))
    numbers, ink, roomy = chart(cells), alt.Color("ink:N", scale=None), side >= _ROOMY
    layers.append(numbers.mark_text(dy=-7 if roomy else 0).encode(text="text:N", color=ink, **places))
    if roomy:
        layers.append(numbers.mark_text(dy=8, fontSize=10).encode(text="share:N", color=ink, **places))
    return layered(layers).properties(width=side * len(classes), height=side * len(classes))

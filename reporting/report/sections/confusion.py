"""Confusion matrices of the best combination, the one that differs most from it, and the strongest shortcut."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from ....evaluation.combination_names import names_of, rows_of
from ....runs.finished import FinishedRun, Row
from ...figures.confusion import confusion_figures
from ..interactive import figure_html
from ..numbers import examples, title_of
from ..section import Section, View, fragment

if TYPE_CHECKING:
    import pandas as pd


def section(run: FinishedRun) -> Section | None:
    """None where no counts were stored."""
    figures = tuple(confusion_figures(run))
    if not figures:
        return None
    html = fragment("confusion", figures=[figure_html(one) for one in figures])
    best = confusions(run)[0]
    finding = f"{best['wrong']:,} of {best['total']:,} predictions are wrong"
    return Section("Confusion matrices", html, figures=figures, finding=finding)


def confusions(run: FinishedRun) -> list[View]:
    """Counts of each label (down) by prediction (across) for the best combinations and the strongest shortcut."""
    table = run.table("confusion.parquet")
    counts = ((row, rows_of(table, names_of(row))) for row in examples(run))
    return [_confusion(row, own) for row, own in counts if len(own)]


def _confusion(row: Row, counts: pd.DataFrame) -> View:
    wide = counts.pivot_table(
        index="label", columns="predicted", values="count", aggfunc="sum", fill_value=0, sort=False, observed=True
    )
    classes = list(dict.fromkeys([*wide.index, *wide.columns]))
    wide = wide.reindex(index=classes, columns=classes, fill_value=0).astype(int)
    rows = []
    for label, cells in wide.iterrows():
        total = max(int(cells.sum()), 1)
        rows.append({"label": label, "cells": [_cell(int(n), n / total, name == label) for name, n in cells.items()]})
    counted, right = int(wide.to_numpy().sum()), int(np.trace(wide.to_numpy()))
    sums = {"wrong": counted - right, "total": counted}
    return {"title": title_of(names_of(row)), "kind": row["kind"], "classes": classes, "rows": rows, **sums}


def _cell(count: int, part: float, right: bool) -> View:
    return {"count": count, "share": _share(part), "heat": _heat(part, right), "right": right}


def _share(part: float) -> str:
    """In percent; never 0 or 100 for what is only nearly so."""
    if part in (0.0, 1.0):
        return f"{100 * part:.0f}"
    return f"{min(max(100 * part, 0.1), 99.9):.1f}"


def _heat(part: float, right: bool) -> float:
    """Depth of colour, 0 to 100; the rare errors are what is looked for."""
    return round(100 * part if right else 25 + 75 * math.sqrt(part) if part else 0, 1)

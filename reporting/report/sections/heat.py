"""A heat map of all combinations: extractors and selectors in rows, classifiers in columns."""

from __future__ import annotations

import math

from ....evaluation.combination_names import NAMES, Names, names_of
from ....evaluation.metrics import metric_of
from ....runs.finished import FinishedRun, records
from ...figures.heat_map import heat_figure
from ..charts import Scale
from ..interactive import figure_html
from ..numbers import as_number, score_text
from ..section import Section, View, fragment


def section(run: FinishedRun) -> Section | None:
    """None where nothing was scored."""
    heat, figure = heat_map(run), heat_figure(run)
    if heat is None or figure is None:
        return None
    title = f"Extractor, selector and classifier: {metric_of(run.metric).title}"
    html = fragment("heat", heat=heat, figure=figure_html(figure))
    return Section(title, html, nav="Heat map", figures=(figure,), finding=_finding(run))


def _finding(run: FinishedRun) -> str:
    """How many combinations are not above the strongest shortcut."""
    if not run.shortcuts:
        return ""
    strongest = run.shortcuts[0]
    low = sum(as_number(row[run.metric]) <= strongest[run.metric] for row in run.ranked)
    reached = f"the strongest shortcut, {score_text(run.metric, strongest[run.metric])}"
    return f"{low:,} of {len(run.ranked):,} are not above {reached}" if low else f"all are above {reached}"


def heat_map(run: FinishedRun) -> View | None:
    """Extractor and selector down, classifier across; the best column first."""
    table, metric = run.leaderboard, run.metric
    table = table[table["kind"] == "combination"]
    if metric not in table or not table[metric].notna().any():
        return None
    wide = table.pivot_table(index=list(NAMES[:2]), columns=NAMES[2], values=metric, dropna=False, observed=True)
    present = set(map(names_of, records(table)))
    wide = wide.reindex(columns=wide.mean().sort_values(ascending=False).index)
    wide = wide[[names in {key[:2] for key in present} for names in wide.index]]
    low, top = table[metric].quantile([0.1, 1.0])
    scale = Scale(low, max(top, low + 1e-6))
    groups: dict[str, list[View]] = {}
    for (extractor, selector), row in zip(wide.index, records(wide), strict=True):
        cells = [_cell(metric, (extractor, selector, name), row[name], present, scale) for name in wide.columns]
        groups.setdefault(extractor, []).append({"selector": selector, "cells": cells})
    return {"columns": list(wide.columns), "groups": groups}


def _cell(metric: str, key: tuple[str, ...], value: float, present: set[Names], scale: Scale) -> View:
    if math.isnan(value):
        return {"text": "no score" if key in present else "", "heat": 0, "best": False}
    return {
        "text": metric_of(metric).digits(value),
        "heat": round(100 * scale.at(value), 1),
        "best": value == scale.high,
    }

"""Score against seconds per fold, and the combinations that no other one beats in both."""

from __future__ import annotations

import math

from ....evaluation.combination_names import names_of
from ....evaluation.metrics import metric_of
from ....evaluation.records import FIT_S
from ....runs.finished import FinishedRun, records
from ..charts import Chart, Scale
from ..numbers import score_text, seconds_of, title_of
from ..section import Section, View, fragment
from .leaderboard import leaderboard_scale


def section(run: FinishedRun) -> Section | None:
    """None where no combination has both a score and a cost."""
    costs = cheapest(run)
    if not costs:
        return None
    return Section("Score and cost", fragment("costs", costs=costs, metric=run.metric), nav="Costs")


def cheapest(run: FinishedRun) -> View | None:
    """Score against seconds, and the combinations that nothing both cheaper and better beats."""
    table, metric = run.leaderboard, run.metric
    if metric not in table or FIT_S not in table:
        return None
    table = table.assign(seconds=[seconds_of(row) for row in records(table)])
    table = table[table[metric].notna() & (table["seconds"] > 0)].sort_values("seconds")
    if not (table["kind"] == "combination").any():
        return None
    y = leaderboard_scale(run)
    drawn = table[table[metric] >= y.low]
    score = metric_of(metric)
    chart = Chart(
        Scale.decades(drawn["seconds"]), y, "seconds per fold (selector, fit and predict)", score.title,
        f"{score.title} against seconds per fold for {len(drawn)} rows of the leaderboard",
        height=300, percent=(False, score.unit == "percent"),
    )  # fmt: skip
    frontier: list[View] = []
    best = -math.inf
    for row in records(drawn):
        front = row["kind"] == "combination" and row[metric] > best
        text = f"{title_of(names_of(row))}: {score_text(metric, row[metric])}, {row['seconds']:.2g} s"
        if front:
            best = row[metric]
            named = {"tag": str(len(frontier) + 1), "title": title_of(names_of(row)), "value": score_text(metric, best)}
            frontier.append(named | {"seconds": row["seconds"]})
        kind = "shortcut" if row["kind"] != "combination" else "front" if front else ""
        chart.point(row["seconds"], row[metric], text, kind, frontier[-1]["tag"] if front else "")
    return {"chart": chart, "frontier": frontier, "below": len(table) - len(drawn)}

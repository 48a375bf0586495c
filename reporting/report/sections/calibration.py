"""Calibration: confidence against accuracy for the best combinations and the strongest shortcut."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ....evaluation.combination_names import names_of, rows_of
from ....evaluation.metric import FromProbabilities
from ....evaluation.metrics import overall_metrics
from ....runs.finished import FinishedRun, Row, records
from ..charts import Chart, Scale
from ..numbers import examples, score_text, title_of
from ..section import Section, View, fragment

if TYPE_CHECKING:
    import pandas as pd


def section(run: FinishedRun) -> Section | None:
    """None where no probabilities were stored."""
    diagrams = reliabilities(run)
    if not diagrams:
        return None
    return Section("Calibration", fragment("calibration", reliabilities=diagrams))


def reliabilities(run: FinishedRun) -> list[View]:
    """Confidence against accuracy for the best combinations and the strongest shortcut."""
    table = run.table("reliability.parquet")
    bins = ((row, rows_of(table, names_of(row))) for row in examples(run))
    return [_reliability(row, own) for row, own in bins if len(own)]


def _reliability(row: Row, bins: pd.DataFrame) -> View:
    metrics = [one for one in overall_metrics() if isinstance(one.source, FromProbabilities)]
    numbers = {one.title: score_text(one.name, row.get(one.name)) for one in metrics}
    summary = f"Of {title_of(names_of(row))}: {', '.join(' '.join(pair) for pair in numbers.items())}"
    unit = Scale(0.0, 1.0)
    chart = Chart(unit, unit, "confidence", "share correct", summary, height=330, percent=(True, True), diagonal=True)
    most = max(int(bins["count"].max()), 1)
    for one in records(bins):
        x, y, count = one["confidence"], one["accuracy"], int(one["count"])
        if count:
            text = f"{count:,} predictions: confidence {100 * x:.1f} %, correct {100 * y:.1f} %"
            chart.point(x, y, text, str(row["kind"]), radius=round(2.5 + 8 * math.sqrt(count / most), 2))
    return {"title": title_of(names_of(row)), "kind": row["kind"], "chart": chart, "numbers": numbers}

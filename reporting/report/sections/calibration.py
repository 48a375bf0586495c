"""Calibration: confidence against accuracy for the best combination, the one that differs most, the best shortcut."""

from __future__ import annotations

from ....evaluation.combination_names import names_of, rows_of
from ....evaluation.metric import FromProbabilities
from ....evaluation.metrics import ECE, overall_metrics
from ....runs.finished import FinishedRun
from ...figures.calibration import reliability_figures
from ..interactive import figure_html
from ..numbers import examples, score_text, title_of
from ..section import Section, View, fragment


def section(run: FinishedRun) -> Section | None:
    """None where no probabilities were stored."""
    figures = tuple(reliability_figures(run))
    if not figures:
        return None
    html = fragment("calibration", figures=[figure_html(one) for one in figures])
    finding = f"{ECE.title} {score_text(ECE.name, run.ranked[0].get(ECE.name))}"
    return Section("Calibration", html, figures=figures, finding=finding)


def reliabilities(run: FinishedRun) -> list[View]:
    """Scores of probabilities, of the best combinations and the strongest shortcut."""
    table = run.table("reliability.parquet")
    metrics = [one for one in overall_metrics() if isinstance(one.source, FromProbabilities)]
    return [
        {
            "title": title_of(names_of(row)),
            "kind": row["kind"],
            "numbers": {one.title: score_text(one.name, row.get(one.name)) for one in metrics},
        }
        for row in examples(run)
        if len(rows_of(table, names_of(row)))
    ]

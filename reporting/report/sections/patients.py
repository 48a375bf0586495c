"""The best combination by patient: distribution of accuracy, patient-level scores, the worst patients."""

from __future__ import annotations

from ....evaluation.combination_names import names_of
from ....evaluation.metrics import ACCURACY, metric_of, patient_rates
from ....runs.finished import FinishedRun, Row, records
from ...figures.patients import patients_figure
from ..interactive import figure_html
from ..numbers import best_rows, interval_of, score_text, texts, title_of
from ..section import Section, View, fragment

_WORST = 10


def section(run: FinishedRun) -> Section | None:
    """None where no patients are known."""
    patients, figure = patient_scores(run), patients_figure(run)
    if not patients or figure is None:
        return None
    html = fragment("patients", patients=patients, figure=figure_html(figure))
    finding = f"{patients['count']:,} patients; half of them have {patients['median']} or more of their images right"
    return Section("Scores per patient", html, nav="Patients", figures=(figure,), finding=finding)


def patient_scores(run: FinishedRun) -> View | None:
    """The best combination patient by patient: median accuracy, scores of patients, the worst of them."""
    rows = best_rows(run, run.table("patients.parquet"))
    if not len(rows):
        return None
    rows = rows.sort_values(["accuracy", "images", "patient"], ascending=[True, False, True])
    scores = records(best_rows(run, run.table("patient_scores.csv")))
    worst = [
        {**row, "accuracy": score_text(ACCURACY.name, row["accuracy"]), "right": round(row["accuracy"] * row["images"])}
        for row in records(rows[rows["accuracy"] < 1].head(_WORST))
    ]
    return {
        "title": title_of(names_of(run.ranked[0])),
        "count": len(rows),
        "median": score_text(ACCURACY.name, rows["accuracy"].median()),
        "titles": [metric_of(name).title for name in patient_rates()],
        "rules": [_rule(scores[0], rule) for rule in ("mean", "vote")] if scores else [],
        "worst": worst,
    }


def _rule(scores: Row, rule: str) -> View:
    words = {"mean": "by mean probability", "vote": "by majority vote"}[rule]
    intervals = {name: texts(name, interval_of(scores, f"{name}_{rule}")) for name in patient_rates()}
    return {"words": words, "scores": [f"{one['value']} [{one['interval']}]" for one in intervals.values()]}

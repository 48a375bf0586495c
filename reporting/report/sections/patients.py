"""The best combination by patient: distribution of accuracy, patient-level scores, the worst patients."""

from __future__ import annotations

from ....evaluation.combination_names import names_of
from ....evaluation.metrics import ACCURACY, metric_of, patient_rates
from ....runs.finished import FinishedRun, Row, records
from ..charts import Chart, Scale
from ..numbers import best_rows, interval_of, score_text, texts, title_of
from ..section import Section, View, fragment

_WORST = 10


def section(run: FinishedRun) -> Section | None:
    """None where no patients are known."""
    patients = patient_scores(run)
    if not patients:
        return None
    return Section("Scores per patient", fragment("patients", patients=patients), nav="Patients")


def patient_scores(run: FinishedRun) -> View | None:
    """The best combination patient by patient: distribution of accuracy, scores of patients, the worst of them."""
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
        "chart": _distribution(rows["accuracy"].tolist()),
        "titles": [metric_of(name).title for name in patient_rates()],
        "rules": [_rule(scores[0], rule) for rule in ("mean", "vote")] if scores else [],
        "worst": worst,
    }


def _distribution(accuracies: list[float]) -> Chart:
    bins = [0] * 10
    for accuracy in accuracies:
        bins[min(int(accuracy * 10 + 1e-9), 9)] += 1
    summary = (
        f"Number of patients by the share of their images predicted correctly; lowest {100 * min(accuracies):.0f} %"
    )
    top = Scale(0.0, 1.12 * max(bins))
    chart = Chart(
        Scale(0.0, 1.0),
        top,
        "share of a patient's images predicted correctly",
        "patients",
        summary,
        percent=(True, False),
    )
    for position, count in enumerate(bins):
        if count:
            text = f"{count:,} patients with {10 * position} to {10 * position + 10} % correct"
            chart.bar(position / 10, (position + 1) / 10, count, text, tag=f"{count:,}")
    return chart


def _rule(scores: Row, rule: str) -> View:
    words = {"mean": "by mean probability", "vote": "by majority vote"}[rule]
    intervals = {name: texts(name, interval_of(scores, f"{name}_{rule}")) for name in patient_rates()}
    return {"words": words, "scores": [f"{one['value']} [{one['interval']}]" for one in intervals.values()]}

"""Sensitivity, specificity and precision of each class for the best combination, with counts."""

from __future__ import annotations

import math

from ....evaluation.combination_names import names_of
from ....evaluation.metrics import AUROC, SENSITIVITY, SPECIFICITY
from ....runs.finished import FinishedRun, Row, records
from ..numbers import as_number, best_rows, interval_of, score_text, texts, title_of
from ..section import Section, View, fragment

POINTS = {
    "sensitivity_at_95_specificity": "sensitivity at 95 % specificity",
    "specificity_at_95_sensitivity": "specificity at 95 % sensitivity",
}
"""Columns of classes.csv -> in words."""
_NAMED = 4


def section(run: FinishedRun) -> Section | None:
    """None where the run has no best combination."""
    classes = rates_of_classes(run)
    if not classes:
        return None
    shown = [f"{row['label']} {row['rates'][0]['value']}" for row in classes["rows"][:_NAMED]]
    finding = f"{SENSITIVITY.title}: {', '.join(shown)}"
    return Section("Each class against the rest", fragment("classes", classes=classes), nav="Classes", finding=finding)


def rates_of_classes(run: FinishedRun) -> View | None:
    """Rates of each class for the best combination, with the counts that they come from."""
    rows = records(best_rows(run, run.table("classes.csv")))
    if not rows:
        return None
    best = run.ranked[0]
    return {"title": title_of(names_of(best)), "rows": [_class(row, best) for row in rows]}


def _class(row: Row, best: Row) -> View:
    tp, fn, fp, tn = (int(row[name]) for name in ("tp", "fn", "fp", "tn"))
    of = {SENSITIVITY.name: (tp, tp + fn), SPECIFICITY.name: (tn, tn + fp), "precision": (tp, tp + fp)}
    rates = []
    for name, (count, total) in of.items():
        limits = [as_number(best.get(f"{name}[{row['label']}]_{end}")) for end in ("low", "high")]
        interval = "" if any(map(math.isnan, limits)) else " to ".join(map(SENSITIVITY.digits, limits))
        rates.append({"value": _rate(row[name]), "count": count, "total": total, "interval": interval})
    points = [texts(SENSITIVITY.name, interval_of(row, name)) for name in POINTS]
    area = score_text(AUROC.name, row.get(AUROC.name))
    return {"label": row["label"], "images": int(row["images"]), "rates": rates, "area": area, "points": points}


def _rate(value: object) -> str:
    """A share of images, shown as a sensitivity is."""
    return score_text(SENSITIVITY.name, value)

"""What the report says in detail of the best combinations: errors, classes, calibration, patients; and of selection."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from .charts import Chart, Scale
from .results import PERCENT, as_number, best_rows, examples, shown
from .tables import Row, RunTables, chosen, key_of, records, title_of

if TYPE_CHECKING:
    import pandas as pd

_WORST = 10
_INDICES = ("kuncheva", "nogueira", "jaccard")


def confusions(run: RunTables) -> list[Row]:
    """Counts of each label (down) by prediction (across) for the best combinations and the strongest shortcut."""
    table = run.table("confusion.parquet")
    found = ((row, chosen(table, key_of(row))) for row in examples(run))
    return [_confusion(row, own) for row, own in found if len(own)]


def _confusion(row: Row, counts: pd.DataFrame) -> Row:
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
    found = {"classes": classes, "rows": rows, "wrong": counted - right, "total": counted}
    return {"title": title_of(row), "kind": row["kind"], **found}


def _cell(count: int, part: float, right: bool) -> Row:
    return {"count": count, "share": _share(part), "heat": _heat(part, right), "right": right}


def _share(part: float) -> str:
    """In percent; never 0 or 100 for what is only nearly so."""
    if part in (0.0, 1.0):
        return f"{100 * part:.0f}"
    return f"{min(max(100 * part, 0.1), 99.9):.1f}"


def _heat(part: float, right: bool) -> float:
    """Depth of colour, 0 to 100; the rare errors are what is looked for."""
    return round(100 * part if right else 25 + 75 * math.sqrt(part) if part else 0, 1)


def classes(run: RunTables) -> Row | None:
    """Rates of each class for the best combination, with the counts that they come from."""
    rows = records(best_rows(run, run.table("classes.csv")))
    if not rows:
        return None
    best = run.ranked[0]
    return {"title": title_of(best), "rows": [_class(row, best) for row in rows]}


def _class(row: Row, best: Row) -> Row:
    tp, fn, fp, tn = (int(row[name]) for name in ("tp", "fn", "fp", "tn"))
    of = {"sensitivity": (tp, tp + fn), "specificity": (tn, tn + fp), "precision": (tp, tp + fp)}
    rates = []
    for name, (count, total) in of.items():
        limits = [as_number(best.get(f"{name}[{row['label']}]_{end}")) for end in ("low", "high")]
        texts = [shown("sensitivity", limit).removesuffix(PERCENT) for limit in limits]
        interval = "" if any(map(math.isnan, limits)) else f"{texts[0]} to {texts[1]}"
        rates.append({"value": shown("sensitivity", row[name]), "count": count, "total": total, "interval": interval})
    ends = ("sensitivity_at_95_specificity", "specificity_at_95_sensitivity")
    areas = [shown("auroc", row.get("auroc")), *(shown("sensitivity", row.get(name)) for name in ends)]
    return {"label": row["label"], "images": int(row["images"]), "rates": rates, "areas": areas}


def reliabilities(run: RunTables) -> list[Row]:
    """Confidence against accuracy for the best combinations and the strongest shortcut."""
    table = run.table("reliability.parquet")
    found = ((row, chosen(table, key_of(row))) for row in examples(run))
    return [_reliability(row, own) for row, own in found if len(own)]


def _reliability(row: Row, bins: pd.DataFrame) -> Row:
    numbers = {name: shown(name, row.get(name)) for name in ("ece", "brier", "log_loss")}
    said = f"Of {title_of(row)}: expected calibration error {numbers['ece']}, Brier score {numbers['brier']}"
    unit = Scale(0.0, 1.0)
    chart = Chart(
        unit, unit, "confidence", "share that is right", said, height=330, percent=(True, True), diagonal=True
    )
    most = max(int(bins["count"].max()), 1)
    for found in records(bins):
        x, y, count = found["confidence"], found["accuracy"], int(found["count"])
        if count:
            text = f"{count:,} predictions: confidence {100 * x:.1f} %, right {100 * y:.1f} %"
            chart.point(x, y, text, str(row["kind"]), radius=round(2.5 + 8 * math.sqrt(count / most), 2))
    return {"title": title_of(row), "kind": row["kind"], "chart": chart, **numbers}


def patients(run: RunTables) -> Row | None:
    """The best combination patient by patient: distribution of accuracy, scores of patients, the worst of them."""
    rows = best_rows(run, run.table("patients.parquet"))
    if not len(rows):
        return None
    rows = rows.sort_values(["accuracy", "images", "patient"], ascending=[True, False, True])
    scores = records(best_rows(run, run.table("patient_scores.csv")))
    worst = [
        {**row, "accuracy": shown("accuracy", row["accuracy"]), "right": round(row["accuracy"] * row["images"])}
        for row in records(rows[rows["accuracy"] < 1].head(_WORST))
    ]
    return {
        "title": title_of(run.ranked[0]),
        "count": len(rows),
        "median": shown("accuracy", rows["accuracy"].median()),
        "chart": _distribution(rows["accuracy"].tolist()),
        "rules": [_rule(scores[0], rule) for rule in ("mean", "vote")] if scores else [],
        "worst": worst,
    }


def _distribution(accuracies: list[float]) -> Chart:
    bins = [0] * 10
    for accuracy in accuracies:
        bins[min(int(accuracy * 10 + 1e-9), 9)] += 1
    said = f"Number of patients by the share of their images that is right; lowest {100 * min(accuracies):.0f} %"
    top = Scale(0.0, 1.12 * max(bins))
    chart = Chart(
        Scale(0.0, 1.0), top, "share of a patient's images that is right", "patients", said, percent=(True, False)
    )
    for position, count in enumerate(bins):
        if count:
            text = f"{count:,} patients with {10 * position} to {10 * position + 10} % right"
            chart.bar(position / 10, (position + 1) / 10, count, text, tag=f"{count:,}")
    return chart


def _rule(scores: Row, rule: str) -> Row:
    words = {"mean": "by mean probability", "vote": "by vote of the images"}[rule]
    found: Row = {"words": words}
    for name in ("accuracy", "balanced_accuracy"):
        value, low, high = (as_number(scores.get(f"{name}_{rule}{end}")) for end in ("", "_low", "_high"))
        found[name] = f"{shown(name, value)} [{shown(name, low).removesuffix(PERCENT)} to {shown(name, high)}]"
    return found


def stability(run: RunTables) -> list[Row]:
    """How much the folds agree on the features that they keep; without selectors that keep all or make new ones."""
    table = run.table("stability.csv")
    if not len(table):
        return []
    rows = [row for row in records(table) if not str(row["extractor"]).startswith("shortcut: ")]
    rows = [row | {name: as_number(row.get(name)) for name in _INDICES} for row in rows]
    return [row for row in rows if not all(math.isnan(row[name]) for name in _INDICES[:2])]

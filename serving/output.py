"""Predictions as lines on a screen or as a file."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from ..errors import visible
from ..storage import file_name, write_table, write_text
from .prediction import GroupPrediction, Prediction, Predictions

_LISTED = 50


def write(predictions: Predictions, out: Path) -> list[Path]:
    """Write the predictions in the format of the ending; patients go to a file beside it (JSON holds both)."""
    if out.suffix.lower() == ".json":
        write_text(out, json.dumps(predictions.to_json(), indent=2, allow_nan=False))
        return [out]
    tables = {out: predictions.table()}
    if predictions.patients():
        tables[out.with_name(file_name(out.stem, f".patients{out.suffix}"))] = predictions.patient_table()
    for target, table in tables.items():
        write_table(target, table)
    return list(tables)


def lines(predictions: Predictions) -> Iterator[str]:
    """For a terminal: a line per image where they are few, then patients, then a summary."""
    if len(predictions) <= _LISTED:
        yield from map(prediction_line, predictions)
    for patient in predictions.patients():
        yield _patient(patient)
    yield from summary(predictions)


def summary(predictions: Predictions) -> list[str]:
    """How many images have which label and which remark."""
    counts = Counter(row.label for row in predictions if row.label)
    remarks = {
        "unlike the training data": sum(row.ood for row in predictions),
        "in the training data": sum(row.trained_on for row in predictions),
        "not read": sum(bool(row.error) for row in predictions),
    }
    counted = [f"{len(predictions):,} images", *(f"{name} {counts[name]:,}" for name in predictions.classes)]
    line = "; ".join([*counted, *(f"{count:,} {remark}" for remark, count in remarks.items() if count)])
    return [visible(line), "Research use only: not a medical device."]


def closing_lines(others: int, written: Sequence[Path]) -> list[str]:
    """How many files are not images, and where the output is."""
    skipped = [f"Files that are not images: {others:,}"] if others else []
    return skipped + [visible(f"In {path}") for path in written]


def percent(share: float) -> str:
    """A share in percent; never 0 or 100 for what is only nearly so."""
    if 0.0 < share < 0.0005:
        return "< 0.1 %"
    if 0.9995 <= share < 1.0:
        return "> 99.9 %"
    return f"{100 * share:.1f}".removesuffix(".0") + " %"


def prediction_line(row: Prediction) -> str:
    """One image: label, probability, set and remark; that it is unlike the training data comes first."""
    if row.error:
        return visible(f"{row.image}: NOT READ: {row.error}")
    label = f"{row.label} {percent(row.probabilities[str(row.label)])}"
    answer = f"UNLIKE THE TRAINING DATA, do not rely on it; would be {label}" if row.ood else label
    parts = [f"{row.image}: {answer}", f"prediction set {{{', '.join(row.conformal_set)}}}"]
    return visible("; ".join([*parts, *(["in the training data"] if row.trained_on else [])]))


def _patient(one: GroupPrediction) -> str:
    if one.label is None:
        return visible(f"patient {one.group}: no image could be read")
    votes = ", ".join(f"{name} {count}" for name, count in one.votes.items())
    remarks = {"not read": one.unreadable, "unlike the training data": one.ood}
    label = f"{one.label} {percent(one.probabilities[one.label])}"
    parts = [f"patient {one.group}: {label} (mean of {one.images} images; votes: {votes})"]
    return visible("; ".join([*parts, *(f"{count} {remark}" for remark, count in remarks.items() if count)]))

"""From images to patients: one diagnosis a patient, by mean probability or by vote."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..metric import Floats, Integers, Rate
from ..metrics import patient_rates
from .intervals import Interval, mean, rates

RULES = ("mean", "vote")


@dataclass(frozen=True)
class Patients:
    """Patients whose images all have one label.

    Attributes
    ----------
    names : list of str, length P
    labels : ndarray of int64, shape (P,)
    images : ndarray of int64, shape (P,)
        How many each has.
    rows : ndarray of int64, shape (m,)
        Images of these patients.
    codes : ndarray of int64, shape (m,)
        Patient of each of those images.
    mixed : list of str
        Patients with images of several labels.
    """

    names: list[str]
    labels: Integers
    images: Integers
    rows: Integers
    codes: Integers
    mixed: list[str]

    @classmethod
    def of(cls, patients: Sequence[str], labels: Integers) -> Patients:
        """Find them; '' is no patient."""
        names, codes = np.unique(np.asarray(patients, dtype=str), return_inverse=True)
        lowest, highest = np.full(len(names), np.iinfo(np.int64).max), np.full(len(names), -1)
        np.minimum.at(lowest, codes, labels)
        np.maximum.at(highest, codes, labels)
        has_name = names != ""
        kept = has_name & (lowest == highest)
        rows = np.flatnonzero(kept[codes])
        position = np.cumsum(kept) - 1
        codes = position[codes[rows]]
        images = np.bincount(codes, minlength=int(kept.sum()))
        mixed = names[has_name & ~kept].tolist()
        return cls(names[kept].tolist(), lowest[kept], images, rows, codes, mixed)


@dataclass(frozen=True)
class PatientPredictions:
    """One combination's predictions of P patients.

    Attributes
    ----------
    accuracy : ndarray of float64, shape (P,)
        Share of a patient's images that are right.
    fractions : ndarray of float64, shape (P, K)
        Share of a patient's images that are predicted as each class.
    predicted : dict of str to ndarray of int64, shape (P,)
        By each of `RULES`: ``mean`` takes the highest mean probability; ``vote`` the most frequent prediction, and the
        higher mean probability among equals.
    """

    accuracy: Floats
    fractions: Floats
    predicted: dict[str, Integers]


def predict_patients(patients: Patients, probabilities: Floats) -> PatientPredictions:
    """Predictions of patients from out-of-fold probabilities of images, shape (repeats, n, K)."""
    repeats, _, classes = probabilities.shape
    count, own = len(patients.names), probabilities[:, patients.rows]
    weight = 1 / (repeats * np.maximum(patients.images, 1))
    mean = np.column_stack([np.bincount(patients.codes, own[:, :, k].sum(axis=0), count) for k in range(classes)])
    cells = patients.codes * classes + own.argmax(axis=2)
    votes = np.bincount(cells.ravel(), minlength=count * classes).reshape(count, classes)
    fractions = votes * weight[:, None]
    among = np.where(votes == votes.max(axis=1, keepdims=True), mean, -1.0)
    predicted = {"mean": mean.argmax(axis=1), "vote": among.argmax(axis=1)}
    return PatientPredictions(fractions[np.arange(count), patients.labels], fractions, predicted)


def patient_scores(patients: Patients, predictions: PatientPredictions, classes: tuple[str, ...]) -> dict[str, Any]:
    """Scores of patients, each counting once.

    Returns
    -------
    dict
        patients; for each rule of `RULES` and each metric that patients are scored by METRIC_RULE with _low and _high
        (exact; means over the classes that patients have, by Zou and Donner's combination); mean, lowest quartile and
        median of the patients' own accuracies; worst patient with its label, images and accuracy.
    """
    scores: dict[str, Any] = {"patients": len(patients.names)}
    for rule in RULES:
        counts = np.zeros((len(patients.names), len(classes), len(classes)))
        counts[np.arange(len(counts)), patients.labels, predictions.predicted[rule]] = 1
        for name, rate in patient_rates().items():
            columns = [f"{name}_{rule}{end}" for end in ("", "_low", "_high")]
            scores |= dict(zip(columns, _rate_with_limits(rate, counts), strict=True))
    worst = int(np.lexsort((-patients.images, predictions.accuracy))[0])
    quartile, median = np.quantile(predictions.accuracy, [0.25, 0.5])
    return scores | {
        "mean_accuracy": float(predictions.accuracy.mean()),
        "quartile_accuracy": float(quartile),
        "median_accuracy": float(median),
        "worst_patient": patients.names[worst],
        "worst_label": classes[patients.labels[worst]],
        "worst_images": int(patients.images[worst]),
        "worst_accuracy": float(predictions.accuracy[worst]),
    }


def _rate_with_limits(rate: Rate, counts: Floats) -> Interval:
    """A rate of patients from their confusion counts, shape (P, K, K), with exact limits; only classes they have."""
    hits, images = rate.parts(counts)
    present = images.sum(axis=0) > 0
    low, high = rates(hits[:, present], images[:, present])
    value = hits[:, present].sum(axis=0) / images[:, present].sum(axis=0)
    low, high = (low[0], high[0]) if len(value) == 1 else mean(value, low, high)
    return float(value.mean()), float(low), float(high)

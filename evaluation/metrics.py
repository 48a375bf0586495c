"""Metrics of one fold, computed from stored probabilities. A metric that is not defined is NaN, never 0."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def score(labels: NDArray[np.int64], probabilities: Floats, classes: tuple[str, ...]) -> dict[str, float]:
    """All metrics of one fold.

    Parameters
    ----------
    labels : ndarray of int, shape (n,)
    probabilities : ndarray of float64, shape (n, len(classes))
        The predicted class is the most probable one, the first of equals.
    classes : tuple of str

    Returns
    -------
    dict
        accuracy, balanced_accuracy, f1_macro, f1_weighted, mcc, auroc (one class against the rest, macro mean), and
        ``sensitivity[class]``, ``specificity[class]``. NaN where a class that the metric needs is not in the fold.
    """
    counts = confusion(labels, probabilities.argmax(axis=1), len(classes))
    sensitivity, specificity = _rates(counts)
    result = {
        "accuracy": float(np.trace(counts) / counts.sum()),
        "balanced_accuracy": float(sensitivity.mean()),
        **_f1(counts),
        "mcc": _mcc(counts),
        "auroc": float(_auroc(labels, probabilities).mean()),
    }
    for name, sens, spec in zip(classes, sensitivity, specificity, strict=True):
        result[f"sensitivity[{name}]"], result[f"specificity[{name}]"] = float(sens), float(spec)
    return result


def confusion(labels: NDArray[np.int64], predicted: NDArray[np.int64], classes: int) -> NDArray[np.int64]:
    """Counts, shape (classes, classes): true class by row, predicted class by column."""
    return np.bincount(labels * classes + predicted, minlength=classes * classes).reshape(classes, classes)


def _rates(counts: NDArray[np.int64]) -> tuple[Floats, Floats]:
    hits, actual, predicted = np.diag(counts), counts.sum(axis=1), counts.sum(axis=0)
    others = counts.sum() - actual
    return _ratio(hits, actual), _ratio(others - (predicted - hits), others)


def _f1(counts: NDArray[np.int64]) -> dict[str, float]:
    hits, actual, predicted = np.diag(counts), counts.sum(axis=1), counts.sum(axis=0)
    f1 = np.where(actual > 0, _ratio(2 * hits, actual + predicted), np.nan)
    weighted = np.where(actual > 0, f1, 0.0) @ actual / actual.sum()
    return {"f1_macro": float(f1.mean()), "f1_weighted": float(weighted)}


def _mcc(counts: NDArray[np.int64]) -> float:
    """Multi-class correlation of Gorodkin (2004); NaN when the labels hold one class."""
    total, right = float(counts.sum()), float(np.trace(counts))
    actual, predicted = counts.sum(axis=1).astype(float), counts.sum(axis=0).astype(float)
    spread_actual, spread_predicted = total**2 - actual @ actual, total**2 - predicted @ predicted
    if spread_actual == 0:
        return float("nan")
    if spread_predicted == 0:
        return 0.0
    return float((right * total - actual @ predicted) / np.sqrt(spread_actual * spread_predicted))


def _auroc(labels: NDArray[np.int64], probabilities: Floats) -> Floats:
    """Area under the ROC curve of each class against the rest, by ranks (Mann-Whitney), shape (classes,)."""
    from scipy.stats import rankdata

    positive = labels[:, None] == np.arange(probabilities.shape[1])
    ones = positive.sum(axis=0).astype(float)
    zeros = len(labels) - ones
    rank_sums = (rankdata(probabilities, axis=0) * positive).sum(axis=0)
    return _ratio(rank_sums - ones * (ones + 1) / 2, ones * zeros)


def _ratio(above: NDArray[np.generic], below: NDArray[np.generic]) -> Floats:
    return np.divide(above, below, out=np.full(len(below), np.nan), where=np.asarray(below) > 0)

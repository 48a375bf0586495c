"""The interval of every metric of one combination."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from . import intervals
from .pooled import CHANCE_ECE, pooled_metrics

Floats = NDArray[np.float64]

_FROM_RATES = ("balanced_accuracy", "f1_macro", "f1_weighted", "mcc")


def metric_limits(
    value: dict[str, float], resampled: dict[str, Floats], tallied: Floats, area: Floats, classes: tuple[str, ...]
) -> dict[str, tuple[float, float]]:
    """Low and high of every metric of one combination; see `leukobench.evaluation.statistics.intervals`.

    Parameters
    ----------
    value : dict of str to float
        Every metric.
    resampled : dict of str to ndarray, shape (resamples,)
        Every metric and `CHANCE_ECE`.
    tallied : ndarray, shape (groups, K * K + 2 + BINS)
        See `leukobench.evaluation.statistics.pooled.tally`; mean over repeats.
    area : ndarray, shape (K,)
        Area under the ROC curve of each class against the rest.
    classes : tuple of str, length K
    """
    names, size = list(value), len(classes)
    low, high = intervals.percentile(np.column_stack([resampled[name] for name in names]), len(tallied))
    limits = {name: (low[i], high[i]) for i, name in enumerate(names)}
    hits, images = _rates(tallied[:, : size**2].reshape(-1, size, size))
    worth = intervals.effective_images(hits, images)
    rate_low, rate_high = intervals.rates(hits, images)
    rates = ["accuracy", *(f"{rate}[{label}]" for rate in ("sensitivity", "specificity") for label in classes)]
    exact = {name: (rate_low[i], rate_high[i]) for i, name in enumerate(rates)}
    counts = tallied[:, : size**2].sum(axis=0).reshape(size, size)
    exact |= _made_of_rates(counts, rate_low[1 : size + 1], rate_high[1 : size + 1], value, classes)
    exact["auroc"] = _macro_area(area, worth[1 : size + 1], worth[size + 1 :])
    limits["ece"] = intervals.reflected(np.asarray(value["ece"]), limits["ece"], resampled[CHANCE_ECE])
    joined = {
        name: intervals.farther(np.asarray(value[name]), limits[name], exact.get(name, limits[name])) for name in names
    }
    return {name: (float(low), float(high)) for name, (low, high) in joined.items()}


def _rates(counts: Floats) -> tuple[Floats, Floats]:
    """Hits and images of accuracy, each sensitivity, each specificity; both (groups, 1 + 2 K) for (groups, K, K)."""
    hits = np.diagonal(counts, axis1=1, axis2=2)
    actual, predicted, total = counts.sum(axis=2), counts.sum(axis=1), counts.sum(axis=(1, 2))[:, None]
    others = total - actual
    right = np.column_stack([hits.sum(axis=1), hits, others - (predicted - hits)])
    return right, np.column_stack([total, actual, others])


def _made_of_rates(
    counts: Floats, low: Floats, high: Floats, value: dict[str, float], classes: tuple[str, ...]
) -> dict[str, tuple[Floats, Floats]]:
    """Limits of balanced accuracy, F1 and MCC, as if one sensitivity at a time were at its own limit."""
    centre = pooled_metrics(counts.reshape(-1), classes)
    changed = [
        pooled_metrics(np.array([_moved(counts, row, rate) for row, rate in enumerate(limit)]), classes)
        for limit in (low, high)
    ]
    found = {}
    for name in _FROM_RATES:
        shift = value[name] - centre[name]  # the mean over repeats is not the metric of the mean counts
        down, up = intervals.combined(np.asarray(value[name]), *(one[name] + shift for one in changed))
        found[name] = (down, np.minimum(up, 1.0))
    return found


def _moved(counts: Floats, row: int, rate: float) -> Floats:
    """Counts with another sensitivity of one class; its errors spread as they are, and one more evenly."""
    total = counts[row].sum()
    wrong = counts[row] + 1 / max(len(counts) - 1, 1)
    wrong[row] = 0
    moved = counts.copy()
    if total:
        moved[row] = wrong / wrong.sum() * total * (1 - rate)
        moved[row, row] = total * rate
    return moved.reshape(-1)


def _macro_area(area: Floats, ones: Floats, zeros: Floats) -> tuple[Floats, Floats]:
    low, high = intervals.area(area, ones, zeros)
    macro, size = area.mean(), len(area)
    return intervals.combined(macro, macro - (area - low) / size, macro + (high - area) / size)

"""Metrics written a second time, in plain NumPy: so that a fault in the project's own statistics cannot hide in both.

Nothing here is shared with `leukobench.evaluation`: the definitions are those that its table of metrics states, each
as a reader would write it down.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_BINS, _LEAST = 15, 1e-15


def scores(labels: Integers, probabilities: Floats, classes: Sequence[str]) -> dict[str, float]:
    """Every shipped metric but those of areas, of some images together; NaN where one is not defined.

    Parameters
    ----------
    labels : ndarray of int64, shape (n,)
    probabilities : ndarray of float64, shape (n, K)
    classes : sequence of str, length K
    """
    predicted = probabilities.argmax(axis=1)
    right = predicted == labels
    top = probabilities.max(axis=1)
    own = probabilities[np.arange(len(labels)), labels]
    truth = np.eye(len(classes))[labels]
    bins = np.minimum(np.maximum(np.ceil(top * _BINS), 1), _BINS)
    gaps = [abs((top[bins == one] - right[bins == one]).sum()) for one in range(1, _BINS + 1)]
    sensitivity = [_share(predicted[labels == k] == k) for k in range(len(classes))]
    specificity = [_share(predicted[labels != k] != k) for k in range(len(classes))]
    f1, sizes = [_f1(labels == k, predicted == k) for k in range(len(classes))], truth.sum(axis=0)
    present = sizes > 0
    return {
        "accuracy": _share(right),
        "balanced_accuracy": float(np.mean(sensitivity)),
        "f1_macro": float(np.mean(f1)),
        "f1_weighted": float(np.average(np.array(f1)[present], weights=sizes[present])),
        "mcc": _correlation(truth, np.eye(len(classes))[predicted]),
        "brier": float(((probabilities - truth) ** 2).sum(axis=1).mean()),
        "log_loss": float(-np.log(np.maximum(own, _LEAST)).mean()),
        "ece": float(np.sum(gaps) / len(labels)),
        **{f"sensitivity[{name}]": value for name, value in zip(classes, sensitivity, strict=True)},
        **{f"specificity[{name}]": value for name, value in zip(classes, specificity, strict=True)},
    }


def areas(labels: Integers, probabilities: Floats) -> list[float]:
    """Area under the ROC curve of each class against the rest: how often a member is above a non-member."""
    from scipy.stats import rankdata

    values = []
    for k in range(probabilities.shape[1]):
        inside = labels == k
        size, others = int(inside.sum()), int((~inside).sum())
        ranks = rankdata(probabilities[:, k])[inside].sum()
        values.append((ranks - size * (size + 1) / 2) / (size * others) if size and others else float("nan"))
    return values


def by_fold(
    labels: Integers, probabilities: Floats, folds: Integers, classes: Sequence[str], prefix: str = ""
) -> dict[int, dict[str, float]]:
    """Fold -> metrics of the images that it tests, in one repeat."""
    values = {}
    for number in np.unique(folds):
        rows = folds == number
        area = float(np.mean(areas(labels[rows], probabilities[rows])))
        values[int(number)] = scores(labels[rows], probabilities[rows], classes) | {"auroc": area}
    return {number: _named(one, prefix) for number, one in values.items()}


def overall(
    labels: Integers, probabilities: Floats, folds: Integers, classes: Sequence[str], prefix: str = ""
) -> dict[str, float]:
    """Metrics of one repeat: of all images together; areas as means over the folds, then over the classes."""
    each = np.array([areas(labels[folds == one], probabilities[folds == one]) for one in np.unique(folds)])
    defined = np.where(
        np.isnan(each).all(axis=0), np.nan, np.nansum(each, axis=0) / np.maximum((~np.isnan(each)).sum(axis=0), 1)
    )
    return _named(scores(labels, probabilities, classes) | {"auroc": float(defined.mean())}, prefix)


def patient_means(probabilities: Floats, patients: Sequence[Integers]) -> Floats:
    """Mean probabilities of the images of each patient, shape (P, K); equal but for their last bits is equal."""
    return np.array([probabilities[rows].mean(axis=0) for rows in patients]).round(12)


def mean_of(several: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Means over repeats."""
    return {name: float(np.mean([one[name] for one in several])) for name in several[0]}


def _named(values: dict[str, float], prefix: str) -> dict[str, float]:
    """All of images; of patients those that there are of patients."""
    if not prefix:
        return values
    return {f"{prefix}{name}": values[name] for name in ("accuracy", "balanced_accuracy", "auroc")}


def _share(flags: NDArray[np.bool_]) -> float:
    return float(flags.mean()) if len(flags) else float("nan")


def _f1(actual: NDArray[np.bool_], predicted: NDArray[np.bool_]) -> float:
    if not actual.any():
        return float("nan")
    return float(2 * (actual & predicted).sum() / (actual.sum() + predicted.sum()))


def _correlation(truth: Floats, predicted: Floats) -> float:
    """Gorodkin's correlation of two one-hot tables; 0 where one class alone is predicted."""
    centred, guesses = truth - truth.mean(axis=0), predicted - predicted.mean(axis=0)
    spreads = (centred**2).sum(), (guesses**2).sum()
    if spreads[0] == 0:
        return float("nan")
    return 0.0 if spreads[1] == 0 else float((centred * guesses).sum() / np.sqrt(spreads[0] * spreads[1]))

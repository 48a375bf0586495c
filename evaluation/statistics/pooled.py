"""Metrics from sums over images, vectorised over resamples, folds or whatever the leading axes are."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

BINS = 15
CHANCE_ECE = "ece by chance"
_LEAST = 1e-15


def tally(labels: NDArray[np.int64], probabilities: Floats, places: NDArray[np.int64], count: int) -> Floats:
    """Sums over the images of each place (a group, or a fold), from which every pooled metric follows.

    Parameters
    ----------
    labels : ndarray of int64, shape (n,)
    probabilities : ndarray of float64, shape (n, K)
    places : ndarray of int64, shape (n,)
        From 0 to ``count - 1``.
    count : int

    Returns
    -------
    ndarray of float64, shape (count, K * K + 2 + BINS)
        Confusion counts (true class by row), sum of the Brier scores, of the log losses, and in each of the `BINS`
        bins of the top probability the sum of top probability minus hit.
    """
    classes = probabilities.shape[1]
    top = probabilities.argmax(axis=1)
    confidence, hit = probabilities[np.arange(len(labels)), top], top == labels
    cells = np.bincount((places * classes + labels) * classes + top, minlength=count * classes**2)
    gaps = np.bincount(places * BINS + bins(confidence), confidence - hit, minlength=count * BINS)
    losses = [
        np.bincount(places, loss, minlength=count)
        for loss in (brier(labels, probabilities), log_loss(labels, probabilities))
    ]
    return np.column_stack([cells.reshape(count, -1), *losses, gaps.reshape(count, BINS)]).astype(np.float64)


def brier(labels: NDArray[np.int64], probabilities: Floats) -> Floats:
    """Squared error of the probabilities summed over classes (Brier 1950), 0 to 2, shape (n,)."""
    own = probabilities[np.arange(len(labels)), labels]
    return np.square(probabilities).sum(axis=1) - 2 * own + 1


def log_loss(labels: NDArray[np.int64], probabilities: Floats) -> Floats:
    """Minus the natural logarithm of the true class's probability, which is not taken below 1e-15; shape (n,)."""
    return -np.log(np.maximum(probabilities[np.arange(len(labels)), labels], _LEAST))


def bins(confidence: Floats) -> NDArray[np.int64]:
    """Which of `BINS` equally wide bins, closed at the right (Guo et al. 2017), each top probability falls into."""
    return np.clip(np.ceil(confidence * BINS).astype(np.int64) - 1, 0, BINS - 1)


def pooled_metrics(sums: Floats, classes: tuple[str, ...]) -> dict[str, Floats]:
    """Every metric but ``auroc``, from sums of the rows of a `tally`.

    Parameters
    ----------
    sums : ndarray of float64, shape (..., K * K + 2 + BINS)
        Or the K * K confusion counts alone: then without brier, log_loss and ece.
    classes : tuple of str

    Returns
    -------
    dict of str to ndarray, shape (...)
        accuracy, balanced_accuracy, f1_macro, f1_weighted, mcc, brier, log_loss, ece, and ``sensitivity[CLASS]`` and
        ``specificity[CLASS]``. NaN where a class that the metric needs is absent.

    References
    ----------
    Forman, Scholz: Apples-to-apples in cross-validation studies. SIGKDD Explorations 12 (2010) 49-57.
    Guo, Pleiss, Sun, Weinberger: On calibration of modern neural networks. ICML 2017 (ece).
    """
    size = len(classes)
    counts = sums[..., : size**2].reshape(*sums.shape[:-1], size, size)
    total = counts.sum(axis=(-2, -1))
    hits = np.diagonal(counts, axis1=-2, axis2=-1)
    actual, predicted = counts.sum(axis=-1), counts.sum(axis=-2)
    others = total[..., None] - actual
    sensitivity, specificity = ratio(hits, actual), ratio(others - (predicted - hits), others)
    found = {"accuracy": ratio(hits.sum(axis=-1), total), "balanced_accuracy": sensitivity.mean(axis=-1)}
    found |= _f1(hits, actual, predicted) | {"mcc": _mcc(hits.sum(axis=-1), actual, predicted)}
    if sums.shape[-1] > size**2:
        rest = sums[..., size**2 :]
        found |= {"brier": ratio(rest[..., 0], total), "log_loss": ratio(rest[..., 1], total)}
        found |= {"ece": ratio(np.abs(rest[..., 2:]).sum(axis=-1), total)}
    for name, rates in (("sensitivity", sensitivity), ("specificity", specificity)):
        found |= {f"{name}[{label}]": rates[..., column] for column, label in enumerate(classes)}
    return found


def chance_ece(sums: Floats, whole: Floats, cells: int) -> Floats:
    """ECE of resamples as it would be if the images' own were 0: what chance alone does, shape (...).

    Parameters
    ----------
    sums, whole : ndarray of float64, shape (..., K * K + 2 + BINS) and (K * K + 2 + BINS,)
        Of a `tally`, in resamples and of all images.
    cells : int
        K * K.
    """
    total = sums[..., :cells].sum(axis=-1)
    expected = whole[-BINS:] * (total / whole[:cells].sum())[..., None]
    return ratio(np.abs(sums[..., -BINS:] - expected).sum(axis=-1), total)


def _f1(hits: Floats, actual: Floats, predicted: Floats) -> dict[str, Floats]:
    f1 = np.where(actual > 0, ratio(2 * hits, actual + predicted), np.nan)
    weighted = ratio((np.where(actual > 0, f1, 0.0) * actual).sum(axis=-1), actual.sum(axis=-1))
    return {"f1_macro": f1.mean(axis=-1), "f1_weighted": weighted}


def _mcc(right: Floats, actual: Floats, predicted: Floats) -> Floats:
    """Multi-class correlation of Gorodkin (2004); NaN when the labels hold one class, 0 when the predictions do."""
    total = actual.sum(axis=-1)
    spread_actual, spread_predicted = (total**2 - np.square(x).sum(axis=-1) for x in (actual, predicted))
    covariance = right * total - (actual * predicted).sum(axis=-1)
    defined = np.where(spread_predicted > 0, ratio(covariance, np.sqrt(spread_actual * spread_predicted)), 0.0)
    return np.where(spread_actual > 0, defined, np.nan)


def ratio(above: Floats, below: Floats) -> Floats:
    """`above` / `below`, NaN where `below` is not positive."""
    below = np.asarray(below, dtype=np.float64)
    return np.divide(above, below, out=np.full(below.shape, np.nan), where=below > 0)


def mean_of_defined(values: Floats, axis: int) -> Floats:
    """Mean along `axis` without NaN; NaN where nothing is defined."""
    return ratio(np.nansum(values, axis=axis), (~np.isnan(values)).sum(axis=axis))

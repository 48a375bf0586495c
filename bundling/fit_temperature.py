"""Fitting the temperature of probabilities, where out-of-fold predictions show that one lowers the log loss."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..serving.temperature import BOUNDS, LEAST, apply_temperature
from .out_of_fold import OutOfFold

Floats = NDArray[np.float64]


class Temperature(NamedTuple):
    """What `fit_temperature` gives.

    Attributes
    ----------
    value : float
        1 where the probabilities are left as they are.
    best : float
        The one with the lowest log loss, whether it is applied or not.
    gain, low, high : float
        Log loss that it saves on images of folds that it was not fitted on, and the 95 % interval over groups.
    """

    value: float
    best: float
    gain: float
    low: float
    high: float

    def to_mapping(self) -> dict[str, float]:
        """As a manifest holds it."""
        value, best, gain, low, high = self
        return {"value": value, "asked": best, "gain": gain, "low": low, "high": high}


def fit_temperature(predictions: OutOfFold) -> Temperature:
    """Find a temperature; it is applied only if it lowers the log loss significantly.

    One more group is added that is as sure as the others and wrong, as conformal prediction adds one: a few images that
    are all right would otherwise lead to certainty. The gain is measured on each fold with the temperature of the
    others, its interval by the spread over groups.

    References
    ----------
    C. Guo et al., On Calibration of Modern Neural Networks, ICML 2017.
    """
    _, codes = np.unique(predictions.groups, return_inverse=True)
    groups, images = int(codes.max()) + 1, len(codes)
    best = _best(predictions)
    gains = _losses(predictions, 1.0)
    for held, others in predictions.splits():
        value = 1.0 if held.all() else _best(others)
        gains[held] -= _losses(predictions.rows(held), value)
    weight = images / groups
    lost = min(_wrong(predictions, 1.0) - _wrong(predictions, best), 0.0)
    total = images + weight
    gain = float((gains.sum() + weight * lost) / total)
    sums = np.append(np.bincount(codes, gains - gain), weight * (lost - gain))
    half = _t_quantile(groups) * float(np.sqrt((sums**2).sum() * (groups + 1) / groups)) / total
    return Temperature(best if gain - half > 0 else 1.0, best, gain, gain - half, gain + half)


def _best(predictions: OutOfFold) -> float:
    from scipy.optimize import minimize_scalar

    weight = len(predictions.labels) / len(np.unique(predictions.groups))

    def loss(log_temperature: float) -> float:
        value = float(np.exp(log_temperature))
        return float(_losses(predictions, value).sum()) + weight * _wrong(predictions, value)

    return float(np.exp(minimize_scalar(loss, bounds=np.log(BOUNDS), method="bounded").x))


def _losses(predictions: OutOfFold, temperature: float) -> Floats:
    """Log loss of each image."""
    labels = predictions.labels
    return _all_losses(predictions.probabilities, temperature)[np.arange(len(labels)), labels]


def _wrong(predictions: OutOfFold, temperature: float) -> float:
    """Mean loss of an image whose true class is another one than its own, each as probable."""
    every, labels = _all_losses(predictions.probabilities, temperature), predictions.labels
    others = every.sum(axis=1) - every[np.arange(len(labels)), labels]
    return float(others.mean() / (every.shape[1] - 1))


def _all_losses(probabilities: Floats, temperature: float) -> Floats:
    positive = np.maximum(probabilities, LEAST)
    return -np.log(apply_temperature(positive / positive.sum(axis=1, keepdims=True), temperature))


def _t_quantile(freedom: int) -> float:
    from scipy.stats import t

    return float(t.ppf(0.975, freedom))

"""Temperature: one number that makes probabilities as sure as they may be, where out-of-fold predictions ask for it."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_LEAST = 1e-6
BOUNDS = (0.05, 20.0)


class Temperature(NamedTuple):
    """What `fit_temperature` found.

    Attributes
    ----------
    value : float
        1 where the probabilities are left as they are.
    asked : float
        The best one, whether it is applied or not.
    gain, low, high : float
        Log loss that it saves on images of folds that it was not fitted on, and the 95 % interval over groups.
    """

    value: float
    asked: float
    gain: float
    low: float
    high: float

    def to_mapping(self) -> dict[str, Any]:
        """JSON-like."""
        return dict(self._asdict())


def fit_temperature(probabilities: Floats, labels: Integers, groups: Integers, folds: Integers) -> Temperature:
    """Find a temperature; it is applied only where it lowers the log loss beyond doubt.

    One more group is added that is as sure as the others and wrong, as conformal prediction adds one: a few images that
    are all right would otherwise ask for certainty.

    Parameters
    ----------
    probabilities : ndarray of float64, shape (n, classes)
        Out-of-fold.
    labels, groups, folds : ndarray of int, shape (n,)
        The gain is measured on each fold with the temperature of the others, its interval by the spread over groups.

    References
    ----------
    C. Guo et al., On Calibration of Modern Neural Networks, ICML 2017.
    """
    _, codes = np.unique(groups, return_inverse=True)
    count = int(codes.max()) + 1
    asked = _best(probabilities, labels, groups)
    gains = np.zeros(len(labels))
    for fold in np.unique(folds):
        held = folds == fold
        value = _best(probabilities[~held], labels[~held], groups[~held]) if not held.all() else 1.0
        gains[held] = _losses(probabilities[held], labels[held], 1.0)
        gains[held] -= _losses(probabilities[held], labels[held], value)
    weight = len(labels) / count
    lost = min(_wrong(probabilities, labels, 1.0) - _wrong(probabilities, labels, asked), 0.0)
    total = len(labels) + weight
    gain = float((gains.sum() + weight * lost) / total)
    sums = np.append(np.bincount(codes, gains - gain), weight * (lost - gain))
    half = _t_quantile(count) * float(np.sqrt((sums**2).sum() * (count + 1) / count)) / total
    return Temperature(asked if gain - half > 0 else 1.0, asked, gain, gain - half, gain + half)


def tempered(probabilities: Floats, temperature: float) -> Floats:
    """Probabilities, shape (n, classes), at another temperature; at 1 they are the same ones."""
    if temperature == 1.0:
        return probabilities
    powers = np.log(np.maximum(probabilities, _LEAST)) / temperature
    powers = np.exp(powers - powers.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def _best(probabilities: Floats, labels: Integers, groups: Integers) -> float:
    from scipy.optimize import minimize_scalar

    weight = len(labels) / len(np.unique(groups))

    def loss(log_temperature: float) -> float:
        value = float(np.exp(log_temperature))
        return float(_losses(probabilities, labels, value).sum()) + weight * _wrong(probabilities, labels, value)

    return float(np.exp(minimize_scalar(loss, bounds=np.log(BOUNDS), method="bounded").x))


def _losses(probabilities: Floats, labels: Integers, temperature: float) -> Floats:
    return _all_losses(probabilities, temperature)[np.arange(len(labels)), labels]


def _wrong(probabilities: Floats, labels: Integers, temperature: float) -> float:
    """Mean loss of an image whose true class is another one than its own, each as probable."""
    every = _all_losses(probabilities, temperature)
    others = every.sum(axis=1) - every[np.arange(len(labels)), labels]
    return float(others.mean() / (every.shape[1] - 1))


def _all_losses(probabilities: Floats, temperature: float) -> Floats:
    given = np.maximum(probabilities, _LEAST)
    return -np.log(tempered(given / given.sum(axis=1, keepdims=True), temperature))


def _t_quantile(freedom: int) -> float:
    from scipy.stats import t

    return float(t.ppf(0.975, freedom))

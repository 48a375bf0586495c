"""Temperature: one number that makes probabilities as sure as they may be, where out-of-fold predictions ask for it."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_LEAST = 1e-6
_BOUNDS = (0.05, 20.0)
_Z = 1.96


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
    asked = _best(probabilities, labels)
    gains = np.zeros(len(labels))
    for fold in np.unique(folds):
        held = folds == fold
        if held.all():
            break
        value = _best(probabilities[~held], labels[~held])
        gains[held] = _losses(probabilities[held], labels[held], 1.0) - _losses(
            probabilities[held], labels[held], value
        )
    gain = float(gains.mean())
    sums = np.bincount(np.unique(groups, return_inverse=True)[1], gains - gain)
    half = _Z * float(np.sqrt((sums**2).sum())) / len(gains)
    return Temperature(asked if gain - half > 0 else 1.0, asked, gain, gain - half, gain + half)


def tempered(probabilities: Floats, temperature: float) -> Floats:
    """Probabilities, shape (n, classes), at another temperature; at 1 they are the same ones."""
    if temperature == 1.0:
        return probabilities
    powers = np.log(np.maximum(probabilities, _LEAST)) / temperature
    powers = np.exp(powers - powers.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def _best(probabilities: Floats, labels: Integers) -> float:
    from scipy.optimize import minimize_scalar

    def loss(log_temperature: float) -> float:
        return float(_losses(probabilities, labels, float(np.exp(log_temperature))).mean())

    found = minimize_scalar(loss, bounds=np.log(_BOUNDS), method="bounded")
    return float(np.exp(found.x))


def _losses(probabilities: Floats, labels: Integers, temperature: float) -> Floats:
    given = np.maximum(probabilities, _LEAST)
    own = tempered(given / given.sum(axis=1, keepdims=True), temperature)
    return -np.log(own[np.arange(len(labels)), labels])

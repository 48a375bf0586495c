"""Temperature: one number that makes probabilities neither too sure nor too doubtful."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

BOUNDS = (0.05, 20.0)
LEAST = 1e-6
"""Probabilities below it count as this one."""


def apply_temperature(probabilities: Floats, temperature: float) -> Floats:
    """Probabilities, shape (n, classes), at another temperature; at 1 they are the same ones."""
    if temperature == 1.0:
        return probabilities
    powers = np.log(np.maximum(probabilities, LEAST)) / temperature
    powers = np.exp(powers - powers.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))

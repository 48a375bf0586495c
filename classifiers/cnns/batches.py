"""Batches of a network that Keras runs: how many, what it gives for them, and its weights as arrays."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...networks.frameworks import out_of_memory
from .checkpoint import Arrays


def batches(examples: int, limit: int) -> tuple[int, int]:
    """How many batches of which size an epoch has: of one size, at most `limit`, leaving out as few as possible."""
    limit = min(limit, examples)
    count = -(-examples // limit)
    return max((examples // limit, limit), (count, examples // count), key=math.prod)


def predict_in_batches(model: Any, inputs: Any, rows: NDArray[np.int64], batch_size: int) -> NDArray[np.float64]:
    """What a network gives for the inputs at `rows`, shape (rows, outputs); one probability becomes two.

    Batches are halved where memory runs out, and always full, so that no backend compiles the network anew.
    """
    parts: list[NDArray[np.float64]] = []
    start = 0
    while start < len(rows):
        places = rows[start : start + batch_size]
        padded = np.concatenate([places, np.repeat(places[-1:], batch_size - len(places))])
        try:
            outputs = model.predict_on_batch(np.asarray(inputs[padded], np.float32))
        except Exception as error:  # every backend has its own error for memory that ran out
            if not out_of_memory(error) or batch_size == 1:
                raise
            batch_size //= 2
            continue
        parts.append(np.asarray(outputs, np.float64)[: len(places)])
        start += len(places)
    outputs = np.concatenate(parts)
    return np.column_stack([1 - outputs, outputs]) if outputs.shape[1] == 1 else outputs


def values(variables: Sequence[Any]) -> Arrays:
    """Copies of the variables' numbers."""
    import keras

    with warnings.catch_warnings():  # TensorFlow's tensors do not know NumPy 2's argument `copy`
        warnings.filterwarnings("ignore", "__array__ implementation doesn't accept", DeprecationWarning)
        return [keras.ops.convert_to_numpy(variable) for variable in variables]


def assign(variables: Sequence[Any], arrays: Sequence[np.ndarray]) -> None:
    """Give the variables these numbers."""
    for variable, array in zip(variables, arrays, strict=True):
        variable.assign(array)

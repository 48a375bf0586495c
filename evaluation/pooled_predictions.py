"""The stored probabilities of a combination, fold by fold put together."""

from __future__ import annotations

import numpy as np

from .grid import Combination, Grid
from .metric import Floats
from .records import RecordStore


def stored_probabilities(grid: Grid, store: RecordStore, combination: Combination) -> Floats | None:
    """Out-of-fold, shape (repeats, n, classes); None where a fold has none."""
    repeats = 1 + max(fold.repeat for fold in grid.folds)
    probabilities = np.empty((repeats, len(grid.task), len(grid.task.classes)))
    for fold in grid.folds:
        record = store.read(grid.key(combination, fold))
        if record is None or record.probabilities is None:
            return None
        probabilities[fold.repeat, fold.test] = record.probabilities
    return probabilities

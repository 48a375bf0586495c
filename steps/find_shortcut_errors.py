"""Find shortcut errors: how often the best combination is right on images on which a shortcut is wrong."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..evaluation.combination_names import Names, names_of
from ..evaluation.grid import Combination, Grid
from ..evaluation.records import RecordStore
from ..evaluation.scores import Scored
from ..evaluation.statistics.drops import WhereWrong, right_where_wrong


def find_shortcut_errors(grid: Grid, store: RecordStore, scored: Scored) -> dict[Names, WhereWrong]:
    """For each shortcut that was scored, from the predictions of the first repeat; none without a best combination."""
    named = {one.labels: one for one in grid.combinations()}
    if not scored.winner or (best := named.get(names_of(scored.winner))) is None:
        return {}
    right = _right(grid, store, best)
    return {
        names: right_where_wrong(grid.task.groups, right, _right(grid, store, named[names])) for names in scored.against
    }


def _right(grid: Grid, store: RecordStore, combination: Combination) -> NDArray[np.bool_]:
    """Images whose out-of-fold prediction is right; those without one are not."""
    right, labels = np.zeros(len(grid.task), dtype=bool), grid.task.labels
    for fold in grid.folds:
        record = store.read(grid.key(combination, fold)) if fold.repeat == 0 else None
        if record is not None and record.probabilities is not None:
            right[fold.test] = record.probabilities.argmax(axis=1) == labels[fold.test]
    return right

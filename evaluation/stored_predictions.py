"""What the records of a grid predict: the probabilities of a combination, and which combination is the best."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .combination_names import NAMES, Names, as_columns
from .folds import Fold
from .grid import Combination, Grid
from .records import Record, RecordStore
from .statistics.analysis import Analysis

if TYPE_CHECKING:
    import pyarrow as pa

Cells = list[tuple[dict[str, Any], Record, Fold]]
"""Place on the tables, record and fold of each cell of a combination."""
_FEWEST_RESAMPLES = 2


def cells_of(grid: Grid, store: RecordStore, combination: Combination) -> Cells:
    """Every cell of a combination; one that was not reached has neither probabilities nor an error."""
    cells = []
    for fold in grid.folds:
        record = store.read(grid.key(combination, fold))
        place = as_columns(combination.labels) | {"repeat": fold.repeat, "fold": fold.number}
        cells.append((place, record or Record(None), fold))
    return cells


def out_of_fold(grid: Grid, cells: Cells) -> NDArray[np.float64] | None:
    """Probabilities, shape (repeats, n, K); None where a cell has none."""
    if any(record.probabilities is None for _, record, _ in cells):
        return None
    repeats = 1 + max(fold.repeat for fold in grid.folds)
    probabilities = np.empty((repeats, len(grid.task), len(grid.task.classes)))
    for _, record, fold in cells:
        probabilities[fold.repeat, fold.test] = record.probabilities
    return probabilities


def fold_numbers(grid: Grid) -> NDArray[np.int64]:
    """Fold that tests each image, shape (repeats, n)."""
    numbers = np.zeros((1 + max(fold.repeat for fold in grid.folds), len(grid.task)), dtype=np.int64)
    for fold in grid.folds:
        numbers[fold.repeat, fold.test] = fold.number
    return numbers


def best_names(grid: Grid, store: RecordStore, rank_by: str, patients: Sequence[str] | None = None) -> Names | None:
    """Names of the combination that will be first on the leaderboard; None where none has a score.

    Parameters
    ----------
    grid : Grid
    store : RecordStore
    rank_by : str
    patients : sequence of str, optional
        See `leukobench.evaluation.scores.Inference`.
    """
    task = grid.task
    design = task.labels, task.classes, task.groups, fold_numbers(grid)
    analysis = Analysis(*design, rank_by, grid.rules.seed, _FEWEST_RESAMPLES, patients)
    for combination in grid.combinations():
        cells = cells_of(grid, store, combination)
        probabilities = out_of_fold(grid, cells) if combination.kind == "combination" else None
        if probabilities is not None:
            features = float(np.mean([record.features for _, record, _ in cells]))
            analysis.add(combination.labels, combination.kind, probabilities, features)
    return analysis.best()


def schema_of(grid: Grid) -> pa.Schema:
    """Columns of ``predictions.parquet``."""
    import pyarrow as pa

    texts = [(name, pa.string()) for name in (*NAMES, "kind", "image_id", "path", "label", "predicted")]
    numbers = [("row", pa.int64()), ("repeat", pa.int32()), ("fold", pa.int32())]
    return pa.schema([*texts, *numbers, *((f"p_{name}", pa.float64()) for name in grid.task.classes)])


def prediction_columns(place: dict[str, Any], record: Record, grid: Grid, fold: Fold) -> dict[str, Any]:
    """Rows of ``predictions.parquet`` of one cell, as columns; `place` names the combination, its kind and the fold."""
    values = np.asarray(record.probabilities)
    classes = np.asarray(grid.task.classes, dtype=object)
    columns: dict[str, Any] = {name: [value] * len(values) for name, value in place.items()}
    task, rows = grid.task, fold.test
    columns |= {"row": rows, "image_id": task.image_ids[rows].tolist(), "label": classes[task.labels[rows]]}
    columns["path"] = [task.paths[row] for row in rows] if task.paths else [""] * len(rows)
    columns["predicted"] = classes[values.argmax(axis=1)]
    return columns | {f"p_{name}": values[:, position] for position, name in enumerate(grid.task.classes)}

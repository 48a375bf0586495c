"""Whether the rows of one combination are what its run says: every image tested once, by its fold, under its label."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..evaluation.combination_names import Names
from .compared_tables import Check, Mismatch, compare_facts, joined
from .stored_results import StoredResults

if TYPE_CHECKING:
    import pandas as pd

_FILE = "predictions.parquet"
_SUM = 1.001e-3
"""How far probabilities of an image may be from 1 in sum: more was refused when they were predicted."""
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Expected:
    """What every combination's rows have to say.

    Attributes
    ----------
    labels : ndarray of int64, shape (n,)
    classes : tuple of str
    folds : ndarray of int64, shape (repeats, n)
    texts : dict of str to ndarray of object, shape (n,)
        Columns that repeat what ``images.parquet`` says of an image, such as its path.
    """

    labels: NDArray[np.int64]
    classes: tuple[str, ...]
    folds: NDArray[np.int64]
    texts: dict[str, NDArray[Any]]

    @classmethod
    def of(cls, stored: StoredResults, columns: list[str]) -> Expected:
        """From the tables of images and folds; `columns` are those of the predictions."""
        task = stored.task
        texts: dict[str, NDArray[Any]] = {}
        for name in {"image_id", "path"} & set(columns):
            texts[name] = stored.images[name].to_numpy(dtype=object)
        if "label" in columns:
            texts["label"] = np.asarray(task.classes, dtype=object)[task.labels]
        return cls(task.labels, task.classes, stored.fold_numbers, texts)


def check_rows(key: tuple[Names, str], table: pd.DataFrame, expected: Expected) -> tuple[Check, Floats | None]:
    """Facts of one combination's rows, and its probabilities, shape (repeats, n, K); None where an image lacks some."""
    title, size = " x ".join(key[0]), expected.folds.size
    columns = [f"p_{name}" for name in expected.classes]
    if absent := [name for name in columns if name not in table]:
        lost = Mismatch(_FILE, title, absent[0], "no such column", "probabilities of a class")
        return Check(_FILE, size, size, mismatches=(lost,)), None
    rows, repeats = (table[name].to_numpy(dtype=np.int64) for name in ("row", "repeat"))
    inside = (rows >= 0) & (rows < expected.folds.shape[1]) & (repeats >= 0) & (repeats < len(expected.folds))
    tested = np.zeros(expected.folds.shape, dtype=np.int64)
    np.add.at(tested, (repeats[inside], rows[inside]), 1)

    def times(place: int) -> tuple[str, str, str, str]:
        repeat, row = divmod(place, expected.folds.shape[1])
        return title, f"row {row} of repeat {repeat}", f"tested {tested[repeat, row]} times", "tested once"

    checks = [compare_facts(_FILE, _FILE, (tested == 1).ravel(), times)]
    if not inside.all() or checks[0].differ:
        outside = int((~inside).sum())
        strange = (Mismatch(_FILE, title, "row", f"{outside:,} rows of no image", "none"),) if outside else ()
        return joined(_FILE, [Check(_FILE, outside, outside, mismatches=strange), *checks]), None
    values = table[columns].to_numpy(dtype=np.float64)
    sums = np.isfinite(values).all(axis=1) & (values >= -_SUM).all(axis=1) & (np.abs(values.sum(axis=1) - 1) <= _SUM)
    checks.append(_agree(title, "probabilities", sums, rows, values.sum(axis=1), np.ones(len(rows))))
    for name, texts in expected.texts.items():
        checks.append(_same(title, name, table[name].to_numpy(dtype=object), texts[rows], rows))
    if "fold" in table:
        checks.append(_same(title, "fold", table["fold"].to_numpy(), expected.folds[repeats, rows], rows))
    if "predicted" in table:
        top = np.asarray(expected.classes, dtype=object)[values.argmax(axis=1)]
        checks.append(_same(title, "predicted", table["predicted"].to_numpy(dtype=object), top, rows))
    if not sums.all():
        return joined(_FILE, checks), None
    probabilities = np.empty((*expected.folds.shape, len(columns)))
    probabilities[repeats, rows] = values
    return joined(_FILE, checks), probabilities


def _same(title: str, name: str, stored: NDArray[Any], expected: NDArray[Any], rows: NDArray[np.int64]) -> Check:
    return _agree(title, name, np.asarray(stored == expected, dtype=bool), rows, stored, expected)


def _agree(
    title: str, name: str, agrees: NDArray[np.bool_], rows: NDArray[np.int64], stored: Any, expected: Any
) -> Check:
    def describe(place: int) -> tuple[str, str, str, str]:
        return title, f"{name} of row {rows[place]}", str(stored[place]), str(expected[place])

    return compare_facts(_FILE, _FILE, agrees, describe)

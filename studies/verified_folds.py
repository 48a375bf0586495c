"""The folds: every image is tested once a repeat, no group is on both sides, and they are those that the seed draws."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..errors import LeukobenchError
from ..evaluation.folds import make_folds
from .compared_tables import Check, Mismatch, compare_facts, joined
from .stored_results import StoredResults

if TYPE_CHECKING:
    import pandas as pd

FOLDS, DRAWN = "folds", "folds as the seed draws them"


def check_folds(stored: StoredResults) -> Check:
    """Facts of the tables of folds and images."""
    file = "images.parquet" if stored.published else "folds.parquet"
    images, folds = stored.images, stored.folds
    size = stored.fold_numbers.shape
    inside = folds["row"].between(0, len(images) - 1).to_numpy()
    tested = np.zeros(size, dtype=np.int64)
    np.add.at(tested, (folds["repeat"].to_numpy()[inside], folds["row"].to_numpy()[inside]), 1)

    def times(place: int) -> tuple[str, str, str, str]:
        repeat, row = divmod(place, size[1])
        return f"row {row}", f"repeat {repeat}", f"tested {tested[repeat, row]} times", "tested once"

    checks = [
        compare_facts(FOLDS, file, np.append((tested == 1).ravel(), inside.all()), _or_outside(times, tested.size))
    ]
    rows = images["row"].to_numpy() == np.arange(len(images))
    checks.append(_compare("images.parquet", "row", rows, images["row"].tolist(), range(len(images))))
    if stored.names_images:
        own = stored.index.group
        agrees = images["group"].to_numpy() == own
        checks.append(_compare("images.parquet", "group", agrees, images["group"].tolist(), own.tolist()))
    if stored.experiment.evaluation.split != "given":
        checks.append(_leaks(stored, file))
    if not checks[0].differ:
        checks += [_texts(stored, folds, name) for name in ("image_id", "label", "group") if name in folds]
    return joined(FOLDS, checks)


def check_drawn(stored: StoredResults) -> Check | None:
    """Whether drawing the folds again gives the same; None where they were given, or the images are not named."""
    evaluation = stored.experiment.evaluation
    if not stored.names_images or evaluation.split == "given":
        return None
    drawing = evaluation.folds, evaluation.repeats, evaluation.seed, evaluation.shuffle
    again = np.full_like(stored.fold_numbers, -1)
    try:
        folds = make_folds(stored.task, *drawing)
    except (LeukobenchError, ValueError) as error:
        lost = Mismatch("images.parquet", "", "folds", "folds", f"none can be drawn: {error}")
        return Check(DRAWN, again.size, again.size, mismatches=(lost,))
    if len(again) != evaluation.repeats:
        lost = Mismatch("experiment.yaml", "", "evaluation.repeats", f"{len(again)} repeats", str(evaluation.repeats))
        return Check(DRAWN, again.size, again.size, mismatches=(lost,))
    for fold in folds:
        again[fold.repeat, fold.test] = fold.number
    file = "images.parquet" if stored.published else "folds.parquet"

    def describe(place: int) -> tuple[str, str, str, str]:
        repeat, row = divmod(place, again.shape[1])
        return (
            f"row {row}",
            f"repeat {repeat}",
            f"fold {stored.fold_numbers[repeat, row]}",
            f"fold {again[repeat, row]}",
        )

    return compare_facts(DRAWN, file, (again == stored.fold_numbers).ravel(), describe)


def _leaks(stored: StoredResults, file: str) -> Check:
    """A group, a patient or the copies of one image, on both sides of a split."""
    checks = []
    keys = [name for name in ("group", "image_id", "patient", "copies") if name in stored.images]
    for name in keys:
        for repeat, numbers in enumerate(stored.fold_numbers):
            column = stored.images[name]
            table = column.to_frame().assign(fold=numbers)[column != ""]
            folds = table.groupby(name)["fold"].nunique()
            places = [f"in {count} folds" for count in folds]
            where, once = f"{name} in repeat {repeat}", (folds == 1).to_numpy()
            checks.append(_compare(file, where, once, places, ["in one fold"] * len(folds), folds.index.tolist()))
    return joined(FOLDS, checks)


def _texts(stored: StoredResults, folds: pd.DataFrame, name: str) -> Check:
    """A column of ``folds.parquet`` that repeats what ``images.parquet`` says; labels are those that were fitted."""
    rows, values = folds["row"].to_numpy(), folds[name].to_numpy(dtype=object)
    own = stored.images[name].to_numpy(dtype=object)
    if name == "label":
        own = np.asarray(stored.task.classes, dtype=object)[stored.task.labels]
    agrees = np.asarray(values == own[rows], dtype=bool)
    return _compare("folds.parquet", name, agrees, values.tolist(), own[rows].tolist(), rows.tolist())


def _compare(
    file: str, column: str, agrees: np.ndarray, stored: Sequence[object], expected: Sequence[object],
    rows: Sequence[object] | None = None,
) -> Check:  # fmt: skip
    def describe(place: int) -> tuple[str, str, str, str]:
        return f"row {place if rows is None else rows[place]}", column, str(stored[place]), str(expected[place])

    return compare_facts(FOLDS, file, agrees, describe)


def _or_outside(
    times: Callable[[int], tuple[str, str, str, str]], size: int
) -> Callable[[int], tuple[str, str, str, str]]:
    return lambda place: times(place) if place < size else ("", "row", "rows of no image", "none")

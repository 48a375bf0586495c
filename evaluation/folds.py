"""Folds: made once, shared by every combination, checked disjoint."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ImagesError
from ..storage import digest
from .task import Task

if TYPE_CHECKING:
    import pandas as pd

INNER_FOLDS = 3
_INNER_SEEDS = 10

Split = tuple[NDArray[np.int64], NDArray[np.int64]]


@dataclass(frozen=True)
class Fold:
    """One split of a task: row positions to train on and to test on."""

    repeat: int
    number: int
    train: NDArray[np.int64]
    test: NDArray[np.int64]

    def digest(self, task: Task) -> str:
        """What the split means, whatever the files are called: ids, labels and groups of both sides, in order."""
        sides = [_content(task, rows) for rows in (self.train, self.test)]
        if task.validation:
            sides.append(_content(task.validation, np.arange(len(task.validation))))
        return digest([task.classes, sides])


def _content(task: Task, rows: NDArray[np.int64]) -> list[list[Any]]:
    return [task.image_ids[rows].tolist(), task.labels[rows].tolist(), task.groups[rows].tolist()]


def make_folds(task: Task, folds: int, repeats: int, seed: int, shuffle: bool = True) -> list[Fold]:
    """Stratified folds that keep every group on one side; those that were given, once, where the task has some.

    Parameters
    ----------
    task : Task
    folds, repeats : int
        Each repeat splits anew, with seed ``seed + repeat``.
    seed : int
    shuffle : bool
        False splits in the order of the images.

    Raises
    ------
    ImagesError
        A group is on both sides of a split, or a fold's training part lacks all but one class.
    """
    drawn = given_folds(task) or [
        Fold(repeat, number, train, test)
        for repeat in range(repeats)
        for number, (train, test) in enumerate(splits(task.labels, task.groups, folds, seed + repeat, shuffle))
    ]
    for fold in drawn:
        check(task, fold)
    return drawn


def given_folds(task: Task) -> list[Fold]:
    """The folds that the task has been given, in the order of their names; none where it has none."""
    names = np.asarray(task.given, dtype=str)
    return [given_fold(task, names == name, number) for number, name in enumerate(np.unique(names))]


def given_fold(task: Task, tested: NDArray[np.bool_], number: int = 0) -> Fold:
    """A fold that tests some rows and trains on all others, but for leaks where the task drops them."""
    train, test = np.flatnonzero(~tested), np.flatnonzero(tested)
    if task.drop_leaks:
        train = train[~np.isin(task.groups[train], task.groups[test])]
    return Fold(0, number, train, test)


def splits(
    labels: NDArray[np.int64], groups: NDArray[np.int64], folds: int, seed: int, shuffle: bool = True
) -> Iterator[Split]:
    """Stratified k-fold splits; with groups, StratifiedGroupKFold of scikit-learn."""
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

    grouped = len(np.unique(groups)) < len(groups)
    splitter = (StratifiedGroupKFold if grouped else StratifiedKFold)(
        folds, shuffle=shuffle, random_state=seed if shuffle else None
    )
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The least populated class", UserWarning)
        yield from splitter.split(np.zeros(len(labels)), labels, groups if grouped else None)


class InnerFolds:
    """Grouped folds inside the training part, of rows counted within it; drawn at the first call."""

    def __init__(self, task: Task, fold: Fold, seed: int) -> None:
        self._labels, self._groups, self._seed = task.labels[fold.train], task.groups[fold.train], seed
        self._splits: list[Split] | None = None

    def __call__(self) -> list[Split]:
        """The splits.

        Raises
        ------
        ValueError
            No grouped split holds every class on its training side.
        """
        if self._splits is None:
            self._splits = self._find()
        return self._splits

    def _find(self) -> list[Split]:
        """Every inner fold must know every class: a sigmoid fitted without one would wipe it out."""
        classes = np.unique(self._labels)
        for folds in (INNER_FOLDS, 2):
            for seed in range(self._seed, self._seed + _INNER_SEEDS):
                with contextlib.suppress(ValueError):  # fewer members than folds
                    candidate = list(splits(self._labels, self._groups, folds, seed))
                    if all(np.array_equal(np.unique(self._labels[train]), classes) for train, _ in candidate):
                        return candidate
        raise ValueError(
            "No inner folds hold every class: a class has one patient (or one group of copies) in the training part. "
            "Use a classifier that has probabilities, without calibration and tuning, or more patients."
        )


def check(task: Task, fold: Fold) -> None:
    """Refuse a split with one class to train on, or with a group, an image or a guarded key on both sides.

    A given split may have such leaks: they are counted and named before anything is fitted.
    """
    guarded = (("group", task.groups), ("image", task.image_ids), *task.guards.items())
    for what, values in () if task.given else guarded:
        both = np.intersect1d(values[fold.train], values[fold.test])
        both = both[both != ""] if values.dtype.kind == "U" else both
        if len(both):
            raise ImagesError(
                f"Fold {fold.number} of repeat {fold.repeat} leaks: {len(both)} of '{what}' are on both sides.",
                received=f"first: {both[0]}",
                fix="this is a mistake in leukobench or in a plug-in: please report it.",
            )
    for side, rows, least in (("train on", fold.train, 2), ("test on", fold.test, 1)):
        present = np.unique(task.labels[rows])
        if len(present) < least:
            raise ImagesError(
                f"Fold {fold.number} of repeat {fold.repeat} has {len(present)} class(es) to {side}.",
                expected=f"at least {least}",
                fix="use fewer folds, or more patients for each class.",
            )


def folds_table(task: Task, folds: Sequence[Fold]) -> pd.DataFrame:
    """One row per image and repeat: row (of the task), image_id, label, group, repeat, and the fold that tests it."""
    import pandas as pd

    classes = np.asarray(task.classes, dtype=object)
    tables = [
        pd.DataFrame(
            {
                "row": fold.test,
                "image_id": task.image_ids[fold.test],
                "label": classes[task.labels[fold.test]],
                "group": task.groups[fold.test],
                "repeat": fold.repeat,
                "fold": fold.number,
            }
        )
        for fold in folds
    ]
    return pd.concat(tables, ignore_index=True)

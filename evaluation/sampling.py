"""A sample of a task: some of its images in their groups, and the folds of the run restricted to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from .folds import Fold
from .task import Task

Rows = NDArray[np.int64]

_OF_A_GROUP, _OF_A_CLASS = 20, 20
"""So many images of a group, and of a class, are taken at least before others are."""


def sample_rows(task: Task, images: int | None, seed: int) -> Rows:
    """Rows of about `images` images of a task: groups in random order, each class with its share.

    Groups are whole, unless they hold so many images that few of them would make up the sample: then a random part of
    each is taken, so that as many groups as possible are in.

    Parameters
    ----------
    task : Task
    images : int, optional
        All by default.
    seed : int

    Returns
    -------
    ndarray of int64
        Sorted.
    """
    size = len(task)
    if images is None or size <= images:
        return np.arange(size, dtype=np.int64)
    rng = np.random.default_rng(seed)
    _, codes = np.unique(task.groups, return_inverse=True)
    most = max(_OF_A_GROUP, images // (int(codes.max()) + 1))
    order = rng.permutation(size)
    order = order[np.argsort(rng.permutation(int(codes.max()) + 1)[codes[order]], kind="stable")]
    order = order[_places_within(codes[order]) < most]
    chosen: set[int] = set()
    for label in range(len(task.classes)):
        own = order[task.labels[order] == label]
        share = max(round(images * float((task.labels == label).mean())), _OF_A_CLASS)
        if len(own):
            last = codes[own[min(share, len(own)) - 1]]
            stop = int(np.flatnonzero(codes[own] == last)[-1]) + 1
            chosen.update(own[:stop].tolist())
    return np.array(sorted(chosen), dtype=np.int64)


def _places_within(codes: Rows) -> Rows:
    """Place of each entry among those of its group, whose entries are neighbours."""
    starts = np.flatnonzero(np.append(True, codes[1:] != codes[:-1]))
    return np.arange(len(codes)) - np.repeat(starts, np.diff(np.append(starts, len(codes))))


def part_of(task: Task, rows: Rows) -> Task:
    """The task of some of its images; the classes stay. Images for validation alone take no part."""
    return replace(
        task,
        image_ids=task.image_ids[rows],
        labels=task.labels[rows],
        groups=task.groups[rows],
        guards={name: values[rows] for name, values in task.guards.items()},
        paths=tuple(task.paths[row] for row in rows) if task.paths else (),
        given=tuple(task.given[row] for row in rows) if task.given else (),
        validation=None,
    )


def restrict(folds: Sequence[Fold], rows: Rows, size: int) -> list[Fold]:
    """The same folds of the sampled rows alone; `size` is the number of all rows."""
    places = np.full(size, -1, dtype=np.int64)
    places[rows] = np.arange(len(rows))
    sides = [(places[fold.train], places[fold.test]) for fold in folds]
    return [
        replace(fold, train=train[train >= 0], test=test[test >= 0])
        for fold, (train, test) in zip(folds, sides, strict=True)
    ]

"""Subsamples of training parts: halves, quarters and so on of the groups of each class, one inside the other."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .folds import Fold
from .task import Task

_RARE, _FEWEST = 4, 2
"""Groups of a class: with fewer it is kept whole; a subsample has at least so many."""


def deepest(task: Task, folds: Sequence[Fold], most: int) -> int:
    """How often every training part can be halved, `most` times at most."""
    counts = [count for fold in folds for count in map(len, _groups_by_class(task, fold)) if count >= _RARE]
    return min(most, int(np.log2(min(counts) / _FEWEST))) if counts else 0


def halved(task: Task, folds: Sequence[Fold], times: int, draws: int, seed: int) -> list[Fold]:
    """The folds with a part of what they train on: after `times` halvings, in several draws, which are its repeats.

    Groups of a class are put in an order by chance and cut in equal blocks, a block a draw: draws of one size have no
    group in common, and lie inside those of the double size. The test parts stay as they are.

    Parameters
    ----------
    task : Task
    folds : sequence of Fold
        Of one repeat.
    times : int
        Of no halving there is one draw, with everything.
    draws : int
        At most; there are no more than blocks.
    seed : int
    """
    blocks = 2**times
    drawn = []
    for fold in folds:
        rng = np.random.default_rng([seed, fold.number])
        orders = [rng.permutation(groups) for groups in _groups_by_class(task, fold)]
        for draw in range(min(draws, blocks)):
            kept = np.concatenate([_block(order, draw, blocks) for order in orders])
            train = fold.train[np.isin(task.groups[fold.train], kept)]
            drawn.append(Fold(draw, fold.number, train, fold.test))
    return drawn


def _block(order: NDArray[np.int64], number: int, blocks: int) -> NDArray[np.int64]:
    if len(order) < _RARE:
        return order
    return order[number * len(order) // blocks : (number + 1) * len(order) // blocks]


def _groups_by_class(task: Task, fold: Fold) -> list[NDArray[np.int64]]:
    """Groups of the training part by the class that most of their images have, the first of equals."""
    groups, codes = np.unique(task.groups[fold.train], return_inverse=True)
    counts = np.zeros((len(groups), len(task.classes)), dtype=np.int64)
    np.add.at(counts, (codes, task.labels[fold.train]), 1)
    own = counts.argmax(axis=1)
    return [part for label in range(len(task.classes)) if len(part := groups[own == label])]

"""Guards against leaks: permuted labels."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from .task import Task


def permuted(task: Task, seed: int) -> Task:
    """The task with labels permuted among groups; copies keep one label.

    A group with one label gets the label of another such group. In groups with several labels, contents are permuted
    among those groups.
    """
    rng = np.random.default_rng(seed)
    _, groups = np.unique(task.groups, return_inverse=True)
    lowest = np.full(groups.max() + 1, np.iinfo(np.int64).max)
    highest = np.full(groups.max() + 1, -1)
    np.minimum.at(lowest, groups, task.labels)
    np.maximum.at(highest, groups, task.labels)
    pure = lowest == highest
    labels = task.labels.copy()
    drawn = lowest.copy()
    drawn[pure] = rng.permutation(lowest[pure])
    inside = pure[groups]
    labels[inside] = drawn[groups[inside]]
    _, contents = np.unique(task.image_ids[~inside], return_inverse=True)
    first = np.unique(contents, return_index=True)[1]
    labels[~inside] = rng.permutation(task.labels[~inside][first])[contents]
    return replace(task, labels=labels)

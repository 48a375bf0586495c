"""Guards against leaks: labels permuted among groups, and a probe for any procedure that fits and predicts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from .task import Task

Floats = NDArray[np.float64]
FitPredict = Callable[[Floats, NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]], Floats]

_TOLERANCE = 1e-9


def permute_labels(task: Task, seed: int) -> Task:
    """The task with labels permuted among groups, so that nothing can be learnt: every score has to be at chance.

    A group with one label gets the label of another such group. In groups with several labels, the labels of their
    contents are permuted. Copies of one content keep one label, and as many groups as before have each label. Images
    for validation, whose labels are as they were, take no part.

    Parameters
    ----------
    task : Task
    seed : int

    References
    ----------
    M. Ojala, G. C. Garriga, Permutation Tests for Studying Classifier Performance, JMLR 11, 2010.
    """
    rng = np.random.default_rng(seed)
    _, groups = np.unique(task.groups, return_inverse=True)
    lowest = np.full(groups.max() + 1, np.iinfo(np.int64).max)
    highest = np.full(groups.max() + 1, -1)
    np.minimum.at(lowest, groups, task.labels)
    np.maximum.at(highest, groups, task.labels)
    pure = lowest == highest
    drawn = lowest.copy()
    drawn[pure] = rng.permutation(lowest[pure])
    labels, mixed = drawn[groups], ~pure[groups]
    _, first, contents = np.unique(task.image_ids[mixed], return_index=True, return_inverse=True)
    labels[mixed] = rng.permutation(task.labels[mixed][first])[contents]
    return replace(task, labels=labels, validation=None)


def leaks_into(
    fit_predict: FitPredict,
    features: Floats,
    labels: NDArray[np.int64],
    train: NDArray[np.int64],
    test: NDArray[np.int64],
    seed: int = 0,
) -> list[str]:
    """What a procedure that fits and predicts takes from the test side, found by changing that side.

    Parameters
    ----------
    fit_predict : callable
        Given features (n, m), labels (n,), training and test rows, returns probabilities of the test rows, shape
        (len(test), K). It may see everything; it may use nothing of the test rows but each row's own features.
    features : ndarray of float64, shape (n, m)
    labels : ndarray of int64, shape (n,)
    train, test : ndarray of int64
        At least two rows each.
    seed : int
        Of the changes.

    Returns
    -------
    list of str
        Empty where nothing leaks: neither changing the labels of test images, nor replacing the other test images,
        moved an answer.
    """
    rng = np.random.default_rng(seed)
    plain = fit_predict(features, labels, train, test)
    leaks = []
    other_labels = labels.copy()
    other_labels[test] = (labels[test] + rng.integers(1, labels.max() + 1, len(test))) % (labels.max() + 1)
    if _differ(plain, fit_predict(features, other_labels, train, test)):
        leaks.append("the predictions depend on the labels of the test images")
    kept = np.zeros(len(test), dtype=bool)
    kept[rng.permutation(len(test))[: len(test) // 2]] = True
    replaced = features.copy()
    spread = 10 * features.std(axis=0) + 1
    replaced[test[~kept]] = features.mean(axis=0) + spread * rng.normal(size=(int((~kept).sum()), features.shape[1]))
    if _differ(plain[kept], fit_predict(replaced, labels, train, test)[kept]):
        leaks.append("the predictions depend on the features of other test images")
    return leaks


def _differ(before: Floats, after: Floats) -> bool:
    return before.shape != after.shape or not np.allclose(before, after, rtol=0, atol=_TOLERANCE)

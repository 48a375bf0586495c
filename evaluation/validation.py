"""A given validation part: tuned on in place of inner folds, and what networks stop early by."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .folds import Split
from .task import Task
from .tuning import InnerFeatures

Floats = NDArray[np.float64]


@dataclass
class Beside:
    """Validation images, for early stopping: inputs like those of the training side, labels and groups."""

    inputs: Any
    labels: NDArray[np.int64]
    groups: NDArray[np.int64]

    def through(self, selector: Any) -> Beside:
        """The same images with their features selected."""
        return Beside(np.asarray(selector.transform(self.inputs)), self.labels, self.groups)


def beside_of(task: Task, features: NDArray[Any]) -> Beside | None:
    """Validation images of a task, of which `features` has rows behind those of the task; None where it has none."""
    if task.validation is None or len(features) == len(task):
        return None
    return Beside(features[len(task) :].astype(np.float64), task.validation.labels, task.validation.groups)


def tuning_part(
    train: Floats, task: Task, rows: NDArray[np.int64], beside: Beside | None, inner: Callable[[], list[Split]]
) -> tuple[InnerFeatures, Callable[[], list[Split]]]:
    """What is tuned on: grouped inner folds of the training rows, or in their place the task's validation part.

    Parameters
    ----------
    train : ndarray of float64, shape (n, features)
    task : Task
    rows : ndarray of int64, shape (n,)
        Of the task, which `train` shows.
    beside : Beside, optional
        Images for validation, if the task has some.
    inner : callable
        Draws the inner folds.
    """
    labels, groups = task.labels[rows], task.groups[rows]
    if beside is None:
        return InnerFeatures(train, labels, groups, task.classes), inner
    held = np.flatnonzero(np.isin(beside.labels, labels))
    split = np.arange(len(rows)), len(rows) + np.arange(len(held))
    both = InnerFeatures(
        np.concatenate([train, beside.inputs[held]]),
        np.concatenate([labels, beside.labels[held]]),
        np.concatenate([groups, beside.groups[held]]),
        task.classes,
    )
    return both, lambda: [split]


def with_validation(
    estimator: Any, train: Any, labels: NDArray[np.int64], arguments: dict[str, Any], beside: Beside | None
) -> tuple[Any, NDArray[np.int64], dict[str, Any]]:
    """Inputs, labels and arguments of a fit; behind the training images those for validation, where `fit` takes them.

    It is told which these are as `validation_rows`. Classes that are not trained on take no part.
    """
    if beside is None or "validation_rows" not in inspect.signature(estimator.fit).parameters:
        return train, labels, arguments
    held = np.flatnonzero(np.isin(beside.labels, labels))
    join = getattr(train, "followed_by", lambda rows: np.concatenate([train, rows]))
    groups = np.concatenate([arguments["groups"], beside.groups[held]])
    rows = len(labels) + np.arange(len(held))
    both = np.concatenate([labels, beside.labels[held]])
    return join(beside.inputs[held,]), both, arguments | {"groups": groups, "validation_rows": rows}

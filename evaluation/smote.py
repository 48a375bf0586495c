"""SMOTE: every class brought to the size of the largest, also one that is smaller than the usual neighbours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .folds import Fold
from .task import Task

NEIGHBOURS = 5


def smote(features: NDArray[Any], labels: NDArray[Any], seed: int = 0) -> tuple[NDArray[Any], NDArray[Any]]:
    """SMOTE of imbalanced-learn, with fewer neighbours for a class that has fewer; an image without any is repeated.

    Parameters
    ----------
    features : ndarray, shape (n, m)
    labels : ndarray, shape (n,)
    seed : int

    Returns
    -------
    features, labels : ndarray
        The n rows, then the synthetic ones.

    References
    ----------
    N. V. Chawla et al., SMOTE: Synthetic Minority Over-sampling Technique, J. Artif. Intell. Res. 16, 2002.
    """
    from imblearn.over_sampling import SMOTE

    classes, counts = np.unique(labels, return_counts=True)
    most, parts = counts.max(), [(features, labels)]
    # Each class begins with the same seed anew, as in one call for all classes.
    for label, count in zip(classes, counts, strict=True):
        if count == 1 < most:
            rows = np.repeat(np.flatnonzero(labels == label), most - 1)
            parts.append((features[rows], labels[rows]))
        elif count < most:
            sampler = SMOTE(sampling_strategy={label: most}, k_neighbors=min(NEIGHBOURS, count - 1), random_state=seed)
            drawn = sampler.fit_resample(features, labels)
            parts.append(tuple(part[len(labels) :] for part in drawn))
    drawn_features, drawn_labels = (np.concatenate(column) for column in zip(*parts, strict=True))
    return drawn_features, drawn_labels


def few_neighbours(task: Task, folds: Sequence[Fold]) -> str:
    """Which classes have fewer neighbours than SMOTE takes, in words; '' where none has."""
    counts = np.array([np.bincount(task.labels[fold.train], minlength=len(task.classes)) for fold in folds])
    fewest = np.where((counts > 0) & (counts < counts.max(axis=1, keepdims=True)), counts, counts.max()).min(axis=0)
    small = [f"{task.classes[k]} ({fewest[k]})" for k in np.flatnonzero(fewest <= NEIGHBOURS)]
    if not small:
        return ""
    words = f"SMOTE with fewer than {NEIGHBOURS} neighbours for classes with few images in a training fold"
    return f"{words}: {', '.join(small)}; an only image is repeated"

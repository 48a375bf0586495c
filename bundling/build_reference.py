"""Building the reference of a bundle: training images in the space in which distances of new ones are taken."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ..evaluation.task import Task
from ..serving.training_reference import TrainingReference, fifth_nearest, stage_scale

MOST_IMAGES = 5000
_BLOCK = 512


def build_reference(features: NDArray[np.float32], names: Sequence[str], task: Task) -> TrainingReference:
    """Build it from the training images; above `MOST_IMAGES`, an evenly spaced part of each class is kept.

    Parameters
    ----------
    features : ndarray of float32, shape (n, features)
    names : sequence of str, length features
        They show which stage a feature is of; see `leukobench.features.pooling.feature_names`.
    task : Task
        Of the same n images.
    """
    centre, weight = stage_scale(features, names)
    rows = _sample(task.labels)
    vectors = ((features[rows] - centre) * weight).astype(np.float16)
    reference = TrainingReference(vectors, centre, weight, task.labels[rows], task.image_ids[rows], np.empty(0))
    groups = task.groups
    distances = [
        fifth_nearest(
            np.where(groups[part, None] == groups[None, rows], np.inf, reference.distances_to(features[part]))
        )
        for part in np.array_split(np.arange(len(features)), -(-len(features) // _BLOCK))
    ]
    return replace(reference, distances=np.sort(np.concatenate(distances)))


def _sample(labels: NDArray[np.int64]) -> NDArray[np.int64]:
    """All rows, or `MOST_IMAGES` of them, evenly spaced in each class."""
    if len(labels) <= MOST_IMAGES:
        return np.arange(len(labels))
    order = np.argsort(labels, kind="stable")
    return np.sort(order[np.linspace(0, len(order) - 1, MOST_IMAGES).astype(np.int64)])

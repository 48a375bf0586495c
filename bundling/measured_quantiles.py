"""Quantiles of colour, sharpness and size of the training images, by which a shift of other images is seen."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..evaluation.statistics.shifts import Quantiles
from ..evaluation.task import Task

PARTS = {
    "colour": ("colour.",),
    "sharpness": ("sharpness.",),
    "size": ("file.width", "file.height"),
}
"""Part -> how the names of its measurements begin; see `leukobench.features.simple_measurements`."""


def measured_columns(names: Sequence[str]) -> list[int]:
    """Positions of the measurements that are compared."""
    beginnings = tuple(one for part in PARTS.values() for one in part)
    return [position for position, name in enumerate(names) if name.startswith(beginnings)]


def part_of(name: str) -> str:
    """The part that a measurement belongs to."""
    return next(part for part, beginnings in PARTS.items() if name.startswith(beginnings))


def measured_quantiles(measurements: NDArray[np.float32], names: Sequence[str], task: Task) -> Quantiles:
    """Of the images of a task, from all their measurements, shape (n, numbers)."""
    own = measured_columns(names)
    numbers = np.asarray(measurements[:, own], dtype=np.float64)
    return Quantiles.of([names[place] for place in own], numbers, task.labels, task.groups, len(task.classes))

"""What is to be predicted: images, their labels, and which of them belong together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Task:
    """Labels and groups of n images, in the row order of every feature matrix.

    Attributes
    ----------
    image_ids : ndarray of str, shape (n,)
        SHA-256 of each image's bytes; identical files share one.
    labels : ndarray of int, shape (n,)
        Position of each image's class in `classes`.
    classes : tuple of str
        Sorted class names.
    groups : ndarray of int, shape (n,)
        Images with one number never stand on both sides of a split.
    """

    image_ids: NDArray[np.str_]
    labels: NDArray[np.int64]
    classes: tuple[str, ...]
    groups: NDArray[np.int64]

    @classmethod
    def of(cls, image_ids: Sequence[str], labels: Sequence[str], groups: Sequence[int]) -> Task:
        """Encode string labels; classes are sorted by name."""
        classes, codes = np.unique(np.asarray(labels, dtype=str), return_inverse=True)
        ids = np.asarray(image_ids, dtype=str)
        return cls(ids, codes.astype(np.int64), tuple(map(str, classes)), np.asarray(groups, np.int64))

    def __len__(self) -> int:
        return len(self.labels)

"""What is to be predicted: images, their labels, and which of them belong together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd


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
        Images with one number are never on both sides of a split.
    guards : mapping of str to ndarray of str, shape (n,)
        Further keys, such as the patient, that are checked to keep to one side before each fit; '' is no key.
    paths : tuple of str, length n or 0
        Where the images lie; only named in tables.
    given : tuple of str, length n or 0
        Name of the given fold, or part of a given split, that tests each image. What is on both sides of a given split
        is counted and named elsewhere, not refused.
    drop_leaks : bool
        Given folds leave out of training what has a group in their test part.
    validation : Task, optional
        Images that are only tuned on, in place of inner folds: the last rows of every feature matrix, in this order.
    """

    image_ids: NDArray[np.str_]
    labels: NDArray[np.int64]
    classes: tuple[str, ...]
    groups: NDArray[np.int64]
    guards: Mapping[str, NDArray[np.str_]] = field(default_factory=dict)
    paths: tuple[str, ...] = ()
    given: tuple[str, ...] = ()
    drop_leaks: bool = False
    validation: Task | None = None

    @classmethod
    def of(
        cls,
        image_ids: Sequence[str],
        labels: Sequence[str],
        groups: Sequence[int],
        guards: Mapping[str, Sequence[str]] | None = None,
    ) -> Task:
        """Encode string labels; classes are sorted by name."""
        classes, codes = np.unique(np.asarray(labels, dtype=str), return_inverse=True)
        ids = np.asarray(image_ids, dtype=str)
        keys = {name: np.asarray(values, dtype=str) for name, values in (guards or {}).items()}
        return cls(ids, codes.astype(np.int64), tuple(map(str, classes)), np.asarray(groups, np.int64), keys)

    @classmethod
    def of_images(cls, images: pd.DataFrame) -> Task:
        """From the columns image_id, label, group and path of ``images.parquet``; patient and copies are guards."""
        guards = {name: images[name].tolist() for name in ("patient", "copies") if name in images}
        task = cls.of(images["image_id"].tolist(), images["label"].tolist(), images["group"].tolist(), guards)
        return replace(task, paths=tuple(images["path"]))

    def with_validation(self, images: pd.DataFrame) -> Task:
        """The task with images for validation, a table like ``images.parquet``; as it is where that has no rows."""
        if not len(images):
            return self
        held = Task.of_images(images)
        labels = np.searchsorted(self.classes, np.asarray(images["label"], dtype=str)).astype(np.int64)
        groups = held.groups + self.groups.max() + 1
        return replace(self, validation=replace(held, labels=labels, classes=self.classes, groups=groups))

    def __len__(self) -> int:
        return len(self.labels)


def over_classes(probabilities: NDArray[Any], codes: NDArray[Any], classes: int) -> NDArray[np.float64]:
    """Probabilities of the classes at positions `codes`, spread over all `classes`; 0 for the others."""
    spread = np.zeros((len(probabilities), classes))
    spread[:, np.asarray(codes, dtype=int)] = probabilities
    return spread

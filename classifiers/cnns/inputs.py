"""Inputs: images of one size, from arrays or files, and the inner split for early stopping."""

from __future__ import annotations

import contextlib
import os
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...images.reading import read_image, resize


def as_images(images: Any, size: tuple[int, int], interpolation: str) -> Any:
    """Bring images to one size.

    Parameters
    ----------
    images : array-like of shape (n, H, W, 3), or sequence of paths or of arrays of shape (H, W, 3)
        0 to 255, RGB. An array that already has the size is used as it is, and read batch by batch.
    size : (int, int)
        Height and width.
    interpolation : str
        See `leukobench.images.reading.resize`.

    Raises
    ------
    ValueError
        There are no images, or they have another shape.
    UnreadableImageError
        A file does not decode.
    """
    shape = getattr(images, "shape", ())
    if len(shape) == 4 and shape[1:] == (*size, 3) and len(images):
        return images
    if isinstance(images, str | os.PathLike) or not len(images) or (shape and len(shape) not in (1, 4)):
        raise ValueError(f"expected images of shape (n, H, W, 3), or their paths; received {_description(images)}")
    pixels = np.empty((len(images), *size, 3), dtype=np.uint8)
    for position in range(len(images)):
        pixels[position] = resize(_one(images[position]), size, interpolation)
    return pixels


def _one(image: Any) -> NDArray[np.uint8]:
    if isinstance(image, str | os.PathLike):
        return read_image(os.fspath(image))
    pixels = np.asarray(image)
    if pixels.ndim != 3 or pixels.shape[2] != 3 or not pixels.size:
        raise ValueError(f"expected an image of shape (H, W, 3), received shape {pixels.shape}")
    return pixels.astype(np.uint8, copy=False)


def _description(images: Any) -> str:
    return f"shape {images.shape}" if hasattr(images, "shape") else f"{type(images).__name__} {images!r:.60}"


def encode(labels: ArrayLike) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """Return the classes, and the position of each label among them.

    Raises
    ------
    ValueError
        There are fewer than two classes.
    """
    from sklearn.utils.multiclass import check_classification_targets
    from sklearn.utils.validation import column_or_1d

    column = column_or_1d(labels, warn=True)
    check_classification_targets(column)
    classes, codes = np.unique(column, return_inverse=True)
    if len(classes) < 2:
        raise ValueError(f"a classifier needs at least 2 classes; the training part has one class: {classes[0]}")
    return classes, codes.astype(np.int64)


def inner_split(
    labels: NDArray[np.int64], groups: ArrayLike | None, part: float, seed: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Split the rows into training and validation (about `part`), stratified, with no group on both sides.

    If no such split leaves every class in training, all rows are used for training, with a warning.
    """
    from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

    rows = np.arange(len(labels))
    if not part:
        return rows, rows[:0]
    wanted = max(2, round(1 / part))
    grouped = groups is not None and len(np.unique(groups)) < len(labels)
    for folds in range(wanted, 1, -1):
        splitter = (StratifiedGroupKFold if grouped else StratifiedKFold)(folds, shuffle=True, random_state=seed)
        # Fewer members, or groups, than folds.
        with warnings.catch_warnings(), contextlib.suppress(ValueError):
            warnings.filterwarnings("ignore", "The least populated class", UserWarning)
            for train, held in splitter.split(rows, labels, groups if grouped else None):
                if len(held) and len(np.unique(labels[train])) == len(np.unique(labels)):
                    return train, held
    warnings.warn("no inner split leaves every class in training: trained without early stopping", stacklevel=2)
    return rows, rows[:0]


def seed_of(random_state: int | None) -> int:
    """`random_state`, or a random seed."""
    return int(np.random.default_rng().integers(2**31)) if random_state is None else int(random_state)


def row_count(inputs: Any, labels: Sequence[Any] | NDArray[Any]) -> None:
    """Refuse different numbers of inputs and labels.

    Raises
    ------
    ValueError
    """
    if len(inputs) != len(labels):
        raise ValueError(f"expected as many labels as inputs; received {len(labels)} and {len(inputs)}")

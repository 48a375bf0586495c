"""Pictures of one colour: blank fields, failed exports, covers; they show no cell, whatever their label says."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

MOST_DEVIATION, MOST_RANGE = 5.0, 8.0
"""Of 255 levels; see ``docs/decisions/021-what-a-file-gives-away.md``."""
_NAMED = 8


def of_one_colour(deviations: NDArray[np.float32], ranges: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Which pictures are of one colour, but for the noise of a camera or of compression.

    Parameters
    ----------
    deviations : ndarray of float32, shape (n, 3)
        Standard deviation of each channel.
    ranges : ndarray of float32, shape (n,)
        Between the means of the darkest and the brightest block; a small object has a range and next to no deviation.
    """
    return np.asarray((deviations <= MOST_DEVIATION).all(axis=1) & (ranges <= MOST_RANGE))


def one_colour_words(labels: NDArray[np.str_], blank: NDArray[np.bool_]) -> list[str]:
    """How many pictures of each class are of one colour: one sentence, or none."""
    if not blank.any():
        return []
    classes, total = np.unique(labels, return_counts=True)
    counts = [(name, int(blank[labels == name].sum()), of) for name, of in zip(classes, total, strict=True)]
    named = [f"{name} {count:,} of {of:,}" for name, count, of in counts if count]
    rest = [f"and {len(named) - _NAMED} more classes"] if len(named) > _NAMED else []
    pictures = "1 picture is" if blank.sum() == 1 else f"{blank.sum():,} pictures are"
    return [f"{pictures} of one colour: {', '.join([*named[:_NAMED], *rest])}."]

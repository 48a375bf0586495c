"""How far test images are from the training images of their fold, in the space of the features."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..folds import Fold
from ..metric import Floats

_NEIGHBOUR, _MOST, _BLOCK = 5, 5000, 512


def distances_to_training(features: NDArray[np.float32], folds: Sequence[Fold], weight: NDArray[np.float32]) -> Floats:
    """Distance of each image to its fifth nearest training image, in the first repeat; shape (n,).

    Parameters
    ----------
    features : ndarray of float32, shape (n, features)
    folds : sequence of Fold
    weight : ndarray of float32, shape (features,)
        Each feature is multiplied by it.

    References
    ----------
    Y. Sun et al., Out-of-Distribution Detection with Deep Nearest Neighbors, ICML 2022.
    """
    distances = np.full(len(features), np.nan)
    for fold in folds:
        if fold.repeat:
            continue
        train = fold.train[np.linspace(0, len(fold.train) - 1, min(len(fold.train), _MOST)).astype(np.int64)]
        points = features[train] * weight
        squares = np.square(points).sum(axis=1)
        place = min(_NEIGHBOUR, len(train)) - 1
        for rows in np.array_split(fold.test, -(-len(fold.test) // _BLOCK)):
            own = features[rows] * weight
            gaps = squares - 2 * (own @ points.T)
            nearest = np.partition(gaps, place, axis=1)[:, place] + np.square(own).sum(axis=1)
            distances[rows] = np.sqrt(np.maximum(nearest, 0))
    return distances

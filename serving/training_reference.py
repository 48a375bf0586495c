"""The reference: what the training images look like to the network, so that an image unlike all of them is noticed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from .container import arrays

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_NEIGHBOURS = 5
_RARE = 0.01
_COPY = 0.5
PROBABILITY = "probability"
"""How the names of columns begin that are no features: probabilities that a network trained end to end gives."""


@dataclass(frozen=True)
class TrainingReference:
    """Training images, or a sample of them, in the space in which distances are taken.

    Features are centred, and each stage of a multi-level pooling is scaled to the same total variance, so that none
    speaks for all; probabilities that a trained network gives beside its features have no part in it. An image's
    distance to the training data is that to its fifth nearest among them. How far training images themselves are from
    those of other groups says what is usual: no threshold is tuned.

    Attributes
    ----------
    vectors : ndarray of float16, shape (m, features)
    centre, weight : ndarray of float32, shape (features,)
    labels : ndarray of int, shape (m,)
    image_ids : ndarray of str, shape (m,)
    distances : ndarray of float64, shape (n,)
        Of every training image to its fifth nearest of other groups, ascending.

    References
    ----------
    Y. Sun et al., Out-of-Distribution Detection with Deep Nearest Neighbors, ICML 2022.
    """

    vectors: NDArray[np.float16]
    centre: NDArray[np.float32]
    weight: NDArray[np.float32]
    labels: Integers
    image_ids: NDArray[np.str_]
    distances: Floats

    def scores(self, features: NDArray[np.float32]) -> tuple[Floats, Floats]:
        """How far images are from the training data.

        Parameters
        ----------
        features : ndarray of float32, shape (n, features)

        Returns
        -------
        scores : ndarray of float64, shape (n,)
            Distance, in units of that of the median training image; NaN where features are not finite or so large that
            no distance can be computed.
        shares : ndarray of float64, shape (n,)
            Share of the training images that are at least as far, the new one counted among them; the least possible
            where the distance is NaN, so that such an image is never taken for one like the training data.
        """
        distances = fifth_nearest(self.distances_to(features))
        beyond = len(self.distances) - np.searchsorted(self.distances, distances, side="left")  # NaN is last
        return distances / np.median(self.distances), (1 + beyond) / (1 + len(self.distances))

    def rare(self, shares: Floats) -> NDArray[np.bool_]:
        """Which are unlike the training data: at most 1 % of that is as far, or nothing where it is small."""
        return np.asarray(shares <= max(_RARE, 1 / (1 + len(self.distances))))

    def likely_copies(self, features: NDArray[np.float32]) -> tuple[Integers, Floats]:
        """The training image that each image is likely to be a copy of, by features of shape (n, features).

        Returns
        -------
        rows : ndarray of int64, shape (n,)
            The nearest of the kept images; -1 where it is no likely copy.
        scores : ndarray of float64, shape (n,)
            Distance to it, in units of that of the median training image to its fifth nearest.
        """
        distances = self.distances_to(features)
        rows = distances.argmin(axis=1)
        scores = distances[np.arange(len(rows)), rows] / np.median(self.distances)
        return np.where(scores < _COPY, rows, -1).astype(np.int64), scores

    def nearest(self, vector: NDArray[np.float32], count: int) -> tuple[Integers, Floats]:
        """Rows of the `count` kept images nearest to one image's features, shape (features,), and their distances."""
        distances = self.distances_to(vector[None])[0]
        rows = np.argsort(distances, kind="stable")[:count]
        return rows.astype(np.int64), distances[rows]

    def distances_to(self, features: NDArray[np.float32]) -> Floats:
        """Distances of images, features of shape (n, features), to those that are kept, shape (n, m); NaN or infinite
        where features are not finite or too large.
        """
        with np.errstate(over="ignore", invalid="ignore"):
            points = (features - self.centre) * self.weight
            squares = (points**2).sum(axis=1)[:, None] + self._squares - 2 * (points @ self._points.T)
        return np.asarray(np.sqrt(np.maximum(squares, 0)), dtype=np.float64)

    @classmethod
    def from_bytes(cls, data: bytes) -> TrainingReference:
        """What a bundle's ``.npz`` file holds.

        Raises
        ------
        ValueError
            Its parts do not fit together.
        """
        stored = arrays(data)
        reference = cls(*(stored[field.name] for field in fields(cls)))
        if not reference._fits_together():
            raise ValueError("the reference does not fit together")
        return reference

    def _fits_together(self) -> bool:
        images, features = self.vectors.shape
        distances = self.distances
        return (
            self.centre.shape == self.weight.shape == (features,)
            and self.labels.shape == self.image_ids.shape == (images,)
            and distances.ndim == 1
            and len(distances) >= images > 0
            and self.labels.dtype.kind == "i"
            and int(self.labels.min()) >= 0
            and all(np.isfinite(part).all() for part in (self.vectors, self.centre, self.weight, distances))
            and bool((np.diff(distances) >= 0).all())
            and float(np.median(distances)) > 0
        )

    @cached_property
    def _points(self) -> NDArray[np.float32]:
        return self.vectors.astype(np.float32)

    @cached_property
    def _squares(self) -> NDArray[np.float32]:
        return np.asarray((self._points**2).sum(axis=1))


def fifth_nearest(distances: Floats) -> Floats:
    """Distance to the fifth nearest, or to the last finite one, from distances of shape (n, m); shape (n,).

    NaN where none is finite.
    """
    nearest = np.sort(distances, axis=1)[:, :_NEIGHBOURS]
    finite = np.isfinite(nearest)
    return np.where(finite.any(axis=1), np.where(finite, nearest, -1).max(axis=1), np.nan)


def stage_scale(features: NDArray[np.float32], names: Sequence[str]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Mean of each feature, and one over the total spread of its block: all features whose names differ in number."""
    centre, variance = features.mean(axis=0, dtype=np.float64), features.var(axis=0, dtype=np.float64)
    blocks, block = np.unique([name.rpartition("_")[0] for name in names], return_inverse=True)
    total = np.bincount(block, variance)
    weight = 1 / np.sqrt(np.where(total > 0, total, np.inf))
    weight[blocks == PROBABILITY] = 0
    return centre.astype(np.float32), weight[block].astype(np.float32)

"""The reference: what the training images look like to the network, so that an image unlike all of them is noticed."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from .container import arrays

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

MOST_IMAGES = 5000
_NEIGHBOURS = 5
_RARE = 0.01
_BLOCK = 512
PROBABILITY = "probability"
"""How the names of columns begin that are no features: probabilities that a network trained end to end gives."""


@dataclass(frozen=True)
class Reference:
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

    @classmethod
    def of(
        cls,
        features: NDArray[np.float32],
        names: Sequence[str],
        labels: Integers,
        groups: Integers,
        image_ids: Sequence[str],
    ) -> Reference:
        """From the training images; of more than `MOST_IMAGES` every so many-th of each class is kept.

        Parameters
        ----------
        features : ndarray of float32, shape (n, features)
        names : sequence of str, length features
            Tell the stages apart; see `leukobench.features.pooling.feature_names`.
        labels, groups : ndarray of int, shape (n,)
        image_ids : sequence of str, length n
        """
        centre, weight = _stage_scale(features, names)
        rows = _sample(labels)
        vectors = ((features[rows] - centre) * weight).astype(np.float16)
        made = cls(vectors, centre, weight, labels[rows], np.asarray(image_ids)[rows], np.empty(0))
        found = [
            _fifth(np.where(groups[part, None] == groups[None, rows], np.inf, made.apart(features[part])))
            for part in np.array_split(np.arange(len(features)), -(-len(features) // _BLOCK))
        ]
        return cls(vectors, centre, weight, made.labels, made.image_ids, np.sort(np.concatenate(found)))

    def scores(self, features: NDArray[np.float32]) -> tuple[Floats, Floats]:
        """How far images are from the training data.

        Parameters
        ----------
        features : ndarray of float32, shape (n, features)

        Returns
        -------
        scores : ndarray of float64, shape (n,)
            Distance, in units of that of the median training image.
        shares : ndarray of float64, shape (n,)
            Share of the training images that are at least as far, the new one counted among them.
        """
        found = _fifth(self.apart(features))
        beyond = len(self.distances) - np.searchsorted(self.distances, found, side="left")
        return found / np.median(self.distances), (1 + beyond) / (1 + len(self.distances))

    def rare(self, shares: Floats) -> NDArray[np.bool_]:
        """Which are unlike the training data: at most 1 % of that is as far, or nothing where it is small."""
        return np.asarray(shares <= max(_RARE, 1 / (1 + len(self.distances))))

    def nearest(self, vector: NDArray[np.float32], count: int) -> tuple[Integers, Floats]:
        """Rows of the `count` kept images nearest to one image's features, shape (features,), and their distances."""
        distances = self.apart(vector[None])[0]
        rows = np.argsort(distances, kind="stable")[:count]
        return rows.astype(np.int64), distances[rows]

    def apart(self, features: NDArray[np.float32]) -> Floats:
        """Distances of images, features of shape (n, features), to those that are kept, shape (n, m)."""
        points = (features - self.centre) * self.weight
        squares = (points**2).sum(axis=1)[:, None] + self._squares - 2 * (points @ self._points.T)
        return np.asarray(np.sqrt(np.maximum(squares, 0)), dtype=np.float64)

    def to_bytes(self) -> bytes:
        """All of it as an ``.npz`` file."""
        stream = io.BytesIO()
        np.savez(stream, **{field.name: getattr(self, field.name) for field in fields(self)})
        return stream.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> Reference:
        """What `to_bytes` stored.

        Raises
        ------
        ValueError
            Its parts do not fit together.
        """
        stored = arrays(data)
        made = cls(*(stored[field.name] for field in fields(cls)))
        images, features = made.vectors.shape
        fit = made.centre.shape == made.weight.shape == (features,)
        fit = fit and made.labels.shape == made.image_ids.shape == (images,)
        usual = made.distances.ndim == 1 and len(made.distances) >= images > 0 and np.isfinite(made.distances).all()
        if not fit or not usual or np.median(made.distances) <= 0:
            raise ValueError("the reference does not fit together")
        return made

    @cached_property
    def _points(self) -> NDArray[np.float32]:
        return self.vectors.astype(np.float32)

    @cached_property
    def _squares(self) -> NDArray[np.float32]:
        return np.asarray((self._points**2).sum(axis=1))


def _stage_scale(
    features: NDArray[np.float32], names: Sequence[str]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Mean of each feature, and one over the total spread of its block: all features whose names differ in number."""
    centre, variance = features.mean(axis=0, dtype=np.float64), features.var(axis=0, dtype=np.float64)
    blocks, block = np.unique([name.rpartition("_")[0] for name in names], return_inverse=True)
    total = np.bincount(block, variance)
    weight = 1 / np.sqrt(np.where(total > 0, total, np.inf))
    weight[blocks == PROBABILITY] = 0
    return centre.astype(np.float32), weight[block].astype(np.float32)


def _fifth(apart: Floats) -> Floats:
    """Distance to the fifth nearest, or to the last one that is of another group."""
    nearest = np.sort(apart, axis=1)[:, :_NEIGHBOURS]
    return np.asarray(np.where(np.isfinite(nearest), nearest, -1).max(axis=1))


def _sample(labels: Integers) -> Integers:
    """All rows, or `MOST_IMAGES` of them, every so many-th of each class."""
    if len(labels) <= MOST_IMAGES:
        return np.arange(len(labels))
    order = np.argsort(labels, kind="stable")
    return np.sort(order[np.linspace(0, len(order) - 1, MOST_IMAGES).astype(np.int64)])

"""Balancing: the training examples of one epoch. Nothing is copied: an example holds the rows of its images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

_NEIGHBOURS = 5
_BLOCK_BYTES = 1 << 27


@dataclass(frozen=True)
class Examples:
    """Examples to train on: each one is an input, or lies on the line between two inputs of its class.

    Attributes
    ----------
    first, second : ndarray of int, shape (m,)
        Rows of the inputs.
    share : ndarray of float32, shape (m,)
        How far from `first` to `second`.
    labels : ndarray of int, shape (m,)
    weights : ndarray of float32, shape (m,)
        In the loss; 1 on average over the images as they are.
    """

    first: NDArray[np.int64]
    second: NDArray[np.int64]
    share: NDArray[np.float32]
    labels: NDArray[np.int64]
    weights: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.labels)

    def batch(self, inputs: Any, places: NDArray[np.int64]) -> NDArray[np.float32]:
        """The examples at `places` as one array of float32."""
        batch = np.asarray(inputs[self.first[places]], dtype=np.float32)
        between = np.flatnonzero(self.share[places])
        if len(between):
            others = np.asarray(inputs[self.second[places[between]]], dtype=np.float32)
            share = self.share[places[between]].reshape(-1, *[1] * (batch.ndim - 1))
            batch[between] += share * (others - batch[between])
        return batch


def balanced_examples(
    inputs: Any,
    labels: NDArray[np.int64],
    rows: NDArray[np.int64],
    oversample: str | None = None,
    class_weight: Any = None,
    seed: int = 0,
) -> Examples:
    """Choose training examples among the inputs at `rows`.

    Parameters
    ----------
    inputs : array-like, shape (n, ...)
        Indexed by arrays of rows; memory-mapped files are read block by block.
    labels : ndarray of int, shape (n,)
        From 0 to the number of classes, less one.
    rows : ndarray of int
        Rows of the training part.
    oversample : {None, "random", "smote"}
        Bring every class to the size of the largest: by repeating inputs, or by SMOTE on the numbers of the inputs
        (pixels, features), both as imbalanced-learn does it with the same seed. A class that has fewer neighbours than
        SMOTE takes goes by those; an only image is repeated.
    class_weight : {None, "balanced"} or mapping of label to float
    seed : int

    References
    ----------
    N. V. Chawla et al., SMOTE: Synthetic Minority Over-sampling Technique, J. Artif. Intell. Res. 16, 2002.
    """
    own = labels[rows]
    parts = [(rows, rows, np.zeros(len(rows), np.float32))]
    if oversample:
        generator = np.random.RandomState(seed)
        counts = np.bincount(own)
        for label in np.flatnonzero((counts > 0) & (counts < counts.max())):
            members = rows[own == label]
            count = int(counts.max()) - len(members)
            if oversample == "random":
                drawn = members[generator.randint(0, len(members), count)]
                parts.append((drawn, drawn, np.zeros(count, np.float32)))
            else:
                parts.append(_between(inputs, members, count, seed))
    first, second, share = (np.concatenate(column) for column in zip(*parts, strict=True))
    return Examples(first, second, share, labels[first], _weights(labels[first], class_weight))


def _between(
    inputs: Any, members: NDArray[np.int64], count: int, seed: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]:
    """SMOTE: a member, one of its nearest neighbours, and how far to go from the one to the other."""
    neighbours = min(_NEIGHBOURS, len(members) - 1)
    if not neighbours:
        return np.repeat(members, count), np.repeat(members, count), np.zeros(count, np.float32)
    near = nearest(inputs, members, neighbours)
    generator = np.random.RandomState(seed)  # imbalanced-learn begins anew for each class
    drawn = generator.randint(0, near.size, count)
    share = generator.uniform(size=count).astype(np.float32)
    origins, column = np.divmod(drawn, neighbours)
    return members[origins], members[near[origins, column]], share


def nearest(inputs: Any, members: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """The `count` nearest other members of each member, by Euclidean distance, nearest first.

    Memory holds two blocks of about 128 MB and the distances of one block, whatever the size of the images.
    """
    numbers = int(np.prod(inputs.shape[1:]))
    step = max(1, _BLOCK_BYTES // (8 * numbers))
    near = np.empty((len(members), count), dtype=np.int64)
    for start in range(0, len(members), step):
        own = _block(inputs, members[start : start + step])
        distances = np.empty((len(own), len(members)))
        for other in range(0, len(members), step):
            theirs = _block(inputs, members[other : other + step])
            norms = (theirs**2).sum(axis=1) - 2 * own @ theirs.T
            distances[:, other : other + len(theirs)] = norms
        distances[np.arange(len(own)), start + np.arange(len(own))] = -np.inf
        near[start : start + len(own)] = np.argsort(distances, axis=1, kind="stable")[:, 1 : count + 1]
    return near


def _block(inputs: Any, rows: NDArray[np.int64]) -> NDArray[np.float64]:
    return np.asarray(inputs[rows], dtype=np.float64).reshape(len(rows), -1)


def _weights(labels: NDArray[np.int64], class_weight: Any) -> NDArray[np.float32]:
    if class_weight is None:
        return np.ones(len(labels), np.float32)
    if class_weight == "balanced":
        counts = np.bincount(labels)
        present = counts > 0
        weights = np.divide(len(labels), present.sum() * counts, out=np.zeros(len(counts)), where=present)
        return weights[labels].astype(np.float32)
    return np.array([class_weight.get(int(label), 1.0) for label in labels], np.float32)

"""Candidates: pairs of images that may be copies, found from their fingerprints without opening a file."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from ..images.fingerprint import CHECKSUMS

Pairs = NDArray[np.int64]
Floats = NDArray[np.float32]

LEAST = 0.13
"""Similarity from which the nearest images are candidates; unrelated images have about 0, with a spread of 0.05."""
NEAREST = 10
EVERY = 64
"""Images up to which every pair is a candidate: too few to know what most images have in common."""
_SAMPLE, _NUMBERS, _SHRINKAGE = 1500, 512, 0.5
_CELLS = 4_000_000


def candidate_pairs(fingerprints: Floats, rows: Pairs, report: Callable[[int, int], None] | None = None) -> Pairs:
    """Pairs of rows that may be copies, each once.

    Candidates are images with the same checksums of their pixels, each with the first of them only, and of each image
    the nearest by its fingerprint, after what most images have in common was taken off: the middle of a sample is
    subtracted, and its strongest directions are shrunk. Similarities come from matrix products of a few rows with all.

    Parameters
    ----------
    fingerprints : ndarray of float32, shape (n, 2050)
        May be memory-mapped. See `leukobench.images.fingerprint.fingerprint`.
    rows : ndarray of int64
        Those to be compared; their order decides which of a pair comes first, and the sample.
    report : callable, optional
        Called with rows done and rows in all.

    Returns
    -------
    ndarray of int64, shape (pairs, 2)
    """
    count = len(rows)
    _, first, numbers = np.unique(fingerprints[rows, :CHECKSUMS], axis=0, return_index=True, return_inverse=True)
    firsts = first[numbers.ravel()]  # of the images with the same checksums
    places = [np.zeros((0, 2), np.int64)]
    if count <= EVERY:
        places.append(np.column_stack(np.triu_indices(count, 1)))
    else:
        points, size = _centred(fingerprints, rows), max(1, _CELLS // count)
        for start in range(0, count, size):
            places.append(_nearest(points, start, min(start + size, count)))
            if report:
                report(min(start + size, count), count)
    alike = np.concatenate(places)
    alike = alike[firsts[alike[:, 0]] != firsts[alike[:, 1]]]
    equal = np.column_stack([firsts, np.arange(count)])[firsts != np.arange(count)]
    return rows[np.unique(np.sort(np.concatenate([equal, alike]), axis=1), axis=0)]


def _nearest(points: Floats, start: int, stop: int) -> Pairs:
    """Places from `start` to `stop`, each beside those of its nearest."""
    similarity = points[start:stop] @ points.T
    similarity[np.arange(stop - start), np.arange(start, stop)] = -1
    own, other = np.nonzero(similarity >= LEAST)
    order = np.lexsort((-similarity[own, other], own))
    own, other = own[order], other[order]
    near = _counted(own) < NEAREST
    return np.column_stack([own[near] + start, other[near]])


def _counted(rows: Pairs) -> Pairs:
    """For each of ascending `rows`, how many equal ones come before it."""
    return np.arange(len(rows)) - np.searchsorted(rows, rows)


def _centred(fingerprints: Floats, rows: Pairs) -> Floats:
    """What distinguishes each image from most, as a vector of norm 1."""
    sample = np.asarray(fingerprints[np.sort(rows[:: -(-len(rows) // _SAMPLE)]), CHECKSUMS:])
    middle = sample.mean(axis=0)
    strength, directions = np.linalg.eigh((sample - middle) @ (sample - middle).T)
    most = min(_NUMBERS, len(sample) // 2)
    scale = np.maximum(strength[-most:], 1e-12) ** (-(1 + _SHRINKAGE) / 2)
    projection = ((sample - middle).T @ directions[:, -most:]) * scale.astype(np.float32)
    points = np.empty((len(rows), most), np.float32)
    for start in range(0, len(rows), _SAMPLE):
        part = (np.asarray(fingerprints[rows[start : start + _SAMPLE], CHECKSUMS:]) - middle) @ projection
        points[start : start + _SAMPLE] = part / (np.linalg.norm(part, axis=1, keepdims=True) + 1e-9)
    return points

"""Candidates: pairs of fingerprints that may be copies, found without comparing every turn of every pair."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from ..images.fingerprint import COARSE, correlations

LEAST = 0.9
"""Correlation of the fingerprints, at the best turn, from which a pair is a candidate."""

_NUMBERS = 256
_SAMPLE = 4096
_CELLS = 4_000_000
_PAIRS = 4096
_PER_IMAGE = 32

Pairs = NDArray[np.int64]


def candidate_pairs(
    fingerprints: NDArray[np.float32],
    rows: Pairs,
    apart: Callable[[Pairs, Pairs], NDArray[np.bool_]],
    report: Callable[[int, int], None] | None = None,
) -> Iterator[Pairs]:
    """Yield pairs of rows whose fingerprints correlate by at least `LEAST` at some turn, mirrored or not.

    The magnitudes of the Fourier transform over the angles do not change when an image is turned or mirrored, and the
    distance between the magnitudes of two images, or between projections of them, is at most that between the images
    at any turn. So pairs that are further apart than copies can be are left out without missing one; only the rest is
    compared at every turn. The distances come from matrix products of a few rows with all others.

    Parameters
    ----------
    fingerprints : ndarray of float32, shape (n, 768)
        May be memory-mapped.
    rows : ndarray of int64
        Those to be compared, ascending.
    apart : callable
        Given two arrays of rows, which pairs still have to be compared; called again for each block of rows.
    report : callable, optional
        Called with rows done and rows in all.

    Yields
    ------
    ndarray of int64, shape (pairs, 2)
        The first row below the second, the most similar first; at most 32 for each first row, so that memory stays
        bounded where all images look alike.
    """
    comparable = _comparable(fingerprints, rows)
    points = _invariants(fingerprints, comparable)
    halves = np.einsum("ij,ij->i", points, points) / 2
    size = max(1, _CELLS // max(len(comparable), 1))
    buffer = np.empty(size * len(comparable), np.float32)
    for start in range(0, len(comparable), size):
        block, others = points[start : start + size], points[start:]
        product = np.matmul(block, others.T, out=buffer[: len(block) * len(others)].reshape(len(block), -1))
        # Half the squared distance is the sum of the halves less the product.
        product -= halves[start:]
        near = product > (halves[start : start + size] - (1 - LEAST) - 1e-4)[:, None]
        first, second = np.divmod(np.flatnonzero(near), len(others))
        later = second > first
        pairs = comparable[first[later] + start], comparable[second[later] + start]
        yield _compare(fingerprints, *pairs, apart)
        if report:
            report(min(start + size, len(comparable)), len(comparable))


def _comparable(fingerprints: NDArray[np.float32], rows: Pairs) -> Pairs:
    """Rows of the images that are not one shade of grey."""
    blocks = (rows[start : start + _SAMPLE] for start in range(0, len(rows), _SAMPLE))
    comparable = [block[np.asarray(fingerprints[block]).any(axis=1)] for block in blocks]
    return np.concatenate(comparable) if comparable else rows


def _invariants(fingerprints: NDArray[np.float32], rows: Pairs) -> NDArray[np.float32]:
    """Magnitudes over the angles, projected on the directions in which they differ most, shape (rows, numbers)."""
    if not len(rows):
        return np.zeros((0, 1), np.float32)
    sample = _magnitudes(fingerprints[rows[:: max(1, len(rows) // _SAMPLE)]])
    middle = sample.mean(axis=0)
    directions = np.linalg.svd(sample - middle, full_matrices=False)[2][:_NUMBERS].T
    projections = np.empty((len(rows), directions.shape[1]), np.float32)
    for start in range(0, len(rows), _SAMPLE):
        block = slice(start, start + _SAMPLE)
        projections[block] = (_magnitudes(fingerprints[rows[block]]) - middle) @ directions
    return projections


def _magnitudes(fingerprints: NDArray[np.float32]) -> NDArray[np.float32]:
    """Scaled so that their norm is that of the fingerprint (Parseval), shape (n, radii * (angles // 2 + 1))."""
    magnitudes = np.abs(_spectra(fingerprints))
    twice = np.full(magnitudes.shape[2], 2.0)
    twice[[0, -1]] = 1.0
    return (magnitudes * np.sqrt(twice / COARSE.angles)).reshape(len(magnitudes), -1).astype(np.float32)


def _spectra(fingerprints: NDArray[np.float32]) -> NDArray[np.complex64]:
    shaped = np.asarray(fingerprints).reshape(len(fingerprints), COARSE.radii, COARSE.angles)
    return np.fft.rfft(shaped, axis=2).astype(np.complex64)


def _compare(
    fingerprints: NDArray[np.float32],
    first: Pairs,
    second: Pairs,
    apart: Callable[[Pairs, Pairs], NDArray[np.bool_]],
) -> Pairs:
    keep = apart(first, second)
    first, second = first[keep], second[keep]
    correlation = np.empty(len(first), np.float32)
    for start in range(0, len(first), _PAIRS):
        part = slice(start, start + _PAIRS)
        one, other = _spectra(fingerprints[first[part]]), _spectra(fingerprints[second[part]])
        plain, mirrored = correlations(one, other, COARSE.angles)
        correlation[part] = np.maximum(plain.max(axis=1), mirrored.max(axis=1))
    order = np.flatnonzero(correlation >= LEAST)
    order = order[np.argsort(-correlation[order], kind="stable")]
    places = _places(first[order])
    return np.column_stack([first, second])[order[places < _PER_IMAGE]]


def _places(rows: Pairs) -> Pairs:
    """Count, for each item, the earlier ones of the same row."""
    order = np.argsort(rows, kind="stable")
    starts = np.flatnonzero(np.append(True, np.diff(rows[order]) != 0)) if len(rows) else np.zeros(0, np.int64)
    counted = np.arange(len(rows)) - np.repeat(starts, np.diff(np.append(starts, len(rows))))
    places = np.empty(len(rows), np.int64)
    places[order] = counted
    return places

"""Fingerprint: an image as numbers that hardly change when it is turned, mirrored, scaled, cut or recompressed."""

from __future__ import annotations

import zlib
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .keypoints import MIRRORED, Keypoints

Floats = NDArray[np.float32]

CHECKSUMS = 2
"""Numbers at the start of a fingerprint that are equal where the pixels are, in any order."""
_SMALL = 1e-6
_VOCABULARY = Path(__file__).with_name("vocabulary.npz")


def fingerprint(pixels: NDArray[np.uint8], keypoints: Keypoints) -> Floats:
    """Describe an image by its pixels and its keypoints.

    Two numbers are checksums of the pixels, whatever their order. The rest are the keypoints' descriptors, each
    assigned to the most similar of a fixed vocabulary and summed up as differences from it (VLAD; Jegou et al. 2010,
    doi 10.1109/CVPR.2010.5540039), after each was added to its own mirror image.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (height, width, 3)
    keypoints : Keypoints
        Of the same image.

    Returns
    -------
    ndarray of float32, shape (2050,)
        After the two checksums of norm 1; all zeros there without keypoints.
    """
    return np.concatenate([_checksums(pixels), pooled(keypoints.descriptors)])


def pooled(descriptors: NDArray[np.uint8]) -> Floats:
    """Pool descriptors, shape (n, 128), to one vector of norm 1."""
    middle, projection, words = vocabulary()
    numbers = (symmetric(descriptors) - middle) @ projection
    nearest = ((words * words).sum(axis=1) - 2 * numbers @ words.T).argmin(axis=1)
    differences = _unit(numbers - words[nearest])
    member = np.zeros((len(words), len(numbers)), np.float32)
    member[nearest, np.arange(len(numbers))] = 1
    sums = member @ differences
    rooted = np.sign(sums) * np.sqrt(np.abs(sums))
    return _unit(_unit(rooted).ravel())


def rooted(descriptors: NDArray[np.uint8]) -> Floats:
    """Descriptors as vectors of norm 1, whose inner product compares them (RootSIFT; Arandjelovic, Zisserman 2012)."""
    numbers = descriptors.astype(np.float32)
    return np.sqrt(numbers / np.maximum(numbers.sum(axis=1, keepdims=True), 1))


def symmetric(descriptors: NDArray[np.uint8]) -> Floats:
    """The same for an image and for its mirror image."""
    roots = rooted(descriptors)
    return roots + roots[:, MIRRORED]


@cache
def vocabulary() -> tuple[Floats, Floats, Floats]:
    """Middle (128), projection (128, 32) and words (64, 32), from unlike images by ``benchmarks/vocabulary.py``."""
    with np.load(_VOCABULARY, allow_pickle=False) as file:
        middle, projection, words = (file[name].astype(np.float32) for name in ("middle", "projection", "words"))
    return middle, projection, words


def _unit(vectors: Floats) -> Floats:
    return vectors / (np.linalg.norm(vectors, axis=-1, keepdims=True) + np.float32(_SMALL))


def _checksums(pixels: NDArray[np.uint8]) -> Floats:
    """Two numbers of 24 bits, which float32 holds exactly."""
    height, width = sorted(pixels.shape[:2])
    counts = np.array([height, width, *Image.fromarray(pixels).histogram()], np.int64).tobytes()
    return np.array([zlib.crc32(counts) & 0xFFFFFF, zlib.adler32(counts) & 0xFFFFFF], np.float32)

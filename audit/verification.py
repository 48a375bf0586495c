"""Verification: lay one image on another by their keypoints, and decide from the pixels whether they are copies."""

from __future__ import annotations

import math
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..images.fingerprint import rooted
from ..images.keypoints import MIRRORED, Keypoints, grey_version, opencv
from ..images.reading import read_image
from .agreement import agreement

Floats = NDArray[np.float32]
Rows = NDArray[np.int64]

SURE = ((12, 0.88), (8, 0.95))
"""Keypoints that lie on one another, and agreement of the pixels, from which two images are copies; either suffices.

Of different images at most 11 keypoints do, where the pixels agree by 0.91 at most.
"""
ALIKE = (8, 0.7)
"""The same, from which two images look alike."""
OVERLAP = 0.15
"""Share of the first image that content of both has to cover."""

_DISTINCT = 0.9  # of the distance to the second best
_TURN, _ZOOM, _APART = 0.8, 0.8, 10.0  # cosine, octaves, pixels
_NEAR, _ATTEMPTS, _CERTAIN = 2.5, 300, 0.99  # pixels, of them, probability
_STRETCH, _ZOOMED = 1.8, 4.0
_FLIP = np.array([1, -1], np.float32)
_NONE: Rows = np.zeros(0, np.int64)


class Match(NamedTuple):
    """How the second of two images lies on the first.

    Flipped upside down if `mirrored`, then turned by `turned` degrees counter-clockwise, made smaller by `zoom` and
    shifted by shares of the first one's width and height, it matches the first.
    """

    kind: str
    similarity: float
    turned: float
    mirrored: bool
    zoom: float = 1.0
    shift_x: float = 0.0
    shift_y: float = 0.0


class Picture:
    """One image of a comparison.

    Parameters
    ----------
    path : str
        Read when keypoints alone do not decide.
    keypoints : Keypoints
    """

    def __init__(self, path: str, keypoints: Keypoints) -> None:
        self._path, self.places = path, keypoints.places
        self.roots = rooted(keypoints.descriptors)

    @cached_property
    def both(self) -> Floats:
        """Descriptors of the image, below them those of the image flipped upside down."""
        return np.concatenate([self.roots, self.roots[:, MIRRORED]])

    @cached_property
    def pixels(self) -> NDArray[np.uint8]:
        """As decoded; UnreadableImageError where the file is gone or damaged."""
        return read_image(self._path)

    @cached_property
    def grey(self) -> Floats:
        """In which the keypoints lie."""
        return grey_version(self.pixels).astype(np.float32)


def verify(first: Picture, second: Picture, equal: bool = False) -> Match | None:
    """Decide whether two images are copies, look alike, or neither (None).

    Parameters
    ----------
    first, second : Picture
    equal : bool
        Whether the checksums of their pixels are the same.

    Raises
    ------
    UnreadableImageError
    """
    if equal and (match := _identical(first.pixels, second.pixels)):
        return match
    mirrored, own, other = _agreeing(first, second)
    if len(own) < ALIKE[0]:
        return None
    matrix, count = _affine(second.places[other, :2], first.places[own, :2], mirrored)
    if matrix is None or count < ALIKE[0] or not _plausible(matrix):
        return None
    overlap, similarity = agreement(first.grey, second.grey, matrix)
    if overlap < OVERLAP or similarity < ALIKE[1]:
        return None
    sure = any(count >= keypoints and similarity >= agreeing for keypoints, agreeing in SURE)
    return _described("near-duplicate" if sure else "looks alike", similarity, matrix, first, second)


def _identical(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> Match | None:
    for mirrored in (False, True):
        for quarters in range(4):
            if np.array_equal(np.rot90(second[::-1] if mirrored else second, quarters), first):
                return Match("identical pixels", 1.0, 90.0 * quarters, mirrored)
    return None


def _agreeing(first: Picture, second: Picture) -> tuple[bool, Rows, Rows]:
    """The largest set of matching keypoints that one turn, zoom and shift explains, after a flip or without."""
    sets: list[tuple[bool, Rows, Rows]] = [(False, _NONE, _NONE)]
    if min(len(first.roots), len(second.roots)) >= ALIKE[0]:
        likeness = first.both @ second.roots.T  # a flip of the first instead of the second gives the same products
        for mirrored, part in enumerate(np.split(likeness, 2)):
            own, other = _matches(part)
            if len(own) >= ALIKE[0]:
                flip = _FLIP if mirrored else np.abs(_FLIP)
                agreeing = _largest(first.places[own], second.places[other] * np.tile(flip, 2))
                sets.append((bool(mirrored), own[agreeing], other[agreeing]))
    return max(sets, key=lambda matches: len(matches[1]))


def _matches(likeness: Floats) -> tuple[Rows, Rows]:
    """Each other's most similar descriptors, where the second best is clearly less similar."""
    own, other = np.arange(len(likeness)), likeness.argmax(axis=1)
    best = likeness[own, other]
    mutual = likeness.argmax(axis=0)[other] == own
    likeness[own, other] = -1
    clear = 1 - best < _DISTINCT**2 * (1 - likeness.max(axis=1))  # squared distances, of vectors of norm 1
    return own[mutual & clear], other[mutual & clear]


def _largest(first: Floats, second: Floats) -> NDArray[np.bool_]:
    """Each match proposes the turn, zoom and shift that lay its second keypoint on its first; which matches agree?"""
    zoom = np.log2(first[:, 2] / second[:, 2])
    turn = np.deg2rad(first[:, 3] - second[:, 3])
    factor = np.exp2(zoom) * np.exp(1j * turn)
    one, other = first[:, 0] + 1j * first[:, 1], second[:, 0] + 1j * second[:, 1]
    apart = factor[:, None] * (other[None] - other[:, None]) + one[:, None] - one[None]
    agree = np.abs(apart) < _APART
    agree &= np.abs(zoom[:, None] - zoom[None]) < _ZOOM
    agree &= np.cos(turn[:, None] - turn[None]) > _TURN
    return np.asarray(agree[agree.sum(axis=1).argmax()])


def _affine(places: Floats, targets: Floats, mirrored: bool) -> tuple[NDArray[np.float64] | None, int]:
    """Fit an affine map of the second image's places to the first's, and count the keypoints near it."""
    cv2 = opencv()
    flip = _FLIP if mirrored else np.abs(_FLIP)
    matrix, near = cv2.estimateAffine2D(
        places * flip, targets, method=cv2.RANSAC, ransacReprojThreshold=_NEAR, maxIters=_ATTEMPTS, confidence=_CERTAIN
    )
    if matrix is None:
        return None, 0
    return matrix * np.append(flip, 1), int(near.sum())


def _plausible(matrix: NDArray[np.float64]) -> bool:
    """Neither squeezed nor zoomed more than copies are."""
    longest, shortest = np.linalg.svd(matrix[:, :2], compute_uv=False)
    return bool(shortest > 1 / _ZOOMED and longest < _ZOOMED and longest < _STRETCH * shortest)


def _described(kind: str, similarity: float, matrix: NDArray[np.float64], first: Picture, second: Picture) -> Match:
    linear = matrix[:, :2]
    mirrored = bool(np.linalg.det(linear) < 0)
    (a, b), (c, d) = linear * (_FLIP if mirrored else 1)
    turned = -math.degrees(math.atan2(c - b, a + d)) % 360
    zoom = 1 / math.sqrt(abs(np.linalg.det(linear)))
    middle, target = ((np.array(picture.grey.shape[::-1]) - 1) / 2 for picture in (second, first))
    shift = (linear @ middle + matrix[:, 2] - target) / np.array(first.grey.shape[::-1])
    return Match(kind, similarity, turned, mirrored, zoom, float(shift[0]), float(shift[1]))

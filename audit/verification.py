"""Verification: decide from the pixels whether two candidates are copies of one image."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..errors import UnreadableImageError
from ..images.fingerprint import Disc, correlations, foreground_mask
from ..images.reading import read_image

LEAST = 0.6
"""Two images are called copies from this correlation of their structures on; different cells stay below 0.4."""

FINE = Disc(side=128, radii=40, angles=360, reach=0.85)
_SMOOTH, _BACKGROUND = 1.5, 6.0
_KEPT = 1024
_FLAT = 0.05


class Structure(NamedTuple):
    """What is compared of one image: its structure over the angles, and a digest of its pixels in any orientation."""

    spectrum: NDArray[np.complex64]
    pixels: str


class Similarity(NamedTuple):
    """How well the second of two images fits on the first.

    Flipped upside down if `mirrored`, then turned `turned` degrees counter-clockwise, it matches the first best.
    """

    similarity: float
    turned: float
    mirrored: bool
    identical: bool


class StructureCache:
    """Structures of images by path; the last thousand are kept.

    Parameters
    ----------
    threads : int
        Cores for decoding.
    """

    def __init__(self, threads: int = 1) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="structure")
        self._structures: OrderedDict[str, Structure | None] = OrderedDict()

    def prepare(self, paths: list[str]) -> None:
        """Compute the structures of those of `paths`, at most a thousand, that are not kept yet."""
        wanted = [path for path in dict.fromkeys(paths) if path not in self._structures]
        for path, structure in zip(wanted, self._pool.map(_read_structure, wanted), strict=True):
            self._structures[path] = structure
        for path in paths:
            self._structures.move_to_end(path)
        while len(self._structures) > _KEPT:
            self._structures.popitem(last=False)

    def compare(self, first: str, second: str) -> Similarity | None:
        """Compare two images that were prepared; None where one cannot be read."""
        one, other = self._structures[first], self._structures[second]
        return None if one is None or other is None else similarity(one, other)

    def close(self) -> None:
        """End the threads."""
        self._pool.shutdown()


def similarity(one: Structure, other: Structure) -> Similarity:
    """Compare `one` with every turn of `other`, mirrored or not; return the best match."""
    plain, mirrored = (rows[0] for rows in correlations(one.spectrum[None], other.spectrum[None], FINE.angles))
    flipped = bool(mirrored.max() > plain.max() + 1e-6)
    best = mirrored if flipped else plain
    shift = int(best.argmax()) - flipped  # the samples lie half a step beside the axis that mirrors
    turned = 360 / FINE.angles * (shift % FINE.angles)
    identical = one.pixels == other.pixels
    return Similarity(1.0 if identical else min(float(best.max()), 1.0), turned, flipped, identical)


def structure_of(pixels: NDArray[np.uint8]) -> Structure:
    """Middle-sized structure of an image, since colour, light and compression change the rest."""
    grey = FINE.grey(pixels)
    foreground = foreground_mask(grey, 2)
    fine, coarse = (_blur(grey, foreground, sigma) for sigma in (_SMOOTH, _BACKGROUND))
    vector = FINE.vector(fine - coarse, foreground, _FLAT)
    return Structure(np.fft.rfft(vector, axis=1).astype(np.complex64), _digest(pixels))


def _blur(grey: NDArray[np.float32], foreground: NDArray[np.float32], sigma: float) -> NDArray[np.float32]:
    """Smooth `grey` by a Gaussian, the surround left out."""
    from scipy.ndimage import gaussian_filter

    return gaussian_filter(grey * foreground, sigma) / (gaussian_filter(foreground, sigma) + 1e-6)


def _read_structure(path: str) -> Structure | None:
    try:
        return structure_of(read_image(path))
    except UnreadableImageError:
        return None


def _digest(pixels: NDArray[np.uint8]) -> str:
    """The same for all eight right-angled orientations of the same pixels."""
    turned = [np.rot90(side, quarter) for side in (pixels, pixels[:, ::-1]) for quarter in range(4)]
    return min(f"{view.shape}{hashlib.sha256(view.tobytes()).hexdigest()}" for view in turned)

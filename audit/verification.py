"""Verification: whether two candidates are one picture, from their pixels."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..errors import UnreadableImageError
from ..images.fingerprint import Disc, correlations, shown
from ..images.reading import read_image

LEAST = 0.6
"""Correlation of the structure of two pictures from which they are called copies; different cells stay below 0.4."""

FINE = Disc(side=128, radii=40, angles=360, reach=0.85)
_SMOOTH, _BACKGROUND = 1.5, 6.0
_KEPT = 1024
_FLAT = 0.05


class Look(NamedTuple):
    """What is compared of one picture: its structure over the angles, and a digest of its pixels in any orientation."""

    spectrum: NDArray[np.complex64]
    pixels: str


class Alike(NamedTuple):
    """How two pictures lie on each other.

    The second one, upside down if `mirrored`, has to be turned `turned` degrees counter-clockwise to lie on the first.
    """

    similarity: float
    turned: float
    mirrored: bool
    identical: bool


class Looks:
    """Looks at pictures by path, the last thousand kept.

    Parameters
    ----------
    threads : int
        Cores for decoding.
    """

    def __init__(self, threads: int = 1) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="look")
        self._seen: OrderedDict[str, Look | None] = OrderedDict()

    def prepare(self, paths: list[str]) -> None:
        """Look at those of `paths`, at most a thousand, that were not looked at lately."""
        wanted = [path for path in dict.fromkeys(paths) if path not in self._seen]
        for path, look in zip(wanted, self._pool.map(_look, wanted), strict=True):
            self._seen[path] = look
        for path in paths:
            self._seen.move_to_end(path)
        while len(self._seen) > _KEPT:
            self._seen.popitem(last=False)

    def compare(self, first: str, second: str) -> Alike | None:
        """How two pictures that were prepared lie on each other; None where one cannot be read."""
        one, other = self._seen[first], self._seen[second]
        return None if one is None or other is None else alike(one, other)

    def close(self) -> None:
        """End the threads."""
        self._pool.shutdown()


def alike(one: Look, other: Look) -> Alike:
    """The best of all turns of `other` over `one`, mirrored or not."""
    plain, mirrored = (found[0] for found in correlations(one.spectrum[None], other.spectrum[None], FINE.angles))
    flipped = bool(mirrored.max() > plain.max() + 1e-6)
    best = mirrored if flipped else plain
    shift = int(best.argmax()) - flipped  # the samples lie half a step beside the axis that mirrors
    turned = 360 / FINE.angles * (shift % FINE.angles)
    identical = one.pixels == other.pixels
    return Alike(1.0 if identical else min(float(best.max()), 1.0), turned, flipped, identical)


def look(pixels: NDArray[np.uint8]) -> Look:
    """What is compared of a picture: middle-sized structure, since colour, light and compression change the rest."""
    from scipy.ndimage import gaussian_filter

    grey = FINE.grey(pixels)
    seen = shown(grey, 2)
    fine, coarse = (gaussian_filter(grey * seen, s) / (gaussian_filter(seen, s) + 1e-6) for s in (_SMOOTH, _BACKGROUND))
    vector = FINE.vector(fine - coarse, seen, _FLAT)
    return Look(np.fft.rfft(vector, axis=1).astype(np.complex64), _digest(pixels))


def _look(path: str) -> Look | None:
    try:
        return look(read_image(path))
    except UnreadableImageError:
        return None


def _digest(pixels: NDArray[np.uint8]) -> str:
    """The same for all eight right-angled orientations of the same pixels."""
    turned = [np.rot90(side, quarter) for side in (pixels, pixels[:, ::-1]) for quarter in range(4)]
    return min(f"{view.shape}{hashlib.sha256(view.tobytes()).hexdigest()}" for view in turned)

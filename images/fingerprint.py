"""Fingerprint: an image as a few hundred numbers that shift when it is turned, so that turned copies can be found."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Floats = NDArray[np.float32]

_FLAT = 1.5
"""Standard deviation, in grey levels, below which an image counts as one shade of grey."""
_BLACK = 12
_LEAST_SURROUND, _LEAST_FOREGROUND = 0.02, 0.05


class Disc:
    """Samples on circles around the middle of a square grey image.

    Parameters
    ----------
    side : int
        Pixels to which the central square is scaled.
    radii, angles : int
        Number of circles, and of samples on each, which `vector` and `correlation` share.
    reach : float
        Radius of the outermost circle, in halves of the side.
    """

    def __init__(self, side: int, radii: int, angles: int, reach: float = 1.0) -> None:
        self.side, self.radii, self.angles, self.reach = side, radii, angles, reach

    def grey(self, pixels: NDArray[np.uint8]) -> Floats:
        """Cut out the central square of an image (height, width, 3) in grey, scaled, shape (side, side)."""
        height, width = pixels.shape[:2]
        length = min(height, width)
        left, top = (width - length) / 2, (height - length) / 2
        box = (left, top, left + length, top + length)
        image = Image.fromarray(pixels).convert("L")
        return np.asarray(image.resize((self.side, self.side), Image.Resampling.BILINEAR, box=box), np.float32)

    def vector(self, grey: Floats, foreground: Floats, flat: float) -> Floats:
        """Sample the disc, weighted by the area of each sample, sum 0 and norm 1, shape (radii, angles).

        The inner product of two vectors is the correlation of the images within the disc; a turn of the image shifts
        the angles. Pixels where `foreground` is 0 have no weight. All zeros where the standard deviation is below
        `flat`, or where there is almost no foreground.
        """
        places, parts, areas = self._grid
        values, weights = ((pixels.ravel()[places] * parts).sum(axis=0) for pixels in (grey, foreground))
        weights = weights * areas
        total = weights.sum()
        if total < _LEAST_FOREGROUND * areas.sum():
            return np.zeros_like(values)
        weighted = np.sqrt(weights) * (values - (weights * values).sum() / total)
        norm = np.linalg.norm(weighted)
        return weighted / norm if norm > flat * np.sqrt(total) else np.zeros_like(weighted)

    @cached_property
    def _grid(self) -> tuple[NDArray[np.intp], Floats, Floats]:
        """Flat positions of the four pixels around each sample, their bilinear weights, and the sample's area."""
        radii = (np.arange(self.radii) + 0.5) / self.radii * self.reach * (self.side / 2 - 1)
        angles = (np.arange(self.angles) + 0.5) / self.angles * 2 * np.pi
        x = self.side / 2 - 0.5 + radii[:, None] * np.cos(angles)
        y = self.side / 2 - 0.5 + radii[:, None] * np.sin(angles)
        column, row = np.floor(x).astype(np.intp), np.floor(y).astype(np.intp)
        right, down = x - column, y - row
        corners = [(0, 0), (0, 1), (1, 0), (1, 1)]
        places = np.stack([(row + below) * self.side + column + beside for below, beside in corners])
        parts = np.stack([(down if b else 1 - down) * (right if a else 1 - right) for b, a in corners])
        areas = np.repeat(radii[:, None], self.angles, axis=1)
        return places, parts.astype(np.float32), areas.astype(np.float32)


COARSE = Disc(side=32, radii=12, angles=64)


def foreground_mask(grey: Floats, margin: int) -> Floats:
    """Return 1 where an image has content; 0 in its black surround and within `margin` pixels of it.

    The surround reaches the border: around the field of a microscope, or around a cell that was cut out. Its outline
    is much the same in all images of a data set, and would make them all look like copies.
    """
    from scipy.ndimage import binary_dilation, label

    parts = label(grey <= _BLACK)[0]
    edges = np.concatenate([parts[0], parts[-1], parts[:, 0], parts[:, -1]])
    outside = np.isin(parts, edges[edges > 0])
    if outside.mean() < _LEAST_SURROUND:
        return np.ones(grey.shape, np.float32)
    return (~binary_dilation(outside, iterations=margin)).astype(np.float32)


def fingerprint(pixels: NDArray[np.uint8]) -> Floats:
    """Sample grey values on circles around the middle of an image.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (height, width, 3)

    Returns
    -------
    ndarray of float32, shape (768,)
        See `Disc.vector`; all zeros for an image of nearly one grey, which cannot be compared.
    """
    grey = COARSE.grey(pixels)
    return COARSE.vector(grey, foreground_mask(grey, 1), _FLAT).ravel()


def correlations(first: NDArray[np.complex64], second: NDArray[np.complex64], angles: int) -> tuple[Floats, Floats]:
    """Correlate pairs of images at every turn, plain and with the second one mirrored.

    Parameters
    ----------
    first, second : ndarray of complex64, shape (n, radii, angles // 2 + 1)
        Fourier transforms over the angles of the vectors of n pairs.
    angles : int

    Returns
    -------
    plain, mirrored : ndarray of float32, shape (n, angles)
    """
    plain = np.fft.irfft((np.conj(first) * second).sum(axis=1), n=angles, axis=1)
    mirrored = np.fft.irfft((np.conj(first) * np.conj(second)).sum(axis=1), n=angles, axis=1)
    return plain.astype(np.float32), mirrored.astype(np.float32)

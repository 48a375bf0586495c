"""Keypoints: distinctive places of an image, described so that it can be recognised when turned, scaled or cut."""

from __future__ import annotations

import errno
import os
import tempfile
import threading
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..storage import storage_errors
from .reading import read_image

SIDE, COUNT = 128, 150
"""Side of the square that has as many pixels as the grey version of an image, and keypoints of each at most."""

_CONTRAST, _EDGE = 0.01, 20
_LONGEST = 4  # sides
_BLACK, _LEAST_SURROUND, _MARGIN = 12, 0.02, 3  # grey value, share of the image, pixels
_DARKEST, _BRIGHTEST, _LEAST_RANGE = 0.01, 0.99, 8  # shares of the content, grey values
_CELLS, _BINS = 4, 8  # SIFT counts gradients in 4 x 4 cells and 8 directions
_NUMBERS = np.arange(_CELLS * _CELLS * _BINS).reshape(_CELLS, _CELLS, _BINS)
MIRRORED = _NUMBERS[::-1][:, :, -np.arange(_BINS) % _BINS].ravel()
"""Order of the numbers of a descriptor after its image was flipped upside down."""


class Keypoints(NamedTuple):
    """Keypoints of one image, the strongest first.

    Attributes
    ----------
    places : ndarray of float32, shape (n, 4)
        Column and row in pixels of the grey version, diameter in pixels, direction in degrees.
    descriptors : ndarray of uint8, shape (n, 128)
    """

    places: NDArray[np.float32]
    descriptors: NDArray[np.uint8]


def grey_version(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A grey version of an image (height, width, 3), scaled to as many pixels as a square of `SIDE` has."""
    height, width = pixels.shape[:2]
    factor = min(SIDE / (height * width) ** 0.5, _LONGEST * SIDE / max(height, width))
    size = max(1, round(width * factor)), max(1, round(height * factor))
    return np.asarray(Image.fromarray(pixels).convert("L").resize(size, Image.Resampling.BILINEAR))


def content_mask(grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Mark with 1 what is not black surround, nor within `_MARGIN` pixels of it, shape (height, width).

    The surround reaches the border: around the field of a microscope, a cell that was cut out, or an image that was
    turned or shifted. Its outline is much the same in all images of a data set, which would all look like copies.
    """
    black = (grey <= _BLACK).astype(np.uint8)
    content = np.ones_like(black)
    if not any(side.any() for side in (black[0], black[-1], black[:, 0], black[:, -1])):
        return content
    cv2 = opencv()
    count, parts = cv2.connectedComponents(black, connectivity=4)
    reaching = np.zeros(count, bool)
    reaching[np.concatenate([parts[0], parts[-1], parts[:, 0], parts[:, -1]])] = True
    reaching[0] = False
    outside = reaching[parts].astype(np.uint8)
    if outside.mean() < _LEAST_SURROUND:
        return content
    return content - cv2.dilate(outside, np.ones((2 * _MARGIN + 1,) * 2, np.uint8))


def find_keypoints(grey: NDArray[np.uint8]) -> Keypoints:
    """Find SIFT keypoints (Lowe 2004) of the content, after its contrast was stretched to the range of grey values.

    Parameters
    ----------
    grey : ndarray of uint8, shape (height, width)
        See `grey_version`.
    """
    content = content_mask(grey)
    counts = np.cumsum(opencv().calcHist([grey], [0], content, [256], [0, 256]))
    darkest, brightest = np.searchsorted(counts, np.array([_DARKEST, _BRIGHTEST]) * counts[-1]).tolist()
    stretched = (grey.astype(np.float32) - darkest) * (255 / max(brightest - darkest, _LEAST_RANGE))
    sift = opencv().SIFT_create(COUNT, contrastThreshold=_CONTRAST, edgeThreshold=_EDGE)
    points, descriptors = sift.detectAndCompute(np.clip(stretched, 0, 255).astype(np.uint8), content)
    places = np.array([(*point.pt, point.size, point.angle) for point in points], np.float32).reshape(-1, 4)
    described = np.zeros((0, len(MIRRORED)), np.uint8) if descriptors is None else descriptors.astype(np.uint8)
    return Keypoints(places[:COUNT], described[:COUNT])


def opencv() -> Any:
    """The library OpenCV, without threads of its own."""
    import cv2

    if cv2.getNumThreads() != 1:  # the caller's threads are the only ones
        cv2.setNumThreads(1)
    return cv2


class KeypointFile:
    """Keypoints of images by their ids, in a temporary file, since those of all images need not fit into memory.

    A context manager: the file vanishes at its end.

    Parameters
    ----------
    folder : Path
        Gets the file, which has no name.
    """

    def __init__(self, folder: Path) -> None:
        with storage_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
            self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - closed by __exit__
        self._folder = folder
        self._places: dict[str, tuple[int, int]] = {}
        self._end, self._lock = 0, threading.Lock()

    def __enter__(self) -> KeypointFile:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def add(self, image_id: str, keypoints: Keypoints) -> None:
        """Keep the keypoints of an image; safe in several threads."""
        data = keypoints.places.tobytes() + keypoints.descriptors.tobytes()
        with self._lock:
            start, self._end = self._end, self._end + len(data)
        with storage_errors(self._folder):
            if os.pwrite(self._file.fileno(), data, start) < len(data):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._places[image_id] = start, len(keypoints.places)

    def of(self, image_id: str, path: str) -> Keypoints:
        """The keypoints of an image, found in its file if they are not kept.

        Raises
        ------
        UnreadableImageError
        """
        if image_id not in self._places:
            self.add(image_id, find_keypoints(grey_version(read_image(path))))
        start, count = self._places[image_id]
        split = 16 * count
        data = os.pread(self._file.fileno(), split + len(MIRRORED) * count, start)
        places = np.frombuffer(data[:split], np.float32).reshape(-1, 4)
        return Keypoints(places, np.frombuffer(data[split:], np.uint8).reshape(-1, len(MIRRORED)))

"""Downscaled pixels as an extractor: what a control sees of an image."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..images.reading import READS_PIXELS, decode, resize
from .network_extractor import DECODING

SPEAKS_FOR = {"version": ("features.small_pixels",), "decoding": READS_PIXELS}
"""Key of the identity -> modules that it speaks for; see `leukobench.features.network_extractor`."""


class SmallPixels:
    """The image at `side` x `side` pixels, from 0 to 255; see `leukobench.features.extractor.Extractor`.

    Parameters
    ----------
    side : int
        Height and width; the aspect ratio is not kept.
    """

    def __init__(self, side: int = 16) -> None:
        self._size = (side, side)
        self.description = f"{side} x {side} pixels, no network"
        self.identity: Mapping[str, Any] = {"name": "pixels", "version": 1, "size": side, "decoding": DECODING}
        self.feature_names: Sequence[str] = [
            f"row{row:02d}_column{column:02d}_{channel}"
            for row in range(side)
            for column in range(side)
            for channel in "rgb"
        ]

    def read(self, data: bytes) -> NDArray[np.uint8]:
        """Pixels, averaged over those of the file; see `Extractor.read`."""
        return resize(decode(data, target_size=self._size), self._size)

    @contextlib.contextmanager
    def open(self, threads: int) -> Iterator[SmallPixels]:
        """There is nothing to load."""
        yield self

    def vectors(self, images: Iterable[NDArray[np.uint8]]) -> Iterator[NDArray[np.float32]]:
        """The pixels one after the other."""
        for image in images:
            yield image.astype(np.float32).ravel()

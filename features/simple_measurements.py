"""Simple measurements of an image: all that is known of it without a network, from one reading of its file.

The audit compares the fingerprints and the facts; the shortcut baselines predict the classes from facts, border,
background and sharpness.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..images.facts import file_facts
from ..images.fingerprint import fingerprint
from ..images.keypoints import COUNT, SIDE, KeypointFile, Keypoints, find_keypoints, grey_version
from ..images.reading import READS_PIXELS, decode
from .background import measure_background
from .border import measure_border

SPEAKS_FOR = {
    "version": (
        *("features.simple_measurements", "features.background", "features.border"),
        *("images.facts", "images.fingerprint", "images.keypoints"),
        *READS_PIXELS,
    )
}
"""Key of the identity -> modules that it speaks for; see `leukobench.features.network_extractor`."""
_BLOCKS, _LEAST_BLOCK = 32, 8
_VERSION = 8


class Measured(NamedTuple):
    """What is known of an image: its measurements, shape (numbers,), its id and its keypoints."""

    vector: NDArray[np.float32]
    image_id: str
    keypoints: Keypoints


class SimpleMeasurements:
    """An extractor (see `leukobench.features.extractor.Extractor`) without a network.

    Parameters
    ----------
    keypoints : KeypointFile, optional
        Keeps the keypoints of every image that is read.

    Notes
    -----
    Its columns are ``file.<fact>`` (texts as a 24-bit checksum, which float32 holds exactly), ``colour.mean.r`` to
    ``colour.sd.b``, ``border.<piece>.<statistic>``, ``background.<statistic>``, ``sharpness.<statistic>``,
    ``credible.share``, ``evenness.range`` and ``fingerprint.<number>``.
    """

    reads_in_processes = True
    """Reading is all of the work, and much of it holds Python's lock."""
    description = "file facts, colours, border, background, sharpness and fingerprint; no network"
    identity: Mapping[str, Any] = {
        "name": "glance",  # names its folder in the cache since the first version
        "version": _VERSION,
        "fingerprint": [SIDE, COUNT],
    }

    def __init__(self, keypoints: KeypointFile | None = None) -> None:
        self._keypoints = keypoints

    @property
    def feature_names(self) -> Sequence[str]:
        """Names of the columns: those of any image, such as one of a single pixel."""
        image = io.BytesIO()
        Image.new("RGB", (1, 1)).save(image, "BMP")
        pixels = decode(data := image.getvalue())
        numbers = fingerprint(pixels, find_keypoints(grey_version(pixels)))
        return [*measure_image(data, pixels), *(f"fingerprint.{position:04d}" for position in range(len(numbers)))]

    def read(self, data: bytes) -> Measured:
        """All that is measured, since several threads or processes read."""
        pixels = decode(data)
        measured, keypoints = measure_image(data, pixels), find_keypoints(grey_version(pixels))
        numbers = np.fromiter(measured.values(), np.float32, len(measured))
        vector = np.concatenate([numbers, fingerprint(pixels, keypoints)])
        return Measured(vector, hashlib.sha256(data).hexdigest(), keypoints)

    @contextlib.contextmanager
    def open(self, threads: int) -> Iterator[SimpleMeasurements]:
        """There is nothing to load; the threads that read are the only ones."""
        from threadpoolctl import threadpool_limits

        with threadpool_limits(1):
            yield self

    def vectors(self, images: Iterable[Measured]) -> Iterator[NDArray[np.float32]]:
        """What was read holds the vector already."""
        for image in images:
            if self._keypoints:
                self._keypoints.add(image.image_id, image.keypoints)
            yield image.vector

    def __getstate__(self) -> dict[str, Any]:
        """In another process it reads, and keeps nothing."""
        return {"_keypoints": None}


def columns(names: Sequence[str], prefix: str) -> list[int]:
    """Positions of the columns ``prefix.*`` among `names`."""
    return [position for position, name in enumerate(names) if name.startswith(f"{prefix}.")]


def fingerprints_of(measurements: NDArray[np.float32], names: Sequence[str]) -> NDArray[np.float32]:
    """The fingerprints, the last columns of the measurements, without a copy of them."""
    return measurements[:, columns(names, "fingerprint")[0] :]


def measure_image(data: bytes, pixels: NDArray[np.uint8]) -> dict[str, float]:
    """File facts, colours, border, background and sharpness of an image by their names."""
    named = {f"file.{name}": _number(value) for name, value in file_facts(data).items()}
    named |= {f"colour.{name}": value for name, value in _colours(pixels).items()}
    named |= {f"border.{name}": value for name, value in measure_border(pixels).items()}
    for part, values in measure_background(pixels).items():
        named |= {f"{part}.{name}": value for name, value in values.items()}
    named["evenness.range"] = _range(pixels)
    return named


def _number(value: float | str) -> float:
    if isinstance(value, str):
        return float(zlib.crc32(value.encode()) & 0xFFFFFF) if value else 0.0
    return value


def _colours(pixels: NDArray[np.uint8]) -> dict[str, float]:
    """Mean and standard deviation of each channel, from 0 to 255; from how often each value occurs."""
    counts = np.array(Image.fromarray(pixels).histogram(), np.float64).reshape(3, 256) / (pixels.size // 3)
    means = counts @ np.arange(256)
    spreads = np.sqrt((counts * (np.arange(256) - means[:, None]) ** 2).sum(axis=1))
    return {f"mean.{c}": float(v) for c, v in zip("rgb", means, strict=True)} | {
        f"sd.{c}": float(v) for c, v in zip("rgb", spreads, strict=True)
    }


def _range(pixels: NDArray[np.uint8]) -> float:
    """How far apart the means of the darkest and the brightest block of a channel are: noise has next to no range."""
    block = max(_LEAST_BLOCK, -(-max(pixels.shape[:2]) // _BLOCKS))
    means = np.asarray(Image.fromarray(pixels).reduce(block)).reshape(-1, 3).astype(int)
    return float(np.ptp(means, axis=0).max())

"""The bundle's own network: reads images and gives their vectors as the run's extractor did, without Keras."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..features.extractor import OpenExtractor
from ..features.openvino_engine import OpenVINOEngine
from ..features.orientations import average_orientations
from ..images.reading import read_for
from ..networks.openvino_ir import Converted


@dataclass(frozen=True)
class ServedNetwork:
    """A converted network with its pooling, and how images are read for it.

    Attributes
    ----------
    input_size : tuple of int
        Height and width.
    interpolation, precision : str
    orientations : int
    files : Converted
    reduced : bool
        Large JPEG files are decoded at a part of their size; see `leukobench.images.decoding.decode_rgb`.
    crop : float or None
        See `leukobench.images.reading.read_for`.
    """

    input_size: tuple[int, int]
    interpolation: str
    precision: str
    orientations: int
    files: Converted
    reduced: bool = True
    crop: float | None = None

    @classmethod
    def of(cls, manifest: Mapping[str, Any], xml: bytes, weights: bytes) -> ServedNetwork:
        """From what a manifest says of the network, and the bundle's two files."""
        if not xml.lstrip().startswith((b"<?xml", b"<net")):
            raise ValueError("the network is not in OpenVINO's format")
        height, width = (int(length) for length in manifest["input_size"])
        names = tuple(map(str, manifest["feature_names"]))
        files = Converted(Path("network.xml"), names, xml, weights)
        reading = str(manifest["interpolation"]), str(manifest["precision"]), int(manifest["orientations"])
        return cls((height, width), *reading, files, bool(manifest.get("reduced", True)), manifest.get("crop"))

    def to_mapping(self) -> dict[str, Any]:
        """What a manifest says of it."""
        return {
            "input_size": list(self.input_size),
            "interpolation": self.interpolation,
            "precision": self.precision,
            "orientations": self.orientations,
            "reduced": self.reduced,
            **({} if self.crop is None else {"crop": self.crop}),
            "feature_names": list(self.files.feature_names),
        }

    @property
    def feature_names(self) -> Sequence[str]:
        """Of its vectors."""
        return self.files.feature_names

    def stored_files(self) -> dict[str, bytes]:
        """Files of a bundle, by their names."""
        return dict(zip(("network.xml", "network.bin"), self.files.files(), strict=True))

    def read(self, data: bytes) -> NDArray[np.uint8]:
        """Pixels of an image file, shape (H, W, 3), as the run's extractor read them.

        Raises
        ------
        UnreadableImageError
        """
        return read_for(data, self.input_size, self.interpolation, self.crop, self.reduced)

    def open(self, threads: int) -> AbstractContextManager[OpenExtractor]:
        """Load the network for `threads` cores.

        Raises
        ------
        EngineError
            OpenVINO is absent, or the processor lacks the precision.
        """
        engine = OpenVINOEngine(self.input_size, self.files, self.precision, threads)
        return engine if self.orientations == 1 else average_orientations(engine)

    def pattern(self) -> NDArray[np.uint8]:
        """A fixed image, to see whether the network gives the same numbers here as where it was bundled."""
        return fixed_image(self.input_size)


def relative_distance(vector: NDArray[np.floating], expected: NDArray[np.floating]) -> float:
    """Distance of a vector from the expected one, as a part of that one's length."""
    length = float(np.linalg.norm(expected)) or 1.0
    return float(np.linalg.norm(vector - expected)) / length


def fixed_image(size: tuple[int, int]) -> NDArray[np.uint8]:
    """An image of this height and width, always the same."""
    rows, columns, channels = np.ogrid[: size[0], : size[1], :3]
    return np.ascontiguousarray((7 * rows + 13 * columns + 29 * channels + rows * columns // 16) % 256, dtype=np.uint8)

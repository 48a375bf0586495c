"""What an extractor is: anything that turns images into feature vectors and says what the numbers depend on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from ..networks.network import ImageInput
from ..networks.openvino_ir import Converted
from ..networks.weights import Weights


class OpenExtractor(Protocol):
    """An extractor that is loaded and ready."""

    @property
    def feature_names(self) -> Sequence[str]:
        """One name a number of the vectors; empty where the names are just numbers."""

    def vectors(self, images: Iterable[Any]) -> Iterator[NDArray[np.float32]]:
        """One vector for each thing that was read, in their order, taking only a bounded number of them ahead."""


@runtime_checkable
class Extractor(Protocol):
    """What turns images into feature vectors."""

    @property
    def identity(self) -> Mapping[str, Any]:
        """Everything that the numbers depend on, as JSON-like values; decides the cache folder, which `name` begins."""

    @property
    def description(self) -> str:
        """Weights and engine, for tables: ``"ImageNet weights; openvino, float32"``; random weights are RANDOM."""

    def read(self, data: bytes) -> Any:
        """What is extracted from, of one image file: its pixels, as a rule. Called in several threads at once.

        Raises
        ------
        UnreadableImageError
            The bytes do not decode completely.
        """

    def open(self, threads: int) -> AbstractContextManager[OpenExtractor]:
        """Load what is needed; uses at most `threads` cores."""


@runtime_checkable
class Convertible(Extractor, Protocol):
    """An extractor that a bundle can hold: a network that OpenVINO can run, on any machine."""

    @property
    def weights(self) -> Weights:
        """What its numbers come from."""

    @property
    def image_input(self) -> ImageInput:
        """How images are read for it: size, interpolation, crop."""

    @property
    def precision(self) -> str:
        """``"float32"`` or ``"bfloat16"``."""

    @property
    def orientations(self) -> int:
        """Of an image, over which vectors are averaged."""

    def converted(self) -> Converted:
        """The network with its pooling, from raw pixels (n, H, W, 3), in OpenVINO's format."""

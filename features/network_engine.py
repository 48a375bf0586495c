"""What runs a network over images: the part that OpenVINO's engine and Keras's have in common."""

from __future__ import annotations

import abc
from collections.abc import Iterable, Iterator

import numpy as np

from ..errors import ExtractionError


class NetworkEngine(abc.ABC):
    """A network with its weights and pooling, ready to run.

    Attributes
    ----------
    name : str
        What results say of it, such as ``"OpenVINO 2026.4 float32, CPU"``.
    family : str
        ``"openvino"`` or ``"keras"``; a part of the identity of what is cached.
    feature_names : tuple of str
        One name a number of the vectors.
    """

    name: str
    family: str
    feature_names: tuple[str, ...]

    def __init__(self, input_size: tuple[int, int]) -> None:
        self._shape = (*input_size, 3)

    def vectors(self, images: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        """Run the network over images, as they come.

        Parameters
        ----------
        images : iterable of numpy.ndarray
            uint8 (H, W, 3), RGB, of the network's input size; taken a few ahead of what is given back, never more.

        Yields
        ------
        numpy.ndarray
            float32 (d,), one an image, in the order of the images.

        Raises
        ------
        ExtractionError
            An image has another shape or type, or its vector holds a number that is not finite.
        EngineError
            The engine failed.
        """
        for vector in self._run(map(self._check, images)):
            if not np.isfinite(vector).all():
                raise ExtractionError(f"{self.name} gave numbers that are not finite.")
            yield vector

    @abc.abstractmethod
    def close(self) -> None:
        """Let go of the network's memory."""

    def __enter__(self) -> NetworkEngine:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @abc.abstractmethod
    def _run(self, images: Iterator[np.ndarray]) -> Iterator[np.ndarray]: ...

    def _check(self, image: np.ndarray) -> np.ndarray:
        if image.shape != self._shape or image.dtype != np.uint8:
            raise ExtractionError(
                "An image does not fit the network.",
                expected=f"uint8 {self._shape}",
                received=f"{image.dtype} {image.shape}",
                fix="resize it to the network's input size.",
            )
        return image

"""Engines that run a network over batches of images, as large as memory allows."""

from __future__ import annotations

import abc
import itertools
from collections.abc import Iterator, Sequence

import numpy as np

from ..errors import EngineError
from ..networks import frameworks
from .network_engine import NetworkEngine


class BatchEngine(NetworkEngine):
    """Runs a network over batches.

    Parameters
    ----------
    input_size : tuple of int
        Height and width.
    batch : int
        Images at once; halved, for good, each time that memory runs out.
    """

    def __init__(self, input_size: tuple[int, int], batch: int) -> None:
        super().__init__(input_size)
        self._batch = batch

    @abc.abstractmethod
    def _predict(self, batch: np.ndarray) -> np.ndarray:
        """Vectors (n, d), float32, of pixels (n, H, W, 3), uint8."""

    def _run(self, images: Iterator[np.ndarray]) -> Iterator[np.ndarray]:
        while batch := list(itertools.islice(images, self._batch)):
            yield from self._predict_all(batch)

    def _predict_all(self, images: Sequence[np.ndarray]) -> Iterator[np.ndarray]:
        done = 0
        while done < len(images):
            part = images[done : done + self._batch]
            # Always full batches, so that no backend compiles the network anew for the last one.
            padded = [*part, *[part[-1]] * (self._batch - len(part))]
            try:
                vectors = self._predict(np.stack(padded))
            except Exception as error:  # every backend has its own error for it
                self._back_off(error)
                continue
            yield from vectors[: len(part)]
            done += len(part)

    def _back_off(self, error: Exception) -> None:
        if self._batch == 1 or not frameworks.out_of_memory(error):
            raise EngineError(
                f"{self.name} failed on a batch of {self._batch} images.",
                received=f"{type(error).__name__}: {error}",
                fix="free some memory, or choose `engine: openvino`.",
            ) from error
        self._batch //= 2

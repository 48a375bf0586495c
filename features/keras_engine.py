"""Keras on TensorFlow, JAX or PyTorch."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from ..errors import EngineError
from ..networks import frameworks
from ..networks.build import build
from ..networks.network import Network
from ..networks.weights import Weights
from .network_engine import NetworkEngine
from .pooling import add_poolings, feature_names


class KerasEngine(NetworkEngine):
    """Keras on TensorFlow, JAX or PyTorch; parameters as for `leukobench.features.engines.open_engine`."""

    family = "keras"

    def __init__(
        self, network: Network, weights: Weights, poolings: Sequence[str], precision: str, threads: int
    ) -> None:
        super().__init__(network.input_size)
        keras = frameworks.load_keras()
        frameworks.settle_keras(threads)
        self._model, names = build_pooled(network, weights, poolings, precision)
        self.feature_names = tuple(names)
        device = frameworks.device(keras)
        self.name = f"{frameworks.keras_title(keras)} {precision}, {device}"
        self._batch = 8 if device == "CPU" else 64

    def _run(self, images: Iterator[np.ndarray]) -> Iterator[np.ndarray]:
        while batch := list(itertools.islice(images, self._batch)):
            yield from self._predict(batch)

    def _predict(self, images: Sequence[np.ndarray]) -> Iterator[np.ndarray]:
        """Predict in batches of the size that fits; it is halved, for good, each time that memory runs out."""
        done = 0
        while done < len(images):
            part = images[done : done + self._batch]
            # Always full batches, so that no backend compiles the network anew for the last one.
            padded = [*part, *[part[-1]] * (self._batch - len(part))]
            try:
                vectors = np.asarray(self._model.predict_on_batch(np.stack(padded)), np.float32)
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

    def close(self) -> None:
        """Let go of the network's memory."""
        self._model = None


def build_pooled(network: Network, weights: Weights, poolings: Sequence[str], precision: str) -> tuple[Any, list[str]]:
    """The Keras network with its pooling, and one name a number of its vectors."""
    model = build(network, weights, precision=precision)
    return add_poolings(model, network, poolings), feature_names(model, network, poolings)

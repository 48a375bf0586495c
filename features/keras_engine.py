"""Keras on TensorFlow, JAX or PyTorch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..networks import frameworks
from ..networks.build import build
from ..networks.network import Network
from ..networks.weights import Weights
from .batch_engine import BatchEngine
from .pooling import add_poolings, feature_names


class KerasEngine(BatchEngine):
    """Keras on TensorFlow, JAX or PyTorch; parameters as for `leukobench.features.engines.open_engine`."""

    family = "keras"

    def __init__(
        self, network: Network, weights: Weights, poolings: Sequence[str], precision: str, threads: int
    ) -> None:
        keras = frameworks.load_keras()
        frameworks.settle_keras(threads)
        device = frameworks.device(keras)
        super().__init__(network.input_size, 8 if device == "CPU" else 64)
        self._model, names = build_pooled(network, weights, poolings, precision)
        self.feature_names = tuple(names)
        self.name = f"{frameworks.keras_title(keras)} {precision}, {device}"

    def _predict(self, batch: np.ndarray) -> np.ndarray:
        return np.asarray(self._model.predict_on_batch(batch), np.float32)

    def close(self) -> None:
        """Let go of the network's memory."""
        self._model = None


def build_pooled(network: Network, weights: Weights, poolings: Sequence[str], precision: str) -> tuple[Any, list[str]]:
    """The Keras network with its pooling, and one name a number of its vectors."""
    model = build(network, weights, precision=precision)
    return add_poolings(model, network, poolings), feature_names(model, network, poolings)

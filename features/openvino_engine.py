"""OpenVINO on the CPU, and networks with their pooling in its format."""

from __future__ import annotations

import collections
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from ..errors import EngineError
from ..machine import cores
from ..networks import frameworks
from ..networks.network import Network
from ..networks.openvino_graph import Graph
from ..networks.openvino_ir import Converted, load_converted
from ..networks.weights import Weights
from .keras_engine import build_pooled
from .network_engine import NetworkEngine


def converted_network(network: Network, weights: Weights, poolings: Sequence[str]) -> Converted:
    """The network with its pooling in OpenVINO's format, from the cache folder if it is there.

    Raises
    ------
    EngineError, StorageError, WeightsError
    """
    identity = {"network": network.identity(), "weights": weights.digest, "poolings": list(poolings)}
    return load_converted(identity, lambda: build_pooled(network, weights, poolings, "float32"))


class OpenVINOEngine(NetworkEngine):
    """OpenVINO on the CPU.

    Parameters
    ----------
    input_size : tuple of int
        Height and width.
    network : Converted or Graph
        With raw pixels in front, and its pooling behind.
    precision, threads
        As for `leukobench.features.engines.open_engine`.
    """

    family = "openvino"

    def __init__(self, input_size: tuple[int, int], network: Converted | Graph, precision: str, threads: int) -> None:
        super().__init__(input_size)
        self.feature_names = network.feature_names
        self.name = f"OpenVINO {frameworks.short_version('openvino')} {precision}, CPU"
        self._openvino = frameworks.load_openvino()
        self._compiled = self._compile(network, {"float32": "f32", "bfloat16": "bf16"}[precision], threads)
        # Twice as many as streams: while the results of some are fetched, no stream waits for an image.
        self._lookahead = 2 * threads

    def _compile(self, network: Converted | Graph, precision: str, threads: int) -> Any:
        core = self._openvino.Core()
        if precision == "bf16" and "BF16" not in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
            raise EngineError("This processor cannot compute in bfloat16.", fix="choose `precision: float32`.")
        steps = self._openvino.preprocess.PrePostProcessor(network.read(core))
        steps.input().tensor().set_element_type(self._openvino.Type.u8)
        model = steps.build()
        model.reshape([1, *self._shape])
        # One thread a stream: a vector is then the same to the last bit however many threads there are. The precision
        # is named because processors that know bfloat16 would otherwise use it by themselves.
        settings = {
            "INFERENCE_PRECISION_HINT": precision,
            "NUM_STREAMS": str(threads),
            "INFERENCE_NUM_THREADS": threads,
            # Pinned threads of two processes would share the first cores while others lie idle.
            "ENABLE_CPU_PINNING": threads >= cores(),
        }
        return core.compile_model(model, "CPU", settings)

    def _run(self, images: Iterator[np.ndarray]) -> Iterator[np.ndarray]:
        idle: list[Any] = []
        busy: collections.deque[Any] = collections.deque()
        for image in images:
            if len(busy) == self._lookahead:
                idle.append(busy.popleft())
                yield self._result(idle[-1])
            request = idle.pop() if idle else self._compiled.create_infer_request()
            request.set_input_tensor(self._openvino.Tensor(np.ascontiguousarray(image[None])))
            request.start_async()
            busy.append(request)
        while busy:
            yield self._result(busy.popleft())

    def _result(self, request: Any) -> np.ndarray:
        try:
            request.wait()
        except RuntimeError as error:
            raise EngineError(f"{self.name} failed.", received=str(error)) from error
        return request.get_output_tensor().data[0].copy()

    def close(self) -> None:
        """Let go of the network's memory."""
        self._compiled = None

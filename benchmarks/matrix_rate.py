"""The machine's matrix rate: what one product of large matrices reaches on all cores, the ceiling for any network."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from leukobench.machine import cores

_SIDE, _SECONDS = 2048, 2.0
_HINTS = {"float32": "f32", "bfloat16": "bf16"}


def matrix_rate(precision: str) -> float:
    """GFLOP/s of 2,048 x 2,048 products, one for each core at a time; the better of OpenVINO's and NumPy's."""
    rates = [_openvino_rate(_HINTS[precision])]
    if precision == "float32":
        rates.append(_numpy_rate())
    return max(rates)


def _openvino_rate(hint: str) -> float:
    import openvino
    from openvino import opset13 as ops

    rng = np.random.default_rng(0)
    inputs = ops.parameter([_SIDE, _SIDE], np.float32)
    weights = ops.constant(rng.normal(size=(_SIDE, _SIDE)).astype(np.float32))
    model = openvino.Model([ops.matmul(inputs, weights, False, False)], [inputs])
    settings = {"INFERENCE_PRECISION_HINT": hint, "NUM_STREAMS": str(cores()), "INFERENCE_NUM_THREADS": cores()}
    compiled = openvino.Core().compile_model(model, "CPU", settings)
    requests = [compiled.create_infer_request() for _ in range(cores())]
    for request in requests:
        request.set_input_tensor(openvino.Tensor(rng.normal(size=(_SIDE, _SIDE)).astype(np.float32)))

    def once() -> int:
        for request in requests:
            request.start_async()
        for request in requests:
            request.wait()
        return len(requests)

    return _rate(once)


def _numpy_rate() -> float:
    rng = np.random.default_rng(0)
    one, other = (rng.normal(size=(_SIDE, _SIDE)).astype(np.float32) for _ in range(2))
    target = np.empty_like(one)

    def once() -> int:
        np.matmul(one, other, out=target)
        return 1

    return _rate(once)


def _rate(once: Any) -> float:
    """The best of three stretches, in GFLOP/s: the ceiling, not the average."""
    once()
    best = 0.0
    for _ in range(3):
        products, start = 0, time.perf_counter()
        while (spent := time.perf_counter() - start) < _SECONDS / 3:
            products += once()
        best = max(best, products * 2 * _SIDE**3 / spent / 1e9)
    return best


def gflop(model: Any) -> float:
    """Multiplications and additions that the layers of a Keras model do for one image, in 10^9."""
    from keras import layers

    total = 0
    for layer in model.layers:
        if isinstance(layer, (layers.Conv2D, layers.DepthwiseConv2D, layers.Dense)):
            kernel = layer.kernel.shape if layer.weights else ()
            pixels = np.prod(layer.output.shape[1:-1], dtype=np.int64) if len(layer.output.shape) == 4 else 1
            total += 2 * int(np.prod(kernel, dtype=np.int64) * pixels)
    return total / 1e9

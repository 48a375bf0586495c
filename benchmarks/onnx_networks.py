"""Two networks as ONNX files with random weights, as PyTorch exports them: ViT-S/14 of DINOv2, and ResNet-50."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

_OPSET, _IR = 17, 9
_TOKENS, _WIDTH, _HEADS, _BLOCKS, _PATCH = 257, 384, 6, 12, 14


class _Graph:
    """Nodes and weights, each node named after its place."""

    def __init__(self) -> None:
        self._nodes: list[Any] = []
        self._weights: list[Any] = []
        self._rng = np.random.default_rng(0)

    def weight(self, *shape: int, value: float | None = None) -> str:
        """Random numbers of the size that keeps activations as they are, or one value everywhere."""
        fan = int(np.prod(shape[1:] if len(shape) == 4 else shape[:1]))
        numbers = self._rng.normal(0, np.sqrt(2 / fan), shape) if value is None else np.full(shape, value)
        return self.constant(numbers.astype(np.float32))

    def constant(self, numbers: Any) -> str:
        self._weights.append(numpy_helper.from_array(np.asarray(numbers), f"w{len(self._weights)}"))
        return str(self._weights[-1].name)

    def add(self, operator: str, *inputs: str, outputs: int = 1, **attributes: Any) -> Any:
        names = [f"{operator.lower()}_{len(self._nodes)}" + (f"_{k}" if k else "") for k in range(outputs)]
        self._nodes.append(helper.make_node(operator, inputs, names, name=f"node_{names[0]}", **attributes))
        return names[0] if outputs == 1 else names

    def save(self, path: Path, output: str, shape: list[int]) -> Path:
        image = helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, 224, 224])
        result = helper.make_tensor_value_info(output, TensorProto.FLOAT, shape)
        graph = helper.make_graph(self._nodes, path.stem, [image], [result], self._weights)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=_IR)
        onnx.save(model, str(path))
        return path


def vit_small(path: Path) -> Path:
    """DINOv2's ViT-S/14 at 224 pixels: tokens (1, 257, 384)."""
    graph = _Graph()
    maps = graph.add("Conv", "image", graph.weight(_WIDTH, 3, _PATCH, _PATCH), strides=[_PATCH] * 2)
    rows = graph.add("Reshape", maps, graph.constant(np.int64([1, _WIDTH, -1])))
    patches = graph.add("Transpose", rows, perm=[0, 2, 1])
    x = graph.add("Concat", graph.weight(1, 1, _WIDTH), patches, axis=1)
    x = graph.add("Add", x, graph.weight(1, _TOKENS, _WIDTH, value=0.02))
    for _ in range(_BLOCKS):
        x = graph.add("Add", x, _scaled(graph, _attention(graph, _normalised(graph, x))))
        x = graph.add("Add", x, _scaled(graph, _perceptron(graph, _normalised(graph, x))))
    return graph.save(path, _normalised(graph, x), [1, _TOKENS, _WIDTH])


def _normalised(graph: _Graph, x: str) -> str:
    scale, bias = graph.weight(_WIDTH, value=1.0), graph.weight(_WIDTH, value=0.0)
    return str(graph.add("LayerNormalization", x, scale, bias, axis=-1, epsilon=1e-6))


def _scaled(graph: _Graph, x: str) -> str:
    return str(graph.add("Mul", x, graph.weight(_WIDTH, value=0.1)))


def _linear(graph: _Graph, x: str, inputs: int, outputs: int) -> str:
    product = graph.add("MatMul", x, graph.weight(inputs, outputs))
    return str(graph.add("Add", product, graph.weight(outputs, value=0.01)))


def _attention(graph: _Graph, x: str) -> str:
    side = _WIDTH // _HEADS
    packed = _linear(graph, x, _WIDTH, 3 * _WIDTH)
    heads = graph.add("Reshape", packed, graph.constant(np.int64([1, _TOKENS, 3, _HEADS, side])))
    apart = graph.add("Transpose", heads, perm=[2, 0, 3, 1, 4])
    query, key, value = (
        graph.add("Gather", apart, graph.constant(np.asarray(part, np.int64)), axis=0) for part in range(3)
    )
    query = graph.add("Mul", query, graph.constant(np.float32(side**-0.5)))
    likeness = graph.add("MatMul", query, graph.add("Transpose", key, perm=[0, 1, 3, 2]))
    mixed = graph.add("MatMul", graph.add("Softmax", likeness, axis=-1), value)
    joined = graph.add("Transpose", mixed, perm=[0, 2, 1, 3])
    return _linear(graph, graph.add("Reshape", joined, graph.constant(np.int64([1, _TOKENS, _WIDTH]))), _WIDTH, _WIDTH)


def _perceptron(graph: _Graph, x: str) -> str:
    """With the exact GELU."""
    x = _linear(graph, x, _WIDTH, 4 * _WIDTH)
    error = graph.add("Erf", graph.add("Div", x, graph.constant(np.float32(np.sqrt(2)))))
    half = graph.add("Mul", x, graph.add("Add", error, graph.constant(np.float32(1))))
    return _linear(graph, graph.add("Mul", half, graph.constant(np.float32(0.5))), 4 * _WIDTH, _WIDTH)


def resnet50(path: Path) -> Path:
    """ResNet-50 at 224 pixels, its batch normalisation merged into the convolutions: a vector of 2,048."""
    graph = _Graph()
    x = graph.add("Relu", _convolution(graph, "image", 3, 64, 7, 2))
    x, width = graph.add("MaxPool", x, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1]), 64
    for stage, count in enumerate((3, 4, 6, 3)):
        inner = 64 * 2**stage
        for block in range(count):
            stride = 2 if stage and not block else 1
            y = graph.add("Relu", _convolution(graph, x, width, inner, 1, 1))
            y = graph.add("Relu", _convolution(graph, y, inner, inner, 3, stride))
            y = _convolution(graph, y, inner, 4 * inner, 1, 1)
            shortcut = x if block else _convolution(graph, x, width, 4 * inner, 1, stride)
            x, width = graph.add("Relu", graph.add("Add", y, shortcut)), 4 * inner
    return graph.save(path, graph.add("Flatten", graph.add("GlobalAveragePool", x)), [1, 2048])


def _convolution(graph: _Graph, x: str, inputs: int, outputs: int, side: int, stride: int) -> str:
    weights, bias = graph.weight(outputs, inputs, side, side), graph.weight(outputs, value=0.0)
    return str(graph.add("Conv", x, weights, bias, strides=[stride] * 2, pads=[side // 2] * 4))

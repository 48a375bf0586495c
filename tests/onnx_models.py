"""ONNX files for tests, written with the package `onnx`, and what they give in numpy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

onnx = pytest.importorskip("onnx", reason="the package onnx, of the extra dev, writes the files of these tests")

SIDE, MAPS, FEATURES = 16, 6, 4
_RNG = np.random.default_rng(0)
KERNEL = _RNG.normal(size=(MAPS, 3, 1, 1)).astype(np.float32)
MATRIX = _RNG.normal(size=(MAPS, FEATURES)).astype(np.float32)
MEAN, STD = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])


def model(side: int | str = SIDE, opset: int = 17, operator: str = "Relu") -> Any:
    """Maps "maps" of a convolution of one pixel and "/block/Relu"; and "vector", linear in their means."""
    helper = onnx.helper
    nodes = [
        helper.make_node("Conv", ["image", "kernel"], ["convolved"], name="/block/Conv"),
        helper.make_node(operator, ["convolved"], ["maps"], name="/block/Relu", domain="" if opset else "own"),
        helper.make_node("GlobalAveragePool", ["maps"], ["means"], name="/pool"),
        helper.make_node("Flatten", ["means"], ["flat"], name="/flatten"),
        helper.make_node("MatMul", ["flat", "matrix"], ["vector"], name="/head"),
    ]
    image = helper.make_tensor_value_info("image", onnx.TensorProto.FLOAT, ["n", 3, side, side])
    vector = helper.make_tensor_value_info("vector", onnx.TensorProto.FLOAT, ["n", FEATURES])
    weights = [onnx.numpy_helper.from_array(KERNEL, "kernel"), onnx.numpy_helper.from_array(MATRIX, "matrix")]
    graph = helper.make_graph(nodes, "toy", [image], [vector], weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=9)


def save(path: Path, external: bool = False, **options: Any) -> Path:
    """Write the file; its weights into ``weights.data`` beside it where they are `external`."""
    outside = {"save_as_external_data": True, "location": "weights.data", "size_threshold": 0} if external else {}
    onnx.save(model(**options), str(path), **outside)
    return path


def maps(pixels: np.ndarray) -> np.ndarray:
    """Of images (n, height, width, 3) of 0 to 255: what "maps" gives, channel last."""
    x = (pixels / 255.0 - MEAN) / STD
    return np.maximum(x @ KERNEL[:, :, 0, 0].T.astype(np.float64), 0.0)


def vector(pixels: np.ndarray) -> np.ndarray:
    """What "vector" gives."""
    return maps(pixels).mean(axis=(1, 2)) @ MATRIX

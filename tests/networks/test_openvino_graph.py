"""Graphs: cut at any output, pixels in front, poolings behind, compared with numpy on a network of two layers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from leukobench.errors import ConfigurationError
from leukobench.networks.frameworks import load_openvino
from leukobench.networks.graph_pooling import check_pooling
from leukobench.networks.network import ImageInput, Preprocessing
from leukobench.networks.openvino_graph import Cut, layout_of, make_graph

openvino = load_openvino()
opset13 = openvino.opset13
SIDE, CHANNELS = 16, 5
PREPROCESSING = Preprocessing(mean=(10.0, 20.0, 30.0), std=(2.0, 4.0, 8.0), channels="BGR")
RNG = np.random.default_rng(0)
KERNEL = RNG.normal(size=(CHANNELS, 3, 1, 1)).astype(np.float32)
FIRST = RNG.normal(size=(1, 2, CHANNELS)).astype(np.float32)
IMAGE = RNG.integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)


def network(layout: str = "nchw", second: bool = False) -> Any:
    """A convolution "maps" of one pixel; "tokens": its 4 x 4 parts behind two tokens; "vector": the first of them."""
    shape = [-1, 3, -1, -1] if layout == "nchw" else [-1, -1, -1, 3]
    image = opset13.parameter(openvino.PartialShape(shape), np.float32, name="image")
    x = image if layout == "nchw" else opset13.transpose(image, opset13.constant([0, 3, 1, 2]))
    maps = opset13.convolution(x, opset13.constant(KERNEL), [1, 1], [0, 0], [0, 0], [1, 1], name="maps")
    parts = opset13.avg_pool(maps, [4, 4], [0, 0], [0, 0], [4, 4], True)
    flat = opset13.reshape(parts, opset13.constant([1, CHANNELS, -1]), False)
    rows = opset13.transpose(flat, opset13.constant([0, 2, 1]))
    tokens = opset13.concat([opset13.constant(FIRST), rows], 1, name="tokens")
    vector = opset13.gather(tokens, opset13.constant(0), opset13.constant(1), name="vector")
    for node, name in ((maps, "maps"), (tokens, "tokens"), (vector, "vector")):
        node.output(0).get_tensor().set_names({name})
    outputs = [vector, *([tokens] if second else [])]
    return openvino.Model([opset13.result(output) for output in outputs], [image], "toy")


def run(cuts: list[Cut], layout: str = "nchw") -> tuple[np.ndarray, Any]:
    graph = make_graph(network(layout), ImageInput((SIDE, SIDE), PREPROCESSING, layout), cuts)
    compiled = openvino.Core().compile_model(graph.model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    return compiled(IMAGE[None].astype(np.float32))[0][0], graph


def expected_maps() -> np.ndarray:
    x = (IMAGE[..., ::-1].astype(np.float64) - PREPROCESSING.mean) / PREPROCESSING.std
    return x @ KERNEL[:, :, 0, 0].T.astype(np.float64)


def expected(cut: Cut) -> np.ndarray:
    maps = expected_maps()
    tokens = np.concatenate([FIRST[0], maps.reshape(4, 4, 4, 4, CHANNELS).mean(axis=(1, 3)).reshape(16, CHANNELS)])
    values = {
        ("maps", "average"): maps.mean(axis=(0, 1)),
        ("maps", "max"): maps.max(axis=(0, 1)),
        ("tokens", "cls"): tokens[0],
        ("tokens", "mean_patch"): tokens[2:].mean(axis=0),
        ("tokens", "average"): tokens.mean(axis=0),
        ("tokens", "cls+mean_patch"): np.concatenate([tokens[0], tokens[2:].mean(axis=0)]),
        ("vector", "none"): tokens[0],
    }
    return values[cut.output, cut.pooling]


CUTS = [
    *(Cut("maps", "average"), Cut("maps", "max"), Cut("tokens", "cls"), Cut("tokens", "mean_patch")),
    *(Cut("tokens", "average"), Cut("tokens", "cls+mean_patch"), Cut("vector", "none")),
]


@pytest.mark.parametrize("layout", ["nchw", "nhwc"])
def test_every_cut_gives_what_numpy_gives_alone_and_in_one_pass(layout: str) -> None:
    joint, graph = run(CUTS, layout)
    np.testing.assert_allclose(joint, np.concatenate([expected(cut) for cut in CUTS]), rtol=1e-5, atol=1e-4)
    assert graph.widths == (5, 5, 5, 5, 5, 10, 5)
    assert graph.feature_names[20:22] == ("token_avg_0000", "token_avg_0001")
    assert graph.feature_names[25::5][:2] == ("cls_0000", "patch_0000")


@pytest.mark.parametrize(
    ("output", "pooling"), [("", "none"), ("vector", "none"), ("tokens", "cls"), ("maps", "average")]
)
def test_the_shape_decides_where_no_pooling_is_named(output: str, pooling: str) -> None:
    vector, graph = run([Cut(output)])
    assert graph.poolings == (pooling,)
    np.testing.assert_allclose(vector, expected(Cut(output or "vector", pooling)), rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize(
    ("cut", "size", "words"),
    [
        (Cut("map"), SIDE, "did you mean maps"),
        (Cut("maps", "cls"), SIDE, "cannot be pooled so"),
        (Cut("maps", "none"), SIDE, "cannot be pooled so"),
        (Cut("vector", "average"), SIDE, "cannot be pooled so"),
        (Cut("tokens"), 2, "does not take images of this size"),
    ],
)
def test_what_does_not_fit_is_said_with_what_there_is(cut: Cut, size: int, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        make_graph(network(), ImageInput((size, size), PREPROCESSING), [cut])


def test_one_of_several_outputs_has_to_be_named() -> None:
    with pytest.raises(ConfigurationError, match="tokens") as caught:
        make_graph(network(second=True), ImageInput((SIDE, SIDE), PREPROCESSING), [Cut()])
    assert "several outputs" in caught.value.what


def test_a_network_of_texts_is_refused() -> None:
    text = opset13.parameter([1, 77], np.float32, name="text")
    model = openvino.Model([opset13.result(opset13.relu(text))], [text], "text")
    with pytest.raises(ConfigurationError, match="takes no images"):
        make_graph(model, ImageInput((SIDE, SIDE), PREPROCESSING), [Cut()])


def test_the_layout_is_read_off_a_shape_that_tells_it() -> None:
    shapes = {(1, 3, 8, 8): "nchw", (1, 8, 8, 3): "nhwc", (-1, -1, -1, -1): "", (1, 3, 8, 3): ""}
    assert {shape: layout_of(openvino.PartialShape(list(shape))) for shape in shapes} == shapes


@pytest.mark.parametrize("pooling", ["mean", "cls+cls", "cls+", 3])
def test_unknown_poolings_are_refused(pooling: Any) -> None:
    with pytest.raises(ConfigurationError, match="no pooling"):
        check_pooling(pooling)

"""Networks as graphs of OpenVINO: raw pixels in front, cut at any of their outputs, pooled to one vector an image."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import ConfigurationError
from .frameworks import load_openvino
from .graph_pooling import pool
from .network import ImageInput

LAYOUTS = ("nchw", "nhwc")
_CHANNELS, _SHOWN = 3, 6


@dataclass(frozen=True)
class Cut:
    """What is taken of a network.

    Attributes
    ----------
    output : str
        Name of a node or of what it gives; empty: the only output.
    pooling : str
        See `leukobench.networks.graph_pooling.pool`.
    """

    output: str = ""
    pooling: str = ""


@dataclass(frozen=True)
class Graph:
    """A network from raw pixels (1, H, W, 3), float32, to one vector (1, d).

    Attributes
    ----------
    model : openvino.Model
    feature_names : tuple of str
        One a number of the vector.
    widths : tuple of int
        How many of them each cut gives.
    poolings : tuple of str
        Of the cuts, the empty ones filled in.
    """

    model: Any
    feature_names: tuple[str, ...]
    widths: tuple[int, ...]
    poolings: tuple[str, ...]

    def read(self, core: Any) -> Any:
        """A copy of the model."""
        return self.model.clone()


def make_graph(model: Any, image_input: ImageInput, cuts: Sequence[Cut]) -> Graph:
    """Put raw pixels in front of a network, and poolings behind it.

    Parameters
    ----------
    model : openvino.Model
        Is used up.
    image_input : ImageInput
    cuts : sequence of Cut
        Their vectors stand one after the other.

    Raises
    ------
    ConfigurationError
        There is no such output; or the network, its input or an output has a shape that does not fit.
    """
    openvino = load_openvino()
    opset13 = openvino.opset13
    outputs = [find_output(model, cut.output) for cut in cuts]
    parameter = image_parameter(model, outputs)
    part = openvino.Model([opset13.result(output) for output in outputs], [parameter], "network")
    _set_shape(part, parameter, image_input)
    pixels = _put_pixels_before(parameter, image_input)
    pooled = [pool(output, cut.pooling, image_input) for output, cut in zip(outputs, cuts, strict=True)]
    vectors = [vector for vector, _, _ in pooled]
    joined = opset13.concat(vectors, 1) if len(vectors) > 1 else vectors[0]
    result = opset13.result(opset13.convert(joined, "f32"))
    names = [name for _, _, names in pooled for name in names]
    widths = tuple(len(names) for _, _, names in pooled)
    return Graph(
        openvino.Model([result], [pixels], "network"), tuple(names), widths, tuple(pooling for _, pooling, _ in pooled)
    )


def find_output(model: Any, name: str) -> Any:
    """What the node `name` gives, or what is called so; the model's only output where the name is empty.

    Raises
    ------
    ConfigurationError
        There is none, with the nearest names; or there are several.
    """
    ends = [result.input_value(0) for result in model.get_results()]
    if not name:
        if len(ends) == 1:
            return ends[0]
        raise ConfigurationError(
            "The network has several outputs.",
            expected="`output`, the name of one of them or of a node",
            received=_described(ends),
            fix="choose one.",
        )
    named = {label: output for output in _outputs(model) for label in _names(output)}
    if name in named:
        return named[name]
    nearest = difflib.get_close_matches(name, named, n=3, cutoff=0.6)
    raise ConfigurationError(
        f"The network has no node '{name[:100]}'.",
        expected=f"its output ({_described(ends)}), or one of {len(named):,} other names: {_described(_stages(model))}",
        received=name[:100],
        fix=f"did you mean {' or '.join(nearest)}?" if nearest else "choose one of these.",
    )


def _stages(model: Any) -> list[Any]:
    """The last of all nodes that give maps or tokens of one shape, from the last shape on."""
    last: dict[str, Any] = {}
    for output in _outputs(model):
        shape = output.get_partial_shape()
        if shape.rank.is_static and shape.rank.get_length() in (3, 4) and output.get_names():
            last.pop(str(shape), None)
            last[str(shape)] = output
    return list(last.values())[::-1]


def _outputs(model: Any) -> Iterator[Any]:
    for node in model.get_ordered_ops():
        if node.get_type_name() not in ("Constant", "Result"):
            yield from node.outputs()


def _names(output: Any) -> list[str]:
    """Names of what a node gives, and its own where it gives one thing alone."""
    node = output.get_node()
    return [*sorted(output.get_names()), *([node.friendly_name] if node.get_output_size() == 1 else [])]


def _described(outputs: Sequence[Any]) -> str:
    words = [f"{next(iter(_names(output)), '?')} {output.get_partial_shape()}" for output in outputs[:_SHOWN]]
    return ", ".join(words) + (" …" if len(outputs) > _SHOWN else "")


def image_parameter(model: Any, outputs: Sequence[Any]) -> Any:
    """The one input of a model that what it gives depends on.

    Raises
    ------
    ConfigurationError
        It depends on none, on several, or on no batch of images.
    """
    needed, waiting = set(), [output.get_node() for output in outputs]
    while waiting:
        node = waiting.pop()
        if node.friendly_name not in needed:
            needed.add(node.friendly_name)
            waiting += [value.get_node() for value in node.input_values()]
    inputs = [parameter for parameter in model.get_parameters() if parameter.friendly_name in needed]
    rank = inputs[0].get_partial_shape().rank if len(inputs) == 1 else None
    if rank is None or (rank.is_static and rank.get_length() != 4):
        raise ConfigurationError(
            "The network takes no images, or more than images.",
            expected="one input of four axes: image, channel, height, width (nchw), or channel last (nhwc)",
            received=_described([parameter.output(0) for parameter in inputs]) or "no input",
            fix="export the part for images alone, or name an `output` that depends on them alone.",
        )
    return inputs[0]


def layout_of(shape: Any) -> str:
    """``"nchw"`` or ``"nhwc"``: where the three channels stand in a shape; empty where it does not tell."""
    if shape.rank.is_dynamic:
        return ""
    lengths = [length.get_length() if length.is_static else 0 for length in shape]
    places = [layout for layout, axis in zip(LAYOUTS, (1, 3), strict=True) if lengths[axis] == _CHANNELS]
    return places[0] if len(places) == 1 else ""


def _set_shape(model: Any, parameter: Any, image_input: ImageInput) -> None:
    height, width = image_input.size
    shape = [1, _CHANNELS, height, width] if image_input.layout == "nchw" else [1, height, width, _CHANNELS]
    before = parameter.get_partial_shape()
    try:
        model.reshape({parameter.output(0): shape})
    except RuntimeError as error:
        raise ConfigurationError(
            "The network does not take images of this size.",
            expected=f"an input of shape {before}",
            received=f"{shape}: {last_line(error)}",
            fix="correct `input` or `layout`, or export the network for this size, or with axes of any length.",
        ) from error


def _put_pixels_before(parameter: Any, image_input: ImageInput) -> Any:
    """Replace the network's input by raw pixels, channel last, and what makes its input of them; return the pixels."""
    import numpy as np

    opset13 = load_openvino().opset13
    preprocessing = image_input.preprocessing
    pixels = opset13.parameter([1, *image_input.size, _CHANNELS], np.float32, name="pixels")
    order = [2, 1, 0] if preprocessing.channels == "BGR" else [0, 1, 2]
    x = pixels if order == [0, 1, 2] else opset13.gather(pixels, opset13.constant(order), opset13.constant(3))
    x = opset13.subtract(x, opset13.constant(np.asarray(preprocessing.mean, np.float32).reshape(1, 1, 1, 3)))
    x = opset13.divide(x, opset13.constant(np.asarray(preprocessing.std, np.float32).reshape(1, 1, 1, 3)))
    if image_input.layout == "nchw":
        x = opset13.transpose(x, opset13.constant([0, 3, 1, 2]))
    x = opset13.convert(x, parameter.get_element_type())
    for target in parameter.output(0).get_target_inputs():
        target.replace_source_output(x.output(0))
    return pixels


def last_line(error: BaseException) -> str:
    """The last line of an error of OpenVINO that says something; those before name lines of its source."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1][:300] if lines else type(error).__name__

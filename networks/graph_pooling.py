"""Poolings of graphs of OpenVINO: from maps, tokens or a vector of one image to one vector."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from ..errors import ConfigurationError
from .frameworks import load_openvino
from .network import ImageInput

NAMES = {"average": "avg", "max": "max", "cls": "cls", "mean_patch": "patch", "none": "f"}
POOLINGS = tuple(NAMES)
_MOST_PREFIX = 16


def pool(output: Any, pooling: str, image_input: ImageInput) -> tuple[Any, str, list[str]]:
    """Pool what a network gives of one image.

    Parameters
    ----------
    output : openvino.Output
        A vector, tokens or maps, the first axis of length 1.
    pooling : str
        ``average`` or ``max`` of feature maps or of all tokens; ``cls``, the first token; ``mean_patch``, the mean of
        the tokens that stand for parts of the image; ``none``; or several, joined by ``+``. Empty: ``none`` for a
        vector, ``average`` for maps, ``cls`` for tokens, or ``average`` where all of them stand for parts of the image.
    image_input : ImageInput
        Of the network.

    Returns
    -------
    openvino.Node, str, list of str
        A vector (1, d), float32; the pooling; and names of its numbers.

    Raises
    ------
    ConfigurationError
        The shape does not allow this pooling.
    """
    opset13 = load_openvino().opset13

    shape = output.get_partial_shape()
    if shape.is_dynamic or shape[0].get_length() != 1:
        raise _misfit(shape, pooling, "one image's vector, tokens or maps, of lengths that are known beforehand")
    lengths = [int(axis) for axis in shape.to_shape()]
    pooling = pooling or _default(lengths, image_input)
    parts = [_part(output, lengths, part, image_input) for part in pooling.split("+")]
    if None in parts:
        raise _misfit(shape, pooling, "average or max for maps; average, max, cls or mean_patch for tokens; none")
    names = [
        f"{'token_' if len(lengths) == 3 and part in ('average', 'max') else ''}{NAMES[part]}_{number:04d}"
        for part, vector in zip(pooling.split("+"), parts, strict=True)
        for number in range(vector.get_output_partial_shape(0)[1].get_length())
    ]
    return opset13.concat(parts, 1) if len(parts) > 1 else parts[0], pooling, names


def _default(lengths: Sequence[int], image_input: ImageInput) -> str:
    if sum(length > 1 for length in lengths) <= 1:
        return "none"
    return "average" if len(lengths) == 4 or _prefix(lengths[1], image_input) == 0 else "cls"


def _part(output: Any, lengths: Sequence[int], pooling: str, image_input: ImageInput) -> Any:
    """What one pooling makes of an output, shape (1, d), float32; None where it does not fit."""
    opset13 = load_openvino().opset13

    x = opset13.convert(output, "f32")
    if pooling == "none":
        single = sum(length > 1 for length in lengths) <= 1
        return opset13.reshape(x, opset13.constant([1, math.prod(lengths)]), False) if single else None
    if len(lengths) not in (3, 4) or (len(lengths) == 4 and pooling not in ("average", "max")):
        return None
    axes = [1] if len(lengths) == 3 else _spatial_axes(lengths, image_input)
    if pooling == "cls":
        return None if _prefix(lengths[1], image_input) == 0 else opset13.gather(x, opset13.constant(0), axes[0])
    if pooling == "mean_patch":
        prefix = _prefix(lengths[1], image_input)
        if prefix is None:
            return None
        bounds = [opset13.constant([number]) for number in (prefix, lengths[1], 1, 1)]
        return opset13.reduce_mean(opset13.slice(x, *bounds), opset13.constant(axes), False)
    reduce = {"average": opset13.reduce_mean, "max": opset13.reduce_max}.get(pooling)
    return reduce(x, opset13.constant(axes), False) if reduce else None


def _spatial_axes(lengths: Sequence[int], image_input: ImageInput) -> list[int]:
    """Axes of height and width: the equal ones of square maps, else those of the input's layout."""
    first, last = lengths[1] == lengths[2], lengths[2] == lengths[3]
    height, width = image_input.size
    channels_last = image_input.layout == "nhwc" if height != width or first == last else first
    return [1, 2] if channels_last else [2, 3]


def _prefix(tokens: int, image_input: ImageInput) -> int | None:
    """How many tokens stand before those of square parts that tile the image; None where there are no such parts."""
    height, width = image_input.size
    sides = [side for side in range(1, min(height, width) + 1) if height % side == 0 == width % side]
    counts = [height // side * (width // side) for side in sides]
    prefix = next((tokens - count for count in counts if count <= tokens), tokens)
    return prefix if prefix <= _MOST_PREFIX and prefix < tokens else None


def _misfit(shape: Any, pooling: str, expected: str) -> ConfigurationError:
    return ConfigurationError(
        "What the network gives cannot be pooled so.",
        expected=expected,
        received=f"pooling {pooling or 'by the shape'}, shape {shape}",
        fix="choose another `pooling`, or another `output`.",
    )


def check_pooling(pooling: str) -> None:
    """Raise a `ConfigurationError` unless `pooling` is empty, a known one, or several joined by ``+``."""
    parts = pooling.split("+") if isinstance(pooling, str) else [""]
    if pooling and (not set(parts) <= set(POOLINGS) or len(set(parts)) < len(parts)):
        raise ConfigurationError(
            f"There is no pooling called {pooling!r}.",
            expected=f"{', '.join(POOLINGS)}, or several such as cls+mean_patch",
            received=repr(pooling),
            fix="choose one of these, or leave `pooling` out.",
        )

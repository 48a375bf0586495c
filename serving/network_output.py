"""What a network that was trained end to end gives: features of its last layer's input, then its probabilities."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin

from ..errors import BundleError
from ..networks.frameworks import load_keras, load_openvino
from ..networks.openvino_ir import Converted
from .reference import PROBABILITY

FEATURE = "feature"


def output_names(features: int, probabilities: int) -> list[str]:
    """Names of the columns, such as ``"feature_0012"`` and ``"probability_0001"``."""
    parts = ((FEATURE, features), (PROBABILITY, probabilities))
    return [f"{name}_{number:04d}" for name, count in parts for number in range(count)]


class NetworkOutput(ClassifierMixin, BaseEstimator):
    """The classifier of such a network: the last columns are its probabilities already.

    Parameters
    ----------
    outputs : int
        Columns of probabilities; a single one is that of the second of two classes.

    Attributes
    ----------
    classes_ : ndarray, shape (n_classes,)
    """

    def __init__(self, outputs: int = 1) -> None:
        self.outputs = outputs

    def fit(self, X: Any, y: ArrayLike) -> Self:
        """Learn which classes there are."""
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """Probabilities, shape (n, classes)."""
        found = np.asarray(X, dtype=np.float64)[:, -self.outputs :]
        return np.column_stack([1 - found, found]) if self.outputs == 1 else found

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Most probable classes, shape (n,)."""
        return np.asarray(self.classes_[self.predict_proba(X).argmax(axis=1)])


def with_features(model: Any) -> Any:
    """The network with the input of its last layer before its probabilities, in one output."""
    keras = load_keras()
    last = model.layers[-1]
    if not hasattr(last, "layers"):
        return keras.Model(model.input, _joined(keras, last), name=model.name)
    head = keras.Model(last.input, _joined(keras, last.layers[-1]))
    return keras.Model(model.input, head(model.layers[-2].output), name=model.name)


def _joined(keras: Any, layer: Any) -> Any:
    return keras.layers.Concatenate(dtype="float32", name="features_and_probabilities")([layer.input, layer.output])


def exported(model: Any, names: Sequence[str]) -> Converted:
    """A Keras network in OpenVINO's format, with names of its output's columns.

    Raises
    ------
    BundleError
        It cannot be converted.
    """
    load_openvino()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "network.xml"
        try:
            model.export(str(path), format="openvino", verbose=False)
        except Exception as error:  # the converters raise whatever they trip over
            raise BundleError(
                f"{model.name} cannot be converted for OpenVINO.", received=f"{type(error).__name__}: {error}"
            ) from error
        return Converted(Path("network.xml"), tuple(names), path.read_bytes(), path.with_suffix(".bin").read_bytes())

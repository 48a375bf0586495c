"""Class-activation map: where the margin of a linear classifier on average-pooled features comes from, exactly."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..networks.frameworks import load_openvino
from .served_network import ServedNetwork

Floats = NDArray[np.float64]

_AVERAGED = "avg_"


class FeatureMaps:
    """The maps that a network averages into its features, shape (h, w, features).

    Parameters
    ----------
    network : ServedNetwork
        One for which `FeatureMaps.has` is true.
    threads : int

    References
    ----------
    B. Zhou et al., Learning Deep Features for Discriminative Localization, CVPR 2016.
    """

    def __init__(self, network: ServedNetwork, threads: int) -> None:
        openvino = load_openvino()
        core, files = openvino.Core(), network.files
        model = core.read_model(*files.files())
        mean = _pooling(model)
        maps, averaged = mean.input_value(0), mean.input_value(1).get_node().data % 4
        self._channels = next(axis for axis in (1, 2, 3) if axis not in averaged)
        settings = {
            "INFERENCE_PRECISION_HINT": {"float32": "f32", "bfloat16": "bf16"}[network.precision],
            "INFERENCE_NUM_THREADS": threads,
        }
        model.reshape([1, *network.input_size, 3])
        self._compiled = core.compile_model(openvino.Model([maps], model.get_parameters()), "CPU", settings)

    @staticmethod
    def has(network: ServedNetwork) -> bool:
        """Whether the features are nothing but averages over maps of the image as it stands."""
        return network.orientations == 1 and all(name.startswith(_AVERAGED) for name in network.files.feature_names)

    def of(self, pixels: NDArray[np.uint8]) -> Floats:
        """Maps of one image, shape (H, W, 3)."""
        request = self._compiled.create_infer_request()  # one for each call, for several threads may call at once
        request.infer({0: pixels[None].astype(np.float32)})
        return np.moveaxis(request.get_output_tensor().data.astype(np.float64), self._channels, -1)[0]


def activation(maps: Floats, weights: Floats, offset: float) -> NDArray[np.float32]:
    """The margin if all of the image looked as it does at each place, shape (h, w); its mean is the image's margin."""
    return np.asarray(maps @ weights + offset, dtype=np.float32)


def _pooling(model: Any) -> Any:
    """The node that averages the maps, above nothing but changes of type or shape."""
    node = model.outputs[0].get_node()
    while node.get_type_name() in ("Result", "Convert", "Reshape", "Squeeze"):
        node = node.input_value(0).get_node()
    return node

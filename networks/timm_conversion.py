"""Networks of timm converted for OpenVINO, once."""

from __future__ import annotations

import warnings
from typing import Any

from ..errors import EngineError
from .frameworks import load_openvino
from .openvino_ir import Converted, load_converted
from .timm_models import TimmModel
from .timm_weights import build
from .weights import Weights

VECTOR, FEATURES = "vector", "features"
"""Outputs of a converted network: what it gives by itself, and the tokens or maps that this is made of."""
_VERSION = 1
_PACKAGES = ("torch", "timm", "openvino")


def converted(model: TimmModel, weights: Weights) -> Converted:
    """The network for OpenVINO, without preprocessing and pooling, from the cache folder if it is there.

    Its outputs are called `VECTOR` and `FEATURES`.

    Raises
    ------
    EngineError, StorageError, WeightsError
    """
    identity = {
        "model": model.identity(),
        "size": list(model.image_input.size),
        "weights": weights.digest,
        "version": _VERSION,
    }
    return load_converted(identity, lambda: (_convert(model, build(model, weights)), []), _PACKAGES)


def _convert(model: TimmModel, module: Any) -> Any:
    import torch

    openvino = load_openvino()
    height, width = model.image_input.size
    example = torch.zeros(1, 3, height, width)
    try:
        with torch.inference_mode(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of PyTorch, about the way in which OpenVINO reads it
            network = openvino.convert_model(with_features(module), example_input=example, input=[1, 3, height, width])
    except Exception as error:  # the converters raise whatever they trip over
        raise EngineError(
            f"{model.name} cannot be converted for OpenVINO.",
            received=f"{type(error).__name__}: {str(error)[:300]}",
            fix="choose `engine: torch`.",
        ) from error
    for output, name in zip(network.outputs, (VECTOR, FEATURES), strict=False):
        output.get_tensor().set_names({name})
    return network


def with_features(module: Any) -> Any:
    """A module that gives what the network gives, and the tokens or maps that this is made of."""
    import torch

    class WithFeatures(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network = module

        def forward(self, images: Any) -> Any:
            features = self.network.forward_features(images)
            return self.network.forward_head(features), features

    return WithFeatures().eval()

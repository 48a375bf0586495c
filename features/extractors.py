"""The extractors by name: shipped networks, plug-ins, and every network of keras.applications.

An item is one of three: a spec (`leukobench.networks.Network`), a class or function that makes an `Extractor`, or one
that makes an object with ``transform(images) -> (n, d)``, where images is a list of (H, W, 3) uint8 RGB arrays.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial
from typing import Any

from ..errors import ConfigurationError, UnknownNameError
from ..networks import NETWORKS, Network, get_network
from ..networks.timm_models import PREFIX, check_name
from ..registry import Registry
from .custom_extractor import CustomExtractor
from .extractor import Extractor
from .network_extractor import NetworkExtractor


class _Extractors(Registry):
    """The shipped networks, plug-ins, and every network of keras.applications and of timm by its name."""

    def get(self, name: str) -> Any:
        if name.startswith(PREFIX):
            check_name(name.removeprefix(PREFIX))
            from .timm_extractor import TimmExtractor

            return partial(TimmExtractor, name.removeprefix(PREFIX))
        try:
            item = super().get(name)
        except UnknownNameError:
            if ":" in name or "." in name:
                raise
            item = get_network(name)
        return partial(NetworkExtractor, item) if isinstance(item, Network) else item


EXTRACTORS = _Extractors("extractor")
for _name in NETWORKS.shipped_names():
    EXTRACTORS.add(_name, NETWORKS.get(_name))
TABLE = "table"
EXTRACTORS.add(TABLE, "leukobench.features.embedding_table:EmbeddingTable")
EXTRACTORS.add("onnx", "leukobench.features.onnx_extractor:OnnxExtractor")


def make_extractor(name: str, parameters: Mapping[str, Any]) -> Extractor:
    """The extractor `name` with its parameters checked, its weights found, its engine chosen.

    Raises
    ------
    ConfigurationError, WeightsError, EngineError
        Before any image is read.
    """
    instance = EXTRACTORS.make(name, parameters)
    if not isinstance(instance, Extractor):
        return CustomExtractor(name, instance, parameters, EXTRACTORS.source_digest(name))
    try:
        json.dumps(dict(instance.identity), sort_keys=True)
    except (TypeError, ValueError) as error:
        raise ConfigurationError(
            f"The identity of the extractor '{name}' cannot name a folder of the cache.",
            expected="a mapping of texts to JSON-like values",
            received=f"{instance.identity!r}: {error}",
        ) from error
    return instance

"""What computes a feature is spoken for by a key of the extractor's identity, and these identities stay as they are."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from leukobench.features import (
    cache,
    custom_extractor,
    embedding_table,
    graph_extractor,
    network_extractor,
    onnx_extractor,
    simple_measurements,
    timm_extractor,
    viewed_extractor,
)
from leukobench.features.cache import FeatureCache
from leukobench.features.extractors import make_extractor
from leukobench.features.simple_measurements import SimpleMeasurements
from leukobench.features.views import VIEWS
from leukobench.machine import DECIDE_NOTHING, imported_modules

WITHOUT_NUMBERS = {
    "features": "only a docstring",
    "images": "only a docstring",
    "features.extractor": "protocols",
    "images.file_kinds": "words of refusals",
    "features.extractors": "names alone",
    "networks.recipes": "facts for people",
}
"""Imported where features are computed, and why no identity speaks for them."""
COMPUTES = (
    *("features.extractors", "features.simple_measurements", "features.extraction", "features.viewed_extractor"),
    "features.onnx_extractor",
)
DECLARED = [
    module.SPEAKS_FOR
    for module in (
        *(network_extractor, graph_extractor, onnx_extractor, custom_extractor, embedding_table, simple_measurements),
        *(timm_extractor, viewed_extractor, cache),
    )
]


def test_every_module_that_computes_features_is_in_an_identity() -> None:
    imported = frozenset().union(*map(imported_modules, COMPUTES))
    spoken_for = {module for keys in DECLARED for modules in keys.values() for module in modules}
    assert imported - spoken_for == (WITHOUT_NUMBERS.keys() | DECIDE_NOTHING.keys()) & imported
    assert spoken_for | WITHOUT_NUMBERS.keys() <= imported


def test_the_keys_that_speak_for_modules_are_keys_of_identities(plugin: str, tmp_path: Path) -> None:
    network = make_extractor("efficientnet_lite0", {"weights": "random", "orientations": 8})
    assert network_extractor.SPEAKS_FOR.keys() <= network.identity.keys()
    assert simple_measurements.SPEAKS_FOR.keys() <= SimpleMeasurements.identity.keys()
    assert custom_extractor.SPEAKS_FOR.keys() <= make_extractor(f"{plugin}:Colours", {}).identity.keys()
    pd.DataFrame({"path": ["x.png"], "f": [0.5]}).to_parquet(tmp_path / "x.parquet")
    table = make_extractor("table", {"file": str(tmp_path / "x.parquet")})
    assert embedding_table.SPEAKS_FOR.keys() <= table.identity.keys()
    assert viewed_extractor.SPEAKS_FOR.keys() <= viewed_extractor.viewed_identity(network, VIEWS[0]).keys()
    assert cache.SPEAKS_FOR.keys() <= FeatureCache.shared(SimpleMeasurements.identity).identity.keys()


def test_the_shipped_extractors_keep_the_folders_of_their_caches() -> None:
    bundled = make_extractor("efficientnet_lite0", {"engine": "openvino"})
    assert FeatureCache.shared(bundled.identity).folder.name == "efficientnet_lite0-5c5bb0606f20b64c"
    assert FeatureCache.shared(SimpleMeasurements.identity).folder.name == "glance-773b71faafc1ae09"

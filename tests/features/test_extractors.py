"""What may be an extractor: a spec of a network, an object with `transform`, or an `Extractor`."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

import pytest

from leukobench.errors import ConfigurationError, EngineError
from leukobench.features.custom_extractor import CustomExtractor
from leukobench.features.extractor import Extractor
from leukobench.features.extractors import EXTRACTORS, make_extractor
from leukobench.features.network_extractor import NetworkExtractor
from leukobench.features.simple_measurements import SimpleMeasurements
from leukobench.networks import timm_models


class Embeddings(SimpleMeasurements):
    """An extractor of its own; `identity` is what the test gives."""

    def __init__(self, identity: Any = None) -> None:
        self.identity = {"name": "embeddings"} if identity is None else identity


@pytest.fixture(autouse=True)
def outside(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("embeddings_of_others")
    module.Embeddings = Embeddings  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, module.__name__, module)


def test_three_kinds_are_extractors(plugin: str) -> None:
    made = {
        NetworkExtractor: make_extractor("tiny_network:SPEC", {"weights": "random"}),
        CustomExtractor: make_extractor(f"{plugin}:Colours", {"scale": 2.0}),
        Embeddings: make_extractor("embeddings_of_others:Embeddings", {}),
    }
    assert all(type(extractor) is kind for kind, extractor in made.items())
    assert all(isinstance(extractor, Extractor) for extractor in made.values())


def test_an_extractor_of_ones_own_keeps_its_identity() -> None:
    extractor = make_extractor("embeddings_of_others:Embeddings", {"identity": {"name": "table", "version": 3}})
    assert extractor.identity == {"name": "table", "version": 3}


@pytest.mark.parametrize("identity", ["a text", {"name": object()}])
def test_an_identity_that_names_no_cache_is_refused(identity: Any) -> None:
    with pytest.raises(ConfigurationError, match="cannot name a folder of the cache"):
        make_extractor("embeddings_of_others:Embeddings", {"identity": identity})


def test_a_network_of_keras_applications_has_the_parameters_of_a_shipped_one() -> None:
    assert EXTRACTORS.parameters("resnet50v2") == EXTRACTORS.parameters("mobilenetv2")
    assert "network" not in EXTRACTORS.parameters("mobilenetv2")


def test_timm_is_said_to_be_absent_with_the_ways_to_do_without(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timm_models, "is_installed", lambda package: package != "timm")
    for name in ("timm:resnet50.a1_in1k", "timm:hf-hub:owner/name"):
        with pytest.raises(EngineError) as raised:
            make_extractor(name, {})
        assert all(part in str(raised.value) for part in ("leukobench[torch]", "{table: FILE}", "{onnx: FILE}"))

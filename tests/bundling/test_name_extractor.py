from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from leukobench.bundling.name_extractor import name_extractor
from leukobench.config.choice import Choice
from leukobench.errors import BundleError
from leukobench.features.extractors import make_extractor
from leukobench.serving.named_code import named
from leukobench.serving.served_code import ServedCode


def served(parameters: dict[str, object]) -> ServedCode:
    choice = Choice(name="example_plugin:Colours", parameters=parameters)
    return name_extractor(choice, make_extractor(choice.name, choice.parameters), 6)


def test_an_extractor_is_made_again_from_what_a_manifest_says(plugin: str) -> None:
    first = served({"scale": 3.0})
    mapping = first.to_mapping()
    again = ServedCode.of(mapping, named(["example_plugin"]))
    assert again.to_mapping() == mapping
    assert len(again.feature_names) == 6
    image = first.pattern()
    with first.open(1) as one, again.open(1) as other:
        vector = next(iter(one.vectors([image])))
        assert np.array_equal(vector, next(iter(other.vectors([image]))))
    assert vector[:3] == pytest.approx(3 * image.mean(axis=(0, 1)), rel=1e-5)


@pytest.mark.parametrize("name", ["table", "subprocess:Popen", "other_module:Thing", "example_plugins:Colours"])
def test_a_manifest_names_nothing_outside_its_code(name: str, plugin: str) -> None:
    mapping = served({}).to_mapping() | {"extractor": name}
    with pytest.raises(ValueError, match="not in its code"):
        ServedCode.of(mapping, named(["example_plugin"]))


def test_a_file_of_this_machine_is_not_kept(plugin: str, tmp_path: Path) -> None:
    (tmp_path / "weights.bin").touch()
    with pytest.raises(BundleError, match="reads a file of this machine"):
        served({"scale": str(tmp_path / "weights.bin")})

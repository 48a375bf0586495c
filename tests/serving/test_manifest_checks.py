"""Manifests that `leukobench fit` would not write are refused."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from leukobench.bundling.writing import write_bundle
from leukobench.errors import BundleError
from leukobench.serving.bundle import load
from leukobench.serving.container import read_bundle

CHANGES: dict[str, Callable[[dict[str, Any]], object]] = {
    "no classes": lambda manifest: manifest.pop("classes"),
    "classes of numbers": lambda manifest: manifest.update(classes=7),
    "a class twice": lambda manifest: manifest.update(classes=["a", "a", *manifest["classes"][2:]]),
    "no network": lambda manifest: manifest.update(network=None),
    "a text for a temperature": lambda manifest: manifest.update(temperature={"value": "hot"}),
    "a temperature of 0": lambda manifest: manifest["temperature"].update(value=0),
    "a temperature below 0": lambda manifest: manifest["temperature"].update(value=-1.0),
    "a negative size": lambda manifest: manifest["network"].update(input_size=[-48, 48]),
    "a giant's size": lambda manifest: manifest["network"].update(input_size=[60_000, 60_000]),
    "an interpolation of its own": lambda manifest: manifest["network"].update(interpolation="cosmic"),
    "no name": lambda manifest: manifest.pop("name"),
    "no combination": lambda manifest: manifest.pop("combination"),
    "a level of 2": lambda manifest: manifest["coverage"][0].update(level=2),
}
"""What an attacker, or a mistake, might write."""


@pytest.mark.parametrize("change", CHANGES)
def test_a_made_up_manifest_is_refused_without_a_crash(change: str, tiny_bundle: Path, tmp_path: Path) -> None:
    contents = read_bundle(tiny_bundle)
    manifest = copy.deepcopy(contents.manifest)
    CHANGES[change](manifest)
    write_bundle(tmp_path / "made-up", manifest, contents.files)
    with pytest.raises(BundleError, match="cannot be used"):
        load(tmp_path / "made-up")

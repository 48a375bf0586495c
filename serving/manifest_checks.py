"""Checks of a manifest: whether what a bundle says of itself can be true, before it is relied upon."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from ..evaluation.combination_names import NAMES
from ..images.reading import INTERPOLATIONS, is_crop
from .temperature import BOUNDS

_MOST_PIXELS_A_SIDE = 2048
_PRECISIONS = ("float32", "bfloat16")
_TEXTS = ("name", "created", "leukobench", "verdict", "patients")


def check_manifest(manifest: Mapping[str, Any]) -> None:
    """Refuse a manifest that `leukobench fit` would not write.

    Raises
    ------
    ValueError, KeyError, TypeError
        The reason, as far as there is one in words.
    """
    classes, network = manifest["classes"], manifest["network"]
    _demand(isinstance(classes, list) and all(isinstance(name, str) for name in classes), "classes that are not text")
    _demand(len(set(classes)) == len(classes) >= 2, "fewer than two classes, or one twice")
    _demand(all(isinstance(manifest[name], str) for name in _TEXTS), "a value that is not text where text belongs")
    _demand(all(isinstance(name, str) for name in manifest["combination"].values()), "a combination without names")
    _demand(set(NAMES) <= manifest["combination"].keys(), "a combination without names")
    if not names_extractor(manifest):
        _check_network(network)
    low, high = BOUNDS
    value = manifest["temperature"]["value"]
    _demand(
        isinstance(value, int | float) and math.isfinite(value) and low <= value <= high, "an impossible temperature"
    )
    _demand(all(0 < float(row["level"]) < 1 for row in manifest["coverage"]), "an impossible level")
    for shortcut in manifest["shortcuts"].values():
        _demand(isinstance(shortcut["names"], list), "a shortcut without columns")


def names_extractor(manifest: Mapping[str, Any]) -> bool:
    """Whether the bundle names an extractor of somebody's own, in the place of a network."""
    return "extractor" in manifest["network"]


def _check_network(network: Mapping[str, Any]) -> None:
    height, width = (int(length) for length in network["input_size"])
    _demand(min(height, width) > 0 and max(height, width) <= _MOST_PIXELS_A_SIDE, "an impossible input size")
    _demand(network["interpolation"] in INTERPOLATIONS, "an unknown interpolation")
    _demand(is_crop(network.get("crop")), "an impossible crop")
    _demand(
        network["precision"] in _PRECISIONS and network["orientations"] in (1, 8),
        "an unknown precision",
    )


def _demand(right: bool, problem: str) -> None:
    if not right:
        raise ValueError(f"the manifest holds {problem}")

"""The manifest: whether what a bundle says of itself can be true, before it is relied upon."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from ..images.reading import INTERPOLATIONS
from .temperature import BOUNDS

_MOST_PIXELS_A_SIDE = 2048
_PRECISIONS = ("float32", "bfloat16")
_TEXTS = ("name", "created", "leukobench", "verdict", "patients")


def check_manifest(said: Mapping[str, Any]) -> None:
    """Refuse a manifest that `leukobench fit` would not write.

    Raises
    ------
    ValueError, KeyError, TypeError
        The reason, as far as there is one in words.
    """
    classes, network = said["classes"], said["network"]
    _demand(isinstance(classes, list) and all(isinstance(name, str) for name in classes), "classes are no names")
    _demand(len(set(classes)) == len(classes) >= 2, "classes are too few, or one stands there twice")
    _demand(all(isinstance(said[name], str) for name in _TEXTS), "a text is missing")
    _demand(all(isinstance(name, str) for name in said["combination"].values()), "the combination has no names")
    _demand({"extractor", "selector", "classifier"} <= said["combination"].keys(), "the combination has no names")
    height, width = (int(length) for length in network["input_size"])
    _demand(min(height, width) > 0 and max(height, width) <= _MOST_PIXELS_A_SIDE, "an impossible input size")
    _demand(network["interpolation"] in INTERPOLATIONS, "an unknown interpolation")
    _demand(network["precision"] in _PRECISIONS and network["orientations"] in (1, 8), "an unknown way to compute")
    low, high = BOUNDS
    value = said["temperature"]["value"]
    _demand(isinstance(value, int | float) and math.isfinite(value) and low <= value <= high, "a temperature")
    _demand(all(0 < float(row["level"]) < 1 for row in said["coverage"]), "an impossible level")
    for shortcut in said["shortcuts"].values():
        _demand(
            isinstance(shortcut["prefix"], str) and isinstance(shortcut["names"], list), "a shortcut without columns"
        )


def _demand(right: bool, otherwise: str) -> None:
    if not right:
        raise ValueError(f"the manifest holds {otherwise}")

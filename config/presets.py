"""Presets: published protocols and other experiments by name, without images, and how each differs from its source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import yaml

from ..errors import ConfigurationError
from .experiment import Experiment


@dataclass(frozen=True)
class Preset:
    """An experiment by name.

    Attributes
    ----------
    source : str
        The paper, with author and year.
    reported : str
        The paper's own figure, or ``"unknown"``.
    differs : str
        One line: how the paper's protocol and this one differ. What was not read is said to be unknown.
    experiment : mapping
        An experiment file without images.
    """

    source: str
    reported: str
    differs: str
    experiment: dict[str, Any]

    def to_json(self) -> dict[str, Any]:
        """The preset as a mapping."""
        return asdict(self)


def presets() -> dict[str, Preset]:
    """Read the presets from ``presets.yaml``, by name."""
    text = Path(__file__).with_name("presets.yaml").read_text(encoding="utf-8")
    return {name: Preset(**entry) for name, entry in yaml.safe_load(text).items()}


def with_preset(mapping: Mapping[str, Any]) -> dict[str, Any]:
    """The keys of an experiment file over those of the preset that it names, if any; sections meet key by key.

    Raises
    ------
    ConfigurationError
        There is no such preset.
    """
    name = mapping.get("preset")
    if name is None:
        return dict(mapping)
    merged = dict(mapping)
    for key, value in _preset(name).experiment.items():
        own = merged.get(key, {} if isinstance(value, dict) else value)
        merged[key] = {**value, **own} if isinstance(value, dict) and isinstance(own, dict) else own
    return merged


def preset_words(experiment: Experiment) -> str:
    """What a reader of a run of a preset has to know, in one line; '' where none was used."""
    if experiment.preset is None:
        return ""
    preset = _preset(experiment.preset)
    changed = _changed(experiment, preset)
    own = f"; changed from the preset: {', '.join(changed)}" if changed else ""
    return f"preset {experiment.preset} ({preset.source}; reported: {preset.reported}): {preset.differs}{own}"


def _changed(experiment: Experiment, preset: Preset) -> list[str]:
    """Keys of the preset that the experiment has other values for."""
    images = {"folder": experiment.images.folder, **preset.experiment.get("images", {})}
    original = Experiment.model_validate({"name": experiment.name, **preset.experiment, "images": images})
    changed = []
    for key, value in preset.experiment.items():
        theirs, ours = getattr(original, key), getattr(experiment, key)
        if isinstance(value, dict):
            changed += [f"{key}.{part}" for part in value if getattr(theirs, part) != getattr(ours, part)]
        elif theirs != ours:
            changed.append(key)
    return changed


def _preset(name: object) -> Preset:
    protocols = presets()
    if not isinstance(name, str) or name not in protocols:
        raise ConfigurationError(
            f"There is no preset called '{name}'.",
            expected=", ".join(protocols),
            received=str(name),
            fix="choose one of these names, or see `leukobench list presets`.",
        )
    return protocols[name]

"""Presets: published protocols and other experiments by name, without images."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml


def presets() -> dict[str, dict[str, Any]]:
    """Read the presets from ``presets.yaml``: experiment files without images, by name."""
    return dict(yaml.safe_load(Path(__file__).with_name("presets.yaml").read_text(encoding="utf-8")))

"""Presets: published protocols and other choices by name, as experiment files without images."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml


def presets() -> dict[str, dict[str, Any]]:
    """Published protocols and other choices by name, as experiment files without images; see ``presets.yaml``."""
    return dict(yaml.safe_load(Path(__file__).with_name("presets.yaml").read_text(encoding="utf-8")))

"""How the run was made: versions and machine, and the experiment as a file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from ....runs.finished import FinishedRun
from ..section import Section, fragment


def section(run: FinishedRun) -> Section | None:
    """What is needed to run it again."""
    resolved = run.resolved
    html = fragment(
        "provenance",
        software=resolved.get("software") or {},
        images=resolved.get("images", ""),
        experiment=_yaml({key: value for key, value in run.experiment_file.items() if key != "resolved"}),
        extractors=_yaml(resolved.get("extractors") or {}),
    )
    return Section("How this run was made", html, nav="How it was made")


def _yaml(mapping: Mapping[str, Any]) -> str:
    return yaml.safe_dump(dict(mapping), sort_keys=False, allow_unicode=True)

"""How the run was made: every setting, versions and machine, how to run and test it again, and its files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from ....config.choice import Choice
from ....config.experiment import Experiment
from ....runs.finished import FinishedRun
from ..section import Section, View, fragment

FILES = {
    "answer.json": "the answer, for scripts",
    "leaderboard.csv": "every combination, with every metric and its interval",
    "predictions.parquet": "every out-of-fold prediction",
    "comparisons.csv": "each combination against the best",
    "classes.csv": "rates of each class, with counts",
    "patient_scores.csv": "scores of patients",
    "across_sites.csv": "every combination trained without each site",
    "views.csv": "the best combination on images from which something was taken",
    "suspects.csv": "images whose label is contradicted",
    "failures.csv": "parts of the images in which it is wrong more often",
    "audit/copies.csv": "copies among the images",
    "audit/differences.csv": "differences between the classes unrelated to what is pictured",
    "ledger.parquet": "files that were not used, with the reason",
    "experiment.yaml": "the experiment, as it was run",
    "run.log": "the log",
}
"""What a reader may want to open -> what it holds."""


def section(run: FinishedRun) -> Section | None:
    """What is needed to run it again."""
    resolved, settings = run.resolved, settings_of(run.experiment_file)
    software = resolved.get("software") or {}
    own = sum(not setting["default"] for setting in settings)
    html = fragment(
        "provenance",
        software=software,
        images=resolved.get("images", ""),
        settings=settings,
        own=own,
        files=[(name, words) for name, words in FILES.items() if (run.folder / name).is_file()],
        experiment=_yaml(_asked(run.experiment_file)),
        extractors=_yaml(resolved.get("extractors") or {}),
    )
    version = f"leukobench {software['leukobench']}; " if "leukobench" in software else ""
    finding = f"{version}{len(settings)} settings, {own} of them not the default; how to run it again"
    return Section("How this run was made", html, nav="How it was made", finding=finding)


def settings_of(experiment_file: Mapping[str, Any]) -> list[View]:
    """Every setting by its name in an experiment file, such as ``evaluation.folds``, and whether it is the default."""
    default = _flat(Experiment.model_validate({"name": "run", "images": {"folder": "."}}).to_mapping())
    return [
        {"name": name, "value": _text(value), "default": name in default and _text(default[name]) == _text(value)}
        for name, value in _flat(_asked(experiment_file)).items()
    ]


def _asked(experiment_file: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in experiment_file.items() if key != "resolved"}


def _flat(mapping: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in mapping.items():
        flat |= _flat(value, f"{before}{name}.") if isinstance(value, Mapping) else {f"{before}{name}": value}
    return flat


def _text(value: Any) -> str:
    """A value as a reader expects it; a choice with parameters by its label."""
    if isinstance(value, list):
        return ", ".join(map(_text, value)) or "none"
    if isinstance(value, Mapping):
        return Choice.model_validate(value).label
    words = {None: "none", True: "yes", False: "no"}
    return words[value] if value is None or isinstance(value, bool) else str(value)


def _yaml(mapping: Mapping[str, Any]) -> str:
    return yaml.safe_dump(dict(mapping), sort_keys=False, allow_unicode=True)

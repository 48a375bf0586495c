"""Run facts: what a finished run says of one of its combinations, for the bundle that is made of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from .. import __version__
from ..config.experiment import Experiment
from ..evaluation.grid import installed_versions
from ..evaluation.scores import NAMES
from ..evaluation.task import Task
from ..runs.folder import RunFolder
from ..steps.write_pixels import PIXELS
from .bundle_parts import OutOfFold

_SOFTWARE = ("openvino", "scikit-learn", "xgboost-cpu", "xgboost", "skops", "numpy", "scipy", "pillow")


def out_of_fold(folder: RunFolder, row: Mapping[str, Any], task: Task) -> OutOfFold:
    """What the folds of the run's first repeat said of every image with this combination."""
    import pandas as pd

    wanted = [*((name, "==", row[name]) for name in NAMES), ("repeat", "==", 0)]
    table = pd.read_parquet(folder.path / "predictions.parquet", filters=wanted)
    known = {image_id: position for position, image_id in enumerate(task.image_ids)}
    rows = table["image_id"].map(known).to_numpy()
    labels = table["label"].map({name: code for code, name in enumerate(task.classes)}).to_numpy()
    probabilities = table[[f"p_{name}" for name in task.classes]].to_numpy(dtype=np.float64)
    return OutOfFold(probabilities, labels.astype(np.int64), task.groups[rows], table["fold"].to_numpy(dtype=np.int64))


def run_facts(
    folder: RunFolder,
    row: Mapping[str, Any],
    experiment: Experiment,
    answer: Mapping[str, Any],
    task: Task,
) -> dict[str, Any]:
    """What a manifest says of the run: images, protocol, scores with intervals, verdicts; no path of this machine.

    Parameters
    ----------
    folder : RunFolder
    row : mapping
        The combination's row of the leaderboard.
    experiment : Experiment
    answer : mapping
        See `leukobench.reporting.answer.make_answer`.
    task : Task
        Of the images that are fitted.
    """
    best = answer["best"]
    won = best and all(best[name] == row[name] for name in NAMES)
    opened = folder.read_json("holdout.json") or {}
    counts = np.bincount(task.labels, minlength=len(task.classes))
    sentences = list(answer["sentences"])
    if not won:
        sentences.insert(0, "This is not the winner of its run, but was chosen by name.")
    return {
        "name": experiment.name,
        "leukobench": __version__,
        "software": {"leukobench": __version__, **installed_versions(_SOFTWARE)},
        "combination": {name: row[name] for name in NAMES},
        "images": {
            "count": len(task),
            "groups": len(np.unique(task.groups)),
            "classes": dict(zip(task.classes, counts.tolist(), strict=True)),
        },
        "evaluation": experiment.to_mapping()["evaluation"],
        "scores": _scores(row),
        "corrected": [best["metric"], best["corrected"], best["corrected_low"], best["corrected_high"]]
        if won
        else None,
        "picked_among": best["picked_among"] if best else None,
        "sentences": sentences,
        "holdout": opened.get("lines", []) if opened.get("combination") == best and won else [],
        "protocol": [line for line in answer["protocol"] if not line.startswith(_others(row, experiment))],
        "shortcut": answer["shortcut"],
        "verdict": answer["shortcut"]["verdict"] if answer["shortcut"] else "unknown",
        "patients": answer["groups"]["kind"],
    }


def _others(row: Mapping[str, Any], experiment: Experiment) -> tuple[str, ...]:
    """How lines of the protocol on other extractors and networks begin."""
    own = f"{PIXELS} x {row['classifier']}" if row["extractor"] == PIXELS else row["extractor"]
    named = [choice.label for choice in experiment.extractors]
    named += [f"{PIXELS} x {choice.label}" for choice in experiment.cnns]
    return tuple(f"{name}: " for name in named if name != own)


def _scores(row: Mapping[str, Any]) -> dict[str, list[float | None]]:
    names = [name.removesuffix("_low") for name in row if name.endswith("_low") and name != "rank_low"]
    found = {name: [row[name], row[f"{name}_low"], row[f"{name}_high"]] for name in names if name in row}
    return {name: [float(value) if np.isfinite(value) else None for value in values] for name, values in found.items()}

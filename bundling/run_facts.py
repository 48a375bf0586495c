"""Run facts: what a finished run says of one of its combinations, for the bundle that is made of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from .. import __version__
from ..evaluation.combination_names import Names, as_columns, rows_of
from ..evaluation.identity import installed_versions
from ..evaluation.metrics import metric_of
from ..evaluation.site_scores import ACROSS, GAP
from ..reporting.controls import control_lines
from ..reporting.site_words import site_lines
from ..runs.answer import Winner
from ..runs.finished import FinishedRun
from ..runs.folder import RunFolder
from ..steps.write_pixels import PIXELS
from .out_of_fold import OutOfFold

_SOFTWARE = ("openvino", "scikit-learn", "xgboost-cpu", "xgboost", "skops", "numpy", "scipy", "pillow")


@dataclass(frozen=True)
class TrainingImages:
    """How many images the combination was fitted on, in how many groups, and of each class."""

    count: int
    groups: int
    classes: Mapping[str, int]


@dataclass(frozen=True)
class RunFacts:
    """What a manifest says of the run; no path of this machine. The names are keys of the manifest.

    Attributes
    ----------
    name : str
        Of the run.
    leukobench : str
        Version.
    software : mapping of str to str
        Versions.
    combination : mapping of str to str
        Names of extractor, selector and classifier.
    images : TrainingImages
    evaluation : mapping
        JSON-like: how the run evaluated.
    scores : mapping of str to sequence of (float or None)
        Metric -> value and 95 % interval.
    corrected : sequence or None
        Of the winner: metric, value and interval, corrected for selecting the best of `picked_among`.
    picked_among : int or None
        Combinations.
    sentences, holdout, protocol : sequence of str
    shortcut : mapping or None
        JSON-like: the strongest shortcut.
    verdict, patients : str
    controls : sequence of str
        Of the winner: what each control reaches, and the lead over it.
    test : sequence or None
        Metric, value and interval on a given test part.
    sites : sequence of str
        Of the winner: what it reaches at each site, trained without it.
    """

    name: str
    leukobench: str
    software: Mapping[str, str]
    combination: Mapping[str, str]
    images: TrainingImages
    evaluation: Mapping[str, object]
    scores: Mapping[str, Sequence[float | None]]
    corrected: tuple[str, float | None, float | None, float | None] | None
    picked_among: int | None
    sentences: Sequence[str]
    holdout: Sequence[str]
    protocol: Sequence[str]
    shortcut: Mapping[str, object] | None
    verdict: str
    patients: str
    controls: Sequence[str] = ()
    test: tuple[str, float | None, float | None, float | None] | None = None
    sites: Sequence[str] = ()

    def to_mapping(self) -> dict[str, object]:
        """JSON-like."""
        return asdict(self)


def out_of_fold(run: FinishedRun, names: Names) -> OutOfFold:
    """What the folds of the run's first repeat predicted for every image with this combination."""
    table, task = run.predictions_of(names, repeat=0), run.task
    rows = table["row"].to_numpy()
    probabilities = table[[f"p_{name}" for name in task.classes]].to_numpy(dtype=np.float64)
    return OutOfFold(probabilities, task.labels[rows], task.groups[rows], table["fold"].to_numpy(dtype=np.int64))


def run_facts(run: FinishedRun, names: Names) -> RunFacts:
    """What a finished run says of the combination with these names."""
    answer, task, best = run.answer, run.task, run.answer.best
    winner = best if best and best.names == names else None
    counts = np.bincount(task.labels, minlength=len(task.classes))
    by_name = "Not the winner of its run: this combination was chosen by name."
    return RunFacts(
        name=run.name,
        leukobench=__version__,
        software={"leukobench": __version__, **installed_versions(_SOFTWARE)},
        combination=as_columns(names),
        images=TrainingImages(
            len(task), len(np.unique(task.groups)), dict(zip(task.classes, counts.tolist(), strict=True))
        ),
        evaluation=run.experiment.to_mapping()["evaluation"],
        scores=_scores(run, names),
        corrected=(winner.metric, winner.corrected, winner.corrected_low, winner.corrected_high) if winner else None,
        picked_among=best.picked_among if best else None,
        sentences=[*([] if winner else [by_name]), *answer.sentences],
        holdout=_holdout_lines(run, winner) if winner else [],
        protocol=[line for line in answer.protocol if not line.startswith(_other_networks(run, names))],
        shortcut=answer.shortcut.to_json() if answer.shortcut else None,
        verdict=answer.shortcut.verdict if answer.shortcut else "unknown",
        patients=answer.groups.kind,
        controls=control_lines(answer.controls, metric_of(winner.metric)) if winner else (),
        test=_test(run, names),
        sites=site_lines(answer.sites) if winner and answer.sites else (),
    )


def _holdout_lines(run: FinishedRun, winner: Winner) -> list[str]:
    """What an opened holdout showed, if it was the winner's."""
    opened = RunFolder(run.folder).read_json("holdout.json") or {}
    return list(opened.get("lines", [])) if opened.get("combination") == winner.to_json() else []


def _test(run: FinishedRun, names: Names) -> tuple[str, float | None, float | None, float | None] | None:
    """What the combination, the winner or not, reaches on a given test part."""
    metric = run.metric
    if run.answer.test is None or f"test_{metric}" not in run.leaderboard:
        return None
    row = rows_of(run.leaderboard, names).iloc[0]
    value, low, high = (float(row[f"test_{metric}{end}"]) for end in ("", "_low", "_high"))
    return metric, *(number if np.isfinite(number) else None for number in (value, low, high))  # type: ignore[return-value]


def _other_networks(run: FinishedRun, names: Names) -> tuple[str, ...]:
    """How lines of the protocol on other extractors and networks begin."""
    own = f"{PIXELS} x {names[2]}" if names[0] == PIXELS else names[0]
    labels = [choice.label for choice in run.experiment.extractors]
    labels += [f"{PIXELS} x {choice.label}" for choice in run.experiment.cnns]
    return tuple(f"{label}: " for label in labels if label != own)


def _scores(run: FinishedRun, names: Names) -> dict[str, list[float | None]]:
    """Value, low and high of every metric with an interval."""
    table = run.leaderboard
    row = rows_of(table, names).iloc[0]
    ends = [
        name for name in row.index if name.endswith("_low") and not name.startswith(("rank_", "test_", ACROSS, GAP))
    ]
    metrics = [name.removesuffix("_low") for name in ends]
    numbers = {name: row[[name, f"{name}_low", f"{name}_high"]].tolist() for name in metrics if name in row.index}
    return {name: [float(x) if np.isfinite(x) else None for x in three] for name, three in numbers.items()}

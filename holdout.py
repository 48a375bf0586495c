"""The sealed holdout: opened once, for the winner of a finished run, and recorded as opened."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from .config import Evaluation, Experiment, read_experiment
from .errors import ConfigurationError, ImagesError
from .evaluation.folds import Fold
from .evaluation.grid import Grid
from .evaluation.methods import Method
from .evaluation.records import RecordStore
from .evaluation.runner import run_grid
from .evaluation.scores import NAMES
from .evaluation.statistics.analysis import Analysis
from .features.extractors import make_extractor
from .preparation import (
    Audited,
    audit_images,
    cores,
    extract,
    find_images,
    fit_rules,
    make_methods,
    make_task,
    sealed_rows,
    shortcut_baselines,
)
from .reporting.log import log_to
from .reporting.progress import Progress, silent
from .reporting.run_folder import RunFolder
from .storage import lock


def unseal(run: Path, workers: int | None = None, progress: Progress = silent) -> list[str]:
    """Fit the winner of a run on all images that were cross-validated, and score it on the sealed ones.

    A second call shows what the first one recorded: a holdout that is looked at twice is no holdout.

    Parameters
    ----------
    run : Path
        Folder of a finished run with ``evaluation.holdout``.
    workers : int, optional
    progress : Progress

    Returns
    -------
    list of str
        The scores in words.

    Raises
    ------
    ConfigurationError
        The run sealed nothing, or is not finished.
    ImagesError
        The images are others than those that were sealed.
    """
    folder = RunFolder(run)
    with lock(folder.lock, f"working in {run}"), log_to(folder.log):
        recorded = folder.read_json("holdout.json")
        if recorded and recorded["lines"]:
            return [f"Opened before, on {recorded['opened']}:", *recorded["lines"]]
        experiment = _experiment(folder)
        best = _winner(folder)
        opened = recorded["opened"] if recorded else datetime.now(UTC).isoformat(timespec="seconds")
        folder.write_json("holdout.json", {"opened": opened, "combination": best, "lines": []})
        lines = _score(experiment, folder, best, workers or cores(), progress)
        done = not any("FAILED" in line for line in lines)
        folder.write_json("holdout.json", {"opened": opened, "combination": best, "lines": lines if done else []})
    return [f"Opened on {opened}, for the only time:", *lines]


def _experiment(folder: RunFolder) -> Experiment:
    experiment = read_experiment(folder.path / "experiment.yaml")
    if not experiment.evaluation.holdout:
        raise ConfigurationError(
            f"The run in {folder.path} sealed nothing.",
            expected="evaluation.holdout above 0",
            received="0",
            mend="set `evaluation: {holdout: 0.2}` and run again.",
        )
    return experiment


def _winner(folder: RunFolder) -> dict[str, Any]:
    answer = folder.read_json("answer.json")
    if not folder.was_finished() or not answer or not answer["best"]:
        raise ConfigurationError(
            f"The run in {folder.path} has no winner yet.",
            expected="a finished run",
            received="no answer.json of a finished run",
            mend="run the experiment to its end first.",
        )
    return dict(answer["best"])


def _score(
    experiment: Experiment, folder: RunFolder, best: dict[str, Any], workers: int, progress: Progress
) -> list[str]:
    said = experiment.evaluation
    folder.begin_features()
    audited = audit_images(experiment, find_images(experiment, folder, progress), folder, workers, progress)
    sealed = _sealed(audited, experiment, folder)
    grid = _grid(experiment, audited, sealed, best, folder, workers, progress)
    store = RecordStore(folder.records)
    run_grid(grid, store, workers)
    folder.end_features()
    return _in_words(grid, store, said)


def _sealed(audited: Audited, experiment: Experiment, folder: RunFolder) -> np.ndarray:
    """Rows that were sealed, which must be the same images."""
    import pandas as pd

    said = experiment.evaluation
    sealed = sealed_rows(audited.index, said.holdout, said.seed)
    before = pd.read_parquet(folder.path / "sealed.parquet")["image_id"]
    if sorted(before) != sorted(audited.index.images["image_id"][sealed]):
        raise ImagesError(
            "The sealed images are not those that the run put aside.",
            expected=f"the {len(before)} images of sealed.parquet",
            received=str(experiment.images.folder),
            mend="bring the folder back to the state that the run saw.",
        )
    return sealed


def _grid(
    experiment: Experiment,
    audited: Audited,
    sealed: np.ndarray,
    best: dict[str, Any],
    folder: RunFolder,
    workers: int,
    progress: Progress,
) -> Grid:
    """One combination beside the shortcuts, and one fold: everything else to train on, what was sealed to test on."""
    said = experiment.evaluation
    choice = next(choice for choice in experiment.extractors if choice.label == best["extractor"])
    extractor = make_extractor(choice.name, choice.parameters)
    sources = extract({choice.label: extractor}, audited.index, folder, workers, progress)
    selectors, classifiers = make_methods(experiment)
    methods = [_named(selectors, best["selector"])], [_named(classifiers, best["classifier"])]
    fold = Fold(0, 0, np.flatnonzero(~sealed), np.flatnonzero(sealed))
    rules = fit_rules(experiment)
    baselines = shortcut_baselines(audited, folder, said)
    return Grid(make_task(audited.index), [fold], sources, *methods, rules, baselines)


def _in_words(grid: Grid, store: RecordStore, said: Evaluation) -> list[str]:
    """One line a combination and shortcut, with intervals from resampling the groups of the sealed images."""
    rows = grid.folds[0].test
    labels, groups, once = grid.task.labels[rows], grid.task.groups[rows], np.zeros((1, len(rows)), dtype=np.int64)
    analysis = Analysis(labels, grid.task.classes, groups, once, said.rank_by, said.seed, said.resamples)
    lines = [f"{len(rows):,} sealed images in {len(np.unique(groups)):,} groups, seen by no fold and no choice"]
    for combination in grid.combinations():
        record = store.read(grid.key(combination, grid.folds[0]))
        if record is None or record.probabilities is None:
            lines.append(f"{' x '.join(combination.labels)}: FAILED; the same command tries again")
        else:
            analysis.add(combination.labels, combination.kind, record.probabilities[None])
    table = analysis.tables()["leaderboard"].sort_values(["kind", said.rank_by], ascending=[True, False])
    shown = dict.fromkeys([said.rank_by, "accuracy", "auroc"])
    for row in table.to_dict("records"):
        scores = (f"{m.replace('_', ' ')} {row[m]:.4f} [{row[m + '_low']:.4f}, {row[m + '_high']:.4f}]" for m in shown)
        lines.append(f"{' x '.join(str(row[name]) for name in NAMES)}: {', '.join(scores)}")
    return lines


def _named(methods: list[Method], label: str) -> Method:
    return next(method for method in methods if method.label == label)

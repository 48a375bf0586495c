"""The sealed holdout: opened once, for the winner of a finished run, and recorded as opened."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..config.experiment import Evaluation, Experiment
from ..errors import ConfigurationError, ImagesError
from ..evaluation.combination_names import NAMES, SHORTCUT, names_of
from ..evaluation.folds import Fold
from ..evaluation.grid import Grid
from ..evaluation.methods import Method
from ..evaluation.metrics import ACCURACY, AUROC, metric_of
from ..evaluation.records import RecordStore
from ..evaluation.statistics.analysis import Analysis
from ..features.extractors import make_extractor
from ..machine import Progress
from ..reporting.protocol import groups, opened_line, patients_of
from ..reporting.report.page import write_report
from ..reporting.verdicts import VERDICTS
from ..runs.answer import Winner
from ..runs.finished import FinishedRun
from ..runs.folder import RunFolder
from ..runs.log import log_to
from ..runs.progress import silent
from ..runs.workspace import Workspace
from ..steps.audit_index import Audited, audit_index
from ..steps.choose_methods import fit_rules, make_methods, make_networks
from ..steps.extract_features import extract_features
from ..steps.find_images import find_images
from ..steps.fit_combinations import fit_combinations
from ..steps.make_task import make_task
from ..steps.score_shortcuts import shortcut_baselines
from ..steps.seal_holdout import sealed_rows
from ..steps.write_pixels import PIXELS, pixel_combinations
from ..storage import digest, lock

if TYPE_CHECKING:
    import pandas as pd


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
    results = FinishedRun.open(run)
    _winner(results)  # before anything is written, be it the lock
    folder = RunFolder(results.folder)
    with lock(folder.lock, f"working in {run}"), log_to(folder.log), _scratch(folder) as scratch:
        results = FinishedRun.open(folder.path)
        experiment, best = _with_own_decisions(results), _winner(results)
        workspace = Workspace.of(scratch, workers, progress)
        audited = audit_index(experiment, find_images(experiment, workspace), workspace)
        sealed = _rows_that_were_sealed(audited, results)
        seal = digest(sorted(audited.index.images["image_id"][sealed]))
        recorded = _earlier_result(folder, seal)
        if recorded and recorded["lines"]:
            return [f"Opened before, on {recorded['opened']}:", *recorded["lines"]]
        opened = recorded["opened"] if recorded else datetime.now(UTC).isoformat(timespec="seconds")
        images = audited.index.digest()
        facts = {"opened": opened, "sealed": seal, "images": images, "combination": best.to_json()}
        folder.write_json("holdout.json", facts | {"lines": []})
        others = _other_openings(folder, images)
        grid = _grid(experiment, audited, sealed, best, workspace)
        store = fit_combinations(grid, replace(workspace, folder=folder))
        lines = [
            *_in_words(grid, store, experiment.evaluation, patients_of(audited.index)),
            groups(audited.index).words,
        ]
        done = not any("FAILED" in line for line in lines)
        folder.write_json("holdout.json", facts | {"lines": lines + others if done else []})
        _add_to_report(results, folder, opened)
    return [f"Opened on {opened}; this is possible only once:", *lines, *others]


def _with_own_decisions(results: FinishedRun) -> Experiment:
    """The experiment, with the decisions on copies that the run had, whatever became of their table."""
    experiment = results.experiment
    if not isinstance(experiment.images.copies, Path):
        return experiment
    images = experiment.images.model_copy(update={"copies": results.folder.absolute() / "audit" / "copies.parquet"})
    return experiment.model_copy(update={"images": images})


@contextlib.contextmanager
def _scratch(folder: RunFolder) -> Iterator[RunFolder]:
    """A folder for matrices and tables of the audit, below that of the run, whose own files stay as they are."""
    folder.begin_features()
    try:
        scratch = RunFolder(folder.matrix("holdout").with_suffix(""))
        scratch.begin_features()
        yield scratch
    finally:
        folder.end_features()


def _earlier_result(folder: RunFolder, seal: str) -> dict[str, Any] | None:
    """Result of an earlier call on the same sealed images."""
    recorded = folder.read_json("holdout.json")
    if recorded and recorded["sealed"] != seal:
        raise ConfigurationError(
            "A holdout of this run was opened before, with other sealed images.",
            expected="one holdout, opened once",
            received=f"opened on {recorded['opened']}",
            fix="use new images; a choice made after looking at these is not independent of them.",
        )
    return dict(recorded) if recorded else None


def _other_openings(folder: RunFolder, images: str) -> list[str]:
    """Other runs beside this one that opened a holdout of the same images."""
    lines = []
    for path in sorted(folder.path.absolute().parent.glob("*/holdout.json")):
        other = RunFolder(path.parent).read_json("holdout.json")
        if path.parent != folder.path.absolute() and other and other.get("images") == images:
            lines.append(
                f"NOT THE FIRST LOOK: '{path.parent.name}' opened a holdout of these images on {other['opened']}"
            )
    return lines


def _add_to_report(run: FinishedRun, folder: RunFolder, opened: str) -> None:
    """The protocol says that the holdout was opened."""
    line = opened_line(opened)
    if line not in run.answer.protocol:
        folder.write_json("answer.json", replace(run.answer, protocol=(*run.answer.protocol, line)).to_json())
    write_report(folder.path)
    folder.refresh()


def _winner(run: FinishedRun) -> Winner:
    """The best combination of a run that sealed images."""
    if not run.experiment.evaluation.holdout:
        raise ConfigurationError(
            f"The run in {run.folder} has no sealed holdout.",
            expected="evaluation.holdout above 0",
            received="0",
            fix="set `evaluation: {holdout: 0.2}` and run again.",
        )
    if run.answer.best is None:
        raise ConfigurationError(
            f"The run in {run.folder} has no best combination.",
            expected="a combination with a score",
            received="every combination failed",
            fix="remove the cause of the failures (notes.csv) and run again.",
        )
    return run.answer.best


def _rows_that_were_sealed(audited: Audited, run: FinishedRun) -> np.ndarray:
    """Rows that were sealed, which must be the same images."""
    evaluation = run.experiment.evaluation
    sealed = sealed_rows(audited.index, evaluation.holdout, evaluation.seed)
    before = run.table("sealed.parquet")["image_id"]
    if sorted(before) != sorted(audited.index.images["image_id"][sealed]):
        raise ImagesError(
            "The sealed images are not those that the run set aside.",
            expected=f"the {len(before)} images of sealed.parquet",
            received=str(run.experiment.images.folder),
            fix="restore the folder to its state at the time of the run.",
        )
    return sealed


def _grid(experiment: Experiment, audited: Audited, sealed: np.ndarray, best: Winner, workspace: Workspace) -> Grid:
    """One combination and the shortcuts on one fold: the sealed images for testing, all others for training."""
    task, rules = make_task(audited.index), fit_rules(experiment)
    fold = Fold(0, 0, np.flatnonzero(~sealed), np.flatnonzero(sealed))
    baselines = shortcut_baselines(audited, workspace.folder, experiment.evaluation)
    if best.extractor == PIXELS:
        network = _find_method(make_networks(experiment), best.classifier)
        networks = pixel_combinations([network], audited.index, workspace)
        return Grid(task, [fold], [], [], [], rules, baselines, networks)
    choice = next(choice for choice in experiment.extractors if choice.label == best.extractor)
    extractor = make_extractor(choice.name, choice.parameters)
    sources = extract_features({choice.label: extractor}, audited.index, workspace)
    selectors, classifiers = make_methods(experiment)
    methods = [_find_method(selectors, best.selector)], [_find_method(classifiers, best.classifier)]
    return Grid(task, [fold], sources, *methods, rules, baselines)


def _in_words(grid: Grid, store: RecordStore, evaluation: Evaluation, patients: list[str] | None) -> list[str]:
    """One line per combination and shortcut, with intervals from resampling the groups of the sealed images."""
    rows = grid.folds[0].test
    labels, groups, once = grid.task.labels[rows], grid.task.groups[rows], np.zeros((1, len(rows)), dtype=np.int64)
    protocol = evaluation.rank_by, evaluation.seed, evaluation.resamples
    named = [patients[row] for row in rows] if patients else None
    analysis = Analysis(labels, grid.task.classes, groups, once, *protocol, patients=named)
    lines = [f"{len(rows):,} sealed images in {len(np.unique(groups)):,} groups, used in no fold and for no choice"]
    for combination in grid.combinations():
        record = store.read(grid.key(combination, grid.folds[0]))
        if record is None or record.probabilities is None:
            lines.append(f"{' x '.join(combination.labels)}: FAILED; run the same command to try again")
        else:
            analysis.add(combination.labels, combination.kind, record.probabilities[None])
    table = analysis.tables()["leaderboard"].sort_values(["kind", evaluation.rank_by], ascending=[True, False])
    reported = dict.fromkeys([metric_of(evaluation.rank_by), ACCURACY, AUROC])
    for row in table.to_dict("records"):
        scores = ", ".join(f"{metric.title} {metric.of_row(row)}" for metric in reported)
        lines.append(f"{' x '.join(names_of(row))}: {scores}")
    return lines + _shortcuts(analysis, table)


def _shortcuts(analysis: Analysis, table: pd.DataFrame) -> list[str]:
    """Shortcuts that the combination does not beat on the sealed images."""
    if analysis.winner() is None:
        return []
    rows = table[(table["kind"] == "shortcut") & table[analysis.rank_by].notna()]
    names = [tuple(row) for row in rows[list(NAMES)].itertuples(index=False)]
    beaten = {name: analysis.against(name)[1] > 0 for name in names}
    first = VERDICTS["not better"].title.upper()
    return [
        f"{first}: {name[0].removeprefix(SHORTCUT)} alone, beyond the interval of the difference"
        for name in names
        if not beaten[name]
    ]


def _find_method(methods: list[Method], label: str) -> Method:
    return next(method for method in methods if method.label == label)

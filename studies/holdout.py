"""The sealed holdout: opened once, for the winner of a finished run, and recorded as opened."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ..config.experiment import Experiment
from ..errors import ConfigurationError, ImagesError
from ..machine import Progress
from ..reporting.protocol import groups, opened_line, patients_of
from ..reporting.report.page import write_report
from ..runs.answer import Winner
from ..runs.finished import FinishedRun
from ..runs.folder import RunFolder
from ..runs.log import log_to
from ..runs.looks import FILE, now, other_looks
from ..runs.progress import silent
from ..runs.workspace import Workspace
from ..steps.audit_index import Audited, audit_index
from ..steps.find_images import find_images
from ..steps.fit_combinations import fit_combinations
from ..steps.given_split import is_given
from ..steps.score_sealed import sealed_analysis, sealed_grid, sealed_in_words
from ..steps.seal_holdout import sealed_rows
from ..storage import digest, lock


def unseal(run: Path, workers: int | None = None, progress: Progress = silent) -> list[str]:
    """Fit the winner of a run on all images that were cross-validated, and score it on the sealed ones.

    A second call shows what the first one recorded: a holdout that is looked at twice is no holdout.

    Parameters
    ----------
    run : Path
        Folder of a finished run with ``evaluation.holdout``; of one with a given split what the run itself recorded
        is shown.
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
    if is_given(results.experiment.evaluation):
        return _opened_by_the_run(results)
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
        opened = recorded["opened"] if recorded else now()
        images = audited.index.digest()
        facts = {"opened": opened, "sealed": seal, "images": images, "combination": best.to_json()}
        folder.write_json(FILE, facts | {"lines": []})
        others = other_looks(folder, seal, images)
        grid = sealed_grid(experiment, audited, sealed, workspace, best.names)
        store = fit_combinations(grid, replace(workspace, folder=folder))
        analysis, failed = sealed_analysis(grid, store, experiment.evaluation, patients_of(audited.index))
        lines = [*sealed_in_words(grid, analysis, failed), groups(audited.index).words]
        folder.write_json(FILE, facts | {"lines": [] if failed else lines + others})
        _add_to_report(results, folder, opened)
    return [f"Opened on {opened}; this is possible only once:", *lines, *others]


def _opened_by_the_run(results: FinishedRun) -> list[str]:
    """A given test part is scored by the run itself, once its winner is chosen."""
    recorded = RunFolder(results.folder).read_json(FILE) or {}
    if not recorded.get("lines"):
        raise ConfigurationError(
            f"The given test part of the run in {results.folder} was not scored.",
            expected="a run with a best combination, a given test part, and labels as they are",
            received="no score of the test part",
            fix="run the experiment again: finished work is kept.",
        )
    return [f"Opened by the run itself, on {recorded['opened']}:", *recorded["lines"]]


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
    recorded = folder.read_json(FILE)
    if recorded and recorded["sealed"] != seal:
        raise ConfigurationError(
            "A holdout of this run was opened before, with other sealed images.",
            expected="one holdout, opened once",
            received=f"opened on {recorded['opened']}",
            fix="use new images; a choice made after looking at these is not independent of them.",
        )
    return dict(recorded) if recorded else None


def _add_to_report(run: FinishedRun, folder: RunFolder, opened: str) -> None:
    """The protocol says that the holdout was opened."""
    line = opened_line(opened)
    if line not in run.answer.protocol:
        folder.write_json("answer.json", replace(run.answer, protocol=(*run.answer.protocol, line)).to_json())
        folder.refresh()
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

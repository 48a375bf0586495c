"""The way through the house, top to bottom: from an experiment to a leaderboard."""

from __future__ import annotations

import logging
import os
import platform
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from . import __version__
from .classifiers import CLASSIFIERS
from .config import Experiment
from .errors import EngineError, EveryCombinationFailedError, ExtractionError
from .evaluation.folds import folds_table, make_folds
from .evaluation.grid import FeatureSource, Grid, installed_versions, software_versions
from .evaluation.methods import Method, make_method
from .evaluation.records import RecordStore
from .evaluation.runner import finished_keys, run_grid
from .evaluation.scores import summarise, write_scores
from .evaluation.task import Task
from .features.cache import FeatureCache
from .features.extraction import extract_to, pending
from .features.extractors import Extractor, make_extractor
from .images.index import ImageIndex, index_images
from .reporting.figures import draw_figures
from .reporting.leaderboard import write_leaderboard
from .reporting.log import log_to
from .reporting.progress import Progress, counted, silent
from .reporting.protocol import protocol
from .reporting.run_folder import RunFolder
from .selection import SELECTORS
from .storage import cache_folder, digest, lock, write_text

if TYPE_CHECKING:
    import pandas as pd

_log = logging.getLogger(__name__)
_ENGINES = ("openvino", "keras", "tensorflow-cpu", "tensorflow", "jax", "torch")


@dataclass(frozen=True)
class Outcome:
    """What a run leaves behind.

    Attributes
    ----------
    folder : Path
        Every file of the run; see `RunFolder`.
    leaderboard : DataFrame
        One row a combination, best first; see `summarise`.
    protocol : list of str
        What the numbers stand under: images, groups, folds, weights.
    reused : bool
        The run had been finished before, and nothing was computed.
    """

    folder: Path
    leaderboard: pd.DataFrame
    protocol: list[str]
    reused: bool = False

    def guide(self) -> str:
        """Which files to look at, and what to do next."""
        said = ["Nothing to compute: this run was finished before."] if self.reused else []
        return "\n".join([*said, *RunFolder(self.folder).guide()])


def run(experiment: Experiment, workers: int | None = None, progress: Progress = silent) -> Outcome:
    """Run an experiment, or go on with it where an earlier call stopped.

    Parameters
    ----------
    experiment : Experiment
    workers : int, optional
        Cores for everything; all by default. The scores do not depend on it.
    progress : Progress
        See `leukobench.reporting.progress`.

    Raises
    ------
    ConfigurationError, ImagesError, WeightsError, EngineError
        A mistake in the experiment or its images, found before any work.
    BusyError
        Another process works on a run of this name.
    EveryCombinationFailedError
        Nothing was scored.
    """
    folder = RunFolder(experiment.folder)
    with lock(folder.lock, f"running '{experiment.name}'"), log_to(folder.log):
        outcome = _run(experiment, folder, workers or _cores(), progress)
    if outcome.leaderboard["rank"].isna().all():
        raise EveryCombinationFailedError(
            f"All {len(outcome.leaderboard)} combinations failed.",
            received=f"the tracebacks are in {folder.notes}",
            mend="remove their cause and run the same command again: only failed cells are computed.",
        )
    return outcome


def _run(experiment: Experiment, folder: RunFolder, workers: int, progress: Progress) -> Outcome:
    started = time.perf_counter()
    extractors = {choice.label: make_extractor(choice.name, choice.parameters) for choice in experiment.extractors}
    if not folder.was_finished():
        _methods(experiment)  # mistakes stop now; what was finished once had none, and reruns without scikit-learn
    index = _index(experiment, folder, progress)
    state = _state(experiment, extractors, index)
    finished = folder.finished(state)
    if finished is not None:
        return Outcome(folder.path, *finished, reused=True)
    selectors, classifiers = _methods(experiment)
    folder.begin()
    folder.write_experiment(experiment.to_mapping(), _resolved(extractors, index))
    index, sources = _extract(experiment, extractors, index, folder, workers, progress)
    grid = _grid(experiment, index, sources, selectors, classifiers)
    lines = protocol(index, experiment.evaluation, {label: e.description for label, e in extractors.items()})
    leaderboard = _evaluate(experiment, grid, folder, lines, workers, progress)
    folder.finish(state, lines)
    _log.info("Finished.", extra={"facts": {"seconds": round(time.perf_counter() - started, 3)}})
    return Outcome(folder.path, leaderboard, lines)


def _index(experiment: Experiment, folder: RunFolder, progress: Progress) -> ImageIndex:
    said = experiment.images
    with counted(progress, "identifying images") as report:
        index = index_images(said.folder, said.layout, said.group, report)
    _warn_of_ledger(index)
    index.check(experiment.evaluation.folds)
    folder.refuse_other_images(str(said.folder), index.digest())
    _log.info("Found %s images.", f"{len(index):,}", extra={"facts": {"not_used": len(index.ledger)}})
    conflicts = index.conflicts()
    if len(conflicts):
        count = conflicts["image_id"].nunique()
        _log.warning("%d pictures stand under two labels each: nobody can know which is true (images.parquet).", count)
    return index


def _state(experiment: Experiment, extractors: dict[str, Extractor], index: ImageIndex) -> str:
    """Digest of everything that decides the results: a finished run is recognised without fitting anything."""
    said = experiment.to_mapping()
    decides = [said[key] for key in ("extractors", "selectors", "classifiers", "evaluation")]
    plugins = [
        registry.source_digest(choice.name)
        for registry, choices in ((SELECTORS, experiment.selectors), (CLASSIFIERS, experiment.classifiers))
        for choice in choices
        if not registry.ships(choice.name)
    ]
    identities = [dict(extractor.identity) for extractor in extractors.values()]
    return digest([decides, identities, plugins, index.digest(), software_versions(), __version__])


def _methods(experiment: Experiment) -> tuple[list[Method], list[Method]]:
    """Selectors and classifiers, unfitted, with every name and parameter checked."""
    said = experiment.evaluation
    weighted = said.balance == "class_weight"
    selectors = [make_method(SELECTORS, c.name, c.parameters, c.label, said.seed) for c in experiment.selectors]
    classifiers = [
        make_method(CLASSIFIERS, c.name, c.parameters, c.label, said.seed, weighted) for c in experiment.classifiers
    ]
    return selectors, classifiers


def _resolved(extractors: dict[str, Extractor], index: ImageIndex) -> dict[str, object]:
    machine = {"leukobench": __version__, "python": platform.python_version(), "machine": platform.machine()}
    machine |= installed_versions(_ENGINES)
    identities = {label: dict(extractor.identity) for label, extractor in extractors.items()}
    return {"extractors": identities, "images": index.digest(), "software": machine | software_versions()}


def _extract(
    experiment: Experiment,
    extractors: dict[str, Extractor],
    index: ImageIndex,
    folder: RunFolder,
    workers: int,
    progress: Progress,
) -> tuple[ImageIndex, list[FeatureSource]]:
    """Features of every image that decodes; those that do not move to the ledger. A failing extractor fails alone."""
    caches = [FeatureCache(cache_folder() / "features", extractor.identity) for extractor in extractors.values()]
    refused: dict[str, str] = {}
    errors = [""] * len(caches)
    for position, ((label, extractor), cache) in enumerate(zip(extractors.items(), caches, strict=True)):
        missing = len(pending(index.files(), cache))
        try:
            with progress(f"extracting {label}", missing) as advance:
                refused |= extract_to(folder.matrix(position), extractor, index.files(), cache, workers, advance)
            _log.info("Features of %s: %s images computed, the rest cached.", label, f"{missing:,}")
        except (ExtractionError, EngineError) as error:
            errors[position] = str(error)
            _log.warning("All combinations with %s fail. %s", label, error)
    index = _without(index, refused, experiment, folder)
    for position, (extractor, cache) in enumerate(zip(extractors.values(), caches, strict=True)):
        if refused and not errors[position]:
            extract_to(folder.matrix(position), extractor, index.files(), cache, workers)
    sources = [
        FeatureSource(label, folder.matrix(position), digest(dict(extractor.identity)), errors[position])
        for position, (label, extractor) in enumerate(extractors.items())
    ]
    return index, sources


def _without(index: ImageIndex, refused: dict[str, str], experiment: Experiment, folder: RunFolder) -> ImageIndex:
    """The index less the images that do not decode, written down."""
    if refused:
        index = index.without(refused)
        _warn_of_ledger(index)
        index.check(experiment.evaluation.folds)
    folder.write_table("images", index.images.assign(group=index.group))
    folder.write_table("ledger", index.ledger)
    return index


def _warn_of_ledger(index: ImageIndex) -> None:
    if len(index.ledger):
        reasons = index.ledger["reason"].value_counts()
        listed = "; ".join(f"{reason}: {count:,}" for reason, count in reasons.head(5).items())
        _log.warning(
            "Files not used: %s (%s). Each one stands in the run's ledger.parquet.", f"{len(index.ledger):,}", listed
        )


def _grid(
    experiment: Experiment,
    index: ImageIndex,
    sources: list[FeatureSource],
    selectors: list[Method],
    classifiers: list[Method],
) -> Grid:
    said = experiment.evaluation
    task = Task.of(index.images["image_id"].tolist(), index.images["label"].tolist(), index.group.tolist())
    folds = make_folds(task, said.folds, said.repeats, said.seed)
    return Grid(task, folds, sources, selectors, classifiers, said.balance, said.seed)


def _evaluate(
    experiment: Experiment, grid: Grid, folder: RunFolder, lines: list[str], workers: int, progress: Progress
) -> pd.DataFrame:
    store = RecordStore(folder.records)
    folder.write_table("folds", folds_table(grid.task, grid.folds))
    cells = sum(len(unit.classifiers) for unit in grid.pending(finished_keys(grid, store)))
    with progress("fitting combinations", cells) as advance:
        run_grid(grid, store, workers, advance)
    scores, notes = write_scores(grid, store, folder.path)
    leaderboard = summarise(scores, notes, experiment.evaluation.rank_by)
    write_leaderboard(leaderboard, folder.leaderboard)
    _write_notes(notes, folder)
    draw_figures(leaderboard, scores, experiment.evaluation.rank_by, lines, folder.figures)
    return leaderboard


def _write_notes(notes: pd.DataFrame, folder: RunFolder) -> None:
    write_text(folder.notes, notes.to_csv(index=False))
    counts = notes["kind"].value_counts()
    if len(notes):
        said = " and ".join(f"{count:,} {kind}s" for kind, count in counts.items())
        _log.warning("The fits gave %s: see %s.", said, folder.notes)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1

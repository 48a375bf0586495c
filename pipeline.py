"""The way through the house, top to bottom: from an experiment to a leaderboard and its report."""

from __future__ import annotations

import logging
import platform
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import __version__
from .chosen_methods import (
    check_classes,
    check_networks,
    fit_rules,
    make_methods,
    make_networks,
    scaled_for,
    weights_in_words,
)
from .classifiers import CLASSIFIERS
from .config.experiment import Experiment
from .errors import EveryCombinationFailedError
from .evaluation.folds import folds_table, make_folds
from .evaluation.grid import Grid, installed_versions, network_versions, software_versions
from .evaluation.guards import permuted
from .evaluation.methods import Method
from .evaluation.network_runner import pending_networks, run_networks
from .evaluation.records import RecordStore
from .evaluation.runner import pending_units, run_grid
from .evaluation.scores import write_scores
from .features.extractors import Extractor, make_extractor
from .head_to_head import compared, extractor_costs
from .images.index import ImageIndex
from .pixels import on_pixels
from .preparation import (
    FITTING,
    TRAINING,
    WEIGHING,
    Audited,
    audit_images,
    cores,
    extract,
    find_images,
    make_task,
    sealed_rows,
    shortcut_baselines,
)
from .reporting.answer import make_answer
from .reporting.figures import draw_figures
from .reporting.protocol import groups, opened_line, protocol
from .reporting.report.page import write_report
from .runs.costs import Costs, costs_line, folder_bytes, memory_watched
from .runs.folder import RunFolder
from .runs.log import log_to
from .runs.progress import Progress, silent
from .selection import SELECTORS
from .storage import cache_folder, digest, file_digest, lock

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
        One row a combination, best first; see `leukobench.evaluation.scores.Scored`.
    answer : dict
        Best combination with its interval and corrected number, verdicts on shortcuts, groups and copies; see
        `make_answer`.
    reused : bool
        The run had been finished before, and nothing was computed.
    costs : str
        What the run took, beside what was planned.
    """

    folder: Path
    leaderboard: pd.DataFrame
    answer: dict[str, Any]
    reused: bool = False
    costs: str = ""

    @property
    def exit_code(self) -> int:
        """0; 1 where permuted labels did not come out at chance."""
        return 0 if self.answer["chance"] is None or self.answer["chance"]["at_chance"] else 1

    @property
    def protocol(self) -> list[str]:
        """What the numbers stand under: images, groups, folds, weights."""
        return list(self.answer["protocol"])

    def guide(self) -> str:
        """Which files to look at, and what to do next."""
        said = ["Nothing to compute: this run was finished before."] if self.reused else [self.costs]
        return "\n".join([*said, *RunFolder(self.folder).guide()])


def run(experiment: Experiment, workers: int | None = None, progress: Progress = silent) -> Outcome:
    """Run an experiment, or go on with it where an earlier call stopped.

    Parameters
    ----------
    experiment : Experiment
    workers : int, optional
        Cores for everything; all by default. Scores do not depend on it, but that trained networks round otherwise.
    progress : Progress
        See `leukobench.runs.progress`.

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
    with lock(folder.lock, f"running '{experiment.name}'", timeout_s=1), log_to(folder.log):
        outcome = _run(experiment, folder, workers or cores(), progress)
    if outcome.leaderboard["rank"].isna().all():
        raise EveryCombinationFailedError(
            f"All {(outcome.leaderboard['kind'] == 'combination').sum()} combinations failed.",
            received=f"the tracebacks are in {folder.notes}",
            mend="remove their cause and run the same command again: only failed cells are computed.",
        )
    return outcome


def audit(
    experiment: Experiment, workers: int | None = None, progress: Progress = silent
) -> tuple[Path, dict[str, Any]]:
    """The first step of a run alone: find the images, look at each, compare them.

    Returns
    -------
    folder : Path
        Holds ``audit/``, ``images.parquet`` and ``ledger.parquet``.
    summary : dict
        See `leukobench.audit.summary.summarise`.

    Raises
    ------
    ConfigurationError, ImagesError, BusyError
    """
    folder = RunFolder(experiment.folder)
    with lock(folder.lock, f"running '{experiment.name}'", timeout_s=1), log_to(folder.log):
        index = find_images(experiment, folder, progress)
        folder.begin()
        audited = audit_images(experiment, index, folder, workers or cores(), progress)
        folder.write_table("images.parquet", audited.index.images.assign(group=audited.index.group))
        folder.end_features()
    return folder.path, audited.summary


def _run(experiment: Experiment, folder: RunFolder, workers: int, progress: Progress) -> Outcome:
    costs = Costs()
    progress, start = costs.timed(progress), time.perf_counter()
    found = find_work(experiment, folder, progress)
    finished = folder.finished(found.state)
    if finished is not None:
        return Outcome(folder.path, *finished, reused=True)
    cached = folder_bytes(cache_folder())
    with memory_watched(costs):
        outcome = _compute(folder, found, workers, progress)
        costs.disk = folder_bytes(folder.path) + folder_bytes(cache_folder()) - cached
    folder.finish(found.state)
    costs.seconds = time.perf_counter() - start
    _log.info("Finished.", extra={"facts": {"seconds": round(costs.seconds, 3)}})
    folder.write_json("costs.json", costs.to_mapping())
    plan = folder.read_json("plan.json") or {}
    planned = plan if plan.get("state") == found.state else None
    return replace(outcome, costs=costs_line(costs.to_mapping(), planned))


@dataclass(frozen=True)
class Work:
    """What an experiment is about, before anything is computed.

    Attributes
    ----------
    experiment : Experiment
        With classifiers that can be fitted to so many images.
    notes : list of str
        Which ones gave way to what.
    extractors : dict of str to Extractor
        By their labels.
    networks : list of Method
        That are trained end to end.
    index : ImageIndex
    state : str
        Digest of everything that decides the results.
    """

    experiment: Experiment
    notes: list[str]
    extractors: dict[str, Extractor]
    networks: list[Method]
    index: ImageIndex
    state: str


def find_work(experiment: Experiment, folder: RunFolder, progress: Progress) -> Work:
    """Check everything that can be checked, and find the images.

    Raises
    ------
    ConfigurationError, ImagesError, WeightsError, EngineError
    """
    extractors = {choice.label: make_extractor(choice.name, choice.parameters) for choice in experiment.extractors}
    networks = make_networks(experiment)
    check_networks(networks, experiment.evaluation.balance, build=not folder.was_finished())
    if not folder.was_finished():  # mistakes stop now; what was finished once had none, and reruns without scikit-learn
        make_methods(experiment)
    index = find_images(experiment, folder, progress)
    index.check(experiment.evaluation.folds)
    check_classes(networks, index.classes())
    experiment, notes = scaled_for(experiment, len(index))
    for note in notes:
        _log.warning("%s.", note)
    return Work(experiment, notes, extractors, networks, index, _state(experiment, extractors, networks, index))


def _compute(folder: RunFolder, found: Work, workers: int, progress: Progress) -> Outcome:
    experiment, extractors, index = found.experiment, found.extractors, found.index
    methods = make_methods(experiment)
    folder.begin()
    folder.write_experiment(experiment.to_mapping(), _resolved(extractors, index))
    audited = _sealed(experiment, audit_images(experiment, index, folder, workers, progress), folder)
    grid = _grid(found, audited, methods, folder, workers, progress)
    described = {label: extractor.description for label, extractor in extractors.items()}
    described |= {f"pixels x {method.label}": weights_in_words(method) for method in found.networks}
    lines = protocol(audited.index, experiment.evaluation, described, fit_rules(experiment).tuning)
    lines += found.notes
    if opened := folder.read_json("holdout.json"):
        lines.append(opened_line(opened["opened"]))
    leaderboard, answer = _evaluate(found, grid, audited, folder, lines, workers, progress)
    write_report(folder.path)
    return Outcome(folder.path, leaderboard, answer)


def _state(experiment: Experiment, extractors: dict[str, Extractor], networks: list[Method], index: ImageIndex) -> str:
    """Digest of everything that decides the results: a finished run is recognised without fitting anything."""
    said = experiment.to_mapping()
    decides = [said[key] for key in ("extractors", "selectors", "classifiers", "cnns", "evaluation")]
    plugins = [
        registry.source_digest(choice.name)
        for registry, choices in ((SELECTORS, experiment.selectors), (CLASSIFIERS, experiment.classifiers))
        for choice in choices
        if not registry.ships(choice.name)
    ]
    identities: list[Any] = [dict(extractor.identity) for extractor in extractors.values()]
    identities += [[method.identity, network_versions()] for method in networks]
    pseudo = said["images"]["pseudo_patients"]
    return digest([decides, identities, plugins, index.digest(), pseudo, software_versions(), _code(), __version__])


def _code() -> str:
    """Digest of leukobench's own code: what is computed from stored predictions is computed again after a change."""
    root = Path(__file__).parent
    rooms = [root, *(root / room for room in ("audit", "evaluation", "evaluation/statistics", "images", "reporting"))]
    return digest([file_digest(path) for room in rooms for path in sorted(room.glob("*.py"))])


def _resolved(extractors: dict[str, Extractor], index: ImageIndex) -> dict[str, object]:
    machine = {"leukobench": __version__, "python": platform.python_version(), "machine": platform.machine()}
    machine |= installed_versions(_ENGINES)
    identities = {label: dict(extractor.identity) for label, extractor in extractors.items()}
    return {"extractors": identities, "images": index.digest(), "software": machine | software_versions()}


def _sealed(experiment: Experiment, audited: Audited, folder: RunFolder) -> Audited:
    """Put the sealed holdout aside, where one is asked for, and write down which images take part."""
    said = experiment.evaluation
    audited.index.check(said.folds)
    audited, held = audited.split(sealed_rows(audited.index, said.holdout, said.seed))
    for name, index in (("images", audited.index), ("sealed", held)):
        if name == "images" or said.holdout:
            folder.write_table(f"{name}.parquet", index.images.assign(group=index.group))
    audited.index.check(said.folds)
    return audited


def _grid(
    found: Work,
    audited: Audited,
    methods: tuple[list[Method], list[Method]],
    folder: RunFolder,
    workers: int,
    progress: Progress,
) -> Grid:
    experiment = found.experiment
    said = experiment.evaluation
    sources = extract(found.extractors, audited.index, folder, workers, progress)
    task = make_task(audited.index)
    if said.permute:
        task = permuted(task, said.seed)
    folds = make_folds(task, said.folds, said.repeats, said.seed, said.shuffle)
    baselines = shortcut_baselines(audited, folder, said)
    networks = on_pixels(found.networks, audited.index, folder, workers, progress)
    return Grid(task, folds, sources, *methods, fit_rules(experiment), baselines, networks)


def _evaluate(
    found: Work,
    grid: Grid,
    audited: Audited,
    folder: RunFolder,
    lines: list[str],
    workers: int,
    progress: Progress,
) -> tuple[pd.DataFrame, dict[str, Any]]:
    said = found.experiment.evaluation
    store = RecordStore(folder.records)
    folder.write_table("folds.parquet", folds_table(grid.task, grid.folds))
    with progress(FITTING, sum(len(unit.classifiers) for unit in pending_units(grid, store))) as advance:
        run_grid(grid, store, workers, advance)
    if grid.networks:
        with progress(TRAINING, len(pending_networks(grid, store))) as advance:
            run_networks(grid, store, workers, advance)
    patients = audited.index.images["patient"].tolist() if groups(audited.index)[0] == "patients" else None
    with progress(WEIGHING, len(list(grid.combinations()))) as advance:
        scored = write_scores(grid, store, folder.path, said.rank_by, said.resamples, patients, advance)
    for name, table in scored.tables.items():
        folder.write_table(name, table)
    if grid.networks:
        costs = extractor_costs(found.extractors, audited.index, workers, progress)
        folder.write_table("head_to_head.csv", compared(grid, scored.leaderboard, costs))
    answer = make_answer(scored, said, groups(audited.index), audited.summary, lines)
    folder.write_json("answer.json", answer)
    _warn_of_notes(scored.notes, folder)
    draw_figures(scored.leaderboard, scored.scores, said.rank_by, lines, folder.figures)
    return scored.leaderboard, answer


def _warn_of_notes(notes: pd.DataFrame, folder: RunFolder) -> None:
    if len(notes):
        said = " and ".join(f"{count:,} {kind}s" for kind, count in notes["kind"].value_counts().items())
        _log.warning("The fits gave %s: see %s.", said, folder.notes)

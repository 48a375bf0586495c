"""The plan: what a run will compute, and what it will cost, from trial runs on a few of its images."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from ..config.experiment import Experiment
from ..errors import EveryCombinationFailedError
from ..evaluation.folds import INNER_FOLDS
from ..machine import Progress
from ..runs.costs import Costs, in_bytes
from ..runs.finished import finished_before
from ..runs.folder import RunFolder
from ..runs.progress import duration, silent
from ..runs.workspace import Workspace
from ..steps.compute_statistics import COMPUTING
from ..steps.find_copies import COMPARING
from ..steps.find_images import IDENTIFYING
from ..steps.fit_combinations import FITTING, TRAINING
from ..steps.prepare_run import PreparedRun, prepare_run
from ..steps.write_pixels import READING
from ..storage import mark_output
from .plan_forecast import fold_seconds, straight
from .plan_trainings import TrainingCost, pixel_bytes, reading_seconds, training_costs
from .plan_trials import PlannedRun, Trial, quiet, trial_order, trial_sizes, try_on

REST = "tables, figures, report"
_FREE_S, _SHARE = 10.0, 0.1
_COPIES_HELD = 3
"""Matrices of doubles that a worker holds at a time: the training part, what is selected of it, what a fit makes."""
_DOUBLE, _FLOAT = 8, 4


@dataclass(frozen=True)
class Step:
    """One stage of a run: how much of it is there already, how much is to be done, and the seconds that takes."""

    stage: str
    there: int
    to_do: int
    seconds: float


@dataclass(frozen=True)
class Plan:
    """What a run will compute and cost.

    Attributes
    ----------
    state : str
        Digest of everything that decides the results: a later run recognises its own plan by it.
    steps : list of Step
    seconds : float
        Of the whole run.
    memory_bytes, disk_bytes : int
        Held at most by all processes; written into cache and results.
    tried : list of int
        Images of the trial runs.
    trials_s : float
        What the trial runs took; the features that they computed stay in the cache.
    """

    state: str
    steps: list[Step]
    seconds: float
    memory_bytes: int
    disk_bytes: int
    tried: list[int]
    trials_s: float

    def lines(self) -> list[str]:
        """The plan in words."""
        rows = [("", "done", "to do", "about")]
        rows += [(s.stage, f"{s.there:,}", f"{s.to_do:,}", duration(s.seconds)) for s in self.steps]
        widths = [max(len(row[column]) for row in rows) for column in range(3)]
        lines = [f"{r[0]:<{widths[0]}}  {r[1]:>{widths[1]}}  {r[2]:>{widths[2]}}  {r[3]}" for r in rows]
        memory, disk = in_bytes(self.memory_bytes), in_bytes(self.disk_bytes)
        tried = ", ".join(f"{count:,}" for count in self.tried)
        return [
            *lines,
            f"Total: about {duration(self.seconds)}; memory up to {memory}; disk {disk}.",
            f"Extrapolated from trial runs on {tried} images, which took {duration(self.trials_s)}.",
        ]


def make_plan(experiment: Experiment, workers: int | None = None, progress: Progress = silent) -> Plan | None:
    """Estimate a run by running it on a few of its images; writes ``plan.json`` of the run.

    Each trial is the whole pipeline with two folds: the first three on up to 960 images, further ones on four times as
    many as the one before, while that costs little beside the run. What grows with the number of images is
    extrapolated along a straight line; the fits of each selector and each classifier as `fold_seconds` says.

    Parameters
    ----------
    experiment, workers, progress
        As for `leukobench.pipeline.run`.

    Returns
    -------
    Plan or None
        None where the run is finished.

    Raises
    ------
    LeukobenchError
        Whatever would stop the run.
    """
    folder, costs = RunFolder(experiment.folder), Costs()
    workspace = Workspace.of(folder, workers, costs.time_stages(progress))
    workers, work = workspace.workers, prepare_run(experiment, workspace)
    if finished_before(folder, work.state):
        return None
    experiment, start = work.experiment, time.perf_counter()
    trials: list[Trial] = []
    planned = PlannedRun.of(experiment, work, folder)
    order, sizes = trial_order(work), trial_sizes(work)
    with tempfile.TemporaryDirectory() as temporary, progress("trial runs, at most", len(sizes)) as advance:
        for size in sizes:
            if len(trials) > 2 and not _cheap(trials, size, planned, workers):
                break
            rows = order[: _affordable(trials, size, planned)]
            with quiet():
                trials += try_on(experiment, work, rows, Path(temporary) / str(size), planned, workers)
            advance(1)
    if not trials:
        raise EveryCombinationFailedError(
            "Every fit of the trial runs failed, so the cost cannot be estimated.",
            received=f"trial runs on {', '.join(map(str, sizes))} images",
            fix="run it without --plan: notes.csv will list the reasons.",
        )
    seconds = {IDENTIFYING: costs.stages.get(IDENTIFYING, (0, 0.0))[1]} | _forecast(trials, planned, workers)
    memory, disk = _memory(trials, planned, workers), _disk(trials, planned)
    steps = _steps(seconds, trials, planned)
    if work.networks:
        with progress("two epochs of each network", 1):
            trainings = training_costs(work.networks, len(work.index.classes()), workers)
        steps[-2:-2] = _training(work, trainings, planned, planned.records - _cells(trials, planned), workers)
        memory = max([memory, *(trials[0].memory + cost.memory for cost in trainings if cost)])
        disk += pixel_bytes(work.networks, len(work.index))
    tried, trials_s = [trial.images for trial in trials], time.perf_counter() - start
    plan = Plan(work.state, steps, sum(step.seconds for step in steps), memory, disk, tried, trials_s)
    mark_output(folder.path)
    folder.write_json("plan.json", asdict(plan))
    return plan


def _affordable(trials: Sequence[Trial], size: int, planned: PlannedRun) -> int:
    """So many images or fewer, where a slow network would spend long on them; as many as before at least."""
    done = trials[-1].images if trials else size

    def seconds(run: PlannedRun) -> float:
        return sum(_extracting(trials, run).values())

    while size > 2 * done and seconds(planned.part(size, done)) > max(2 * _FREE_S, _SHARE * seconds(planned)):
        size //= 2
    return size


def _cheap(trials: Sequence[Trial], size: int, planned: PlannedRun, workers: int) -> bool:
    done = trials[-1].images
    following = sum(_forecast(trials, planned.part(size, done), workers).values())
    return size > done and following < max(_FREE_S, _SHARE * sum(_forecast(trials, planned, workers).values()))


def _forecast(trials: Sequence[Trial], planned: PlannedRun, workers: int) -> dict[str, float]:
    """Seconds of each stage, in their order."""

    def extrapolate(stage: str) -> float:
        return straight([(trial.images, trial.stages.get(stage, (0, 0.0))[1]) for trial in trials], planned.images)

    rest = straight([(trial.images, trial.rest()) for trial in trials], planned.images)
    return _extracting(trials, planned) | {
        COMPARING: extrapolate(COMPARING),
        FITTING: _fitting(trials, planned, workers),
        COMPUTING: extrapolate(COMPUTING),
        REST: rest,
    }


def _extracting(trials: Sequence[Trial], planned: PlannedRun) -> dict[str, float]:
    """Seconds of the look at all images and of each stage of extraction."""
    extracting = {}
    for stage, to_do in planned.to_do.items():
        measured = [trial.stages.get(stage, (0, 0.0)) for trial in trials]
        points = [(count, seconds) for count, seconds in measured if count]
        extracting[stage] = straight(points, to_do) if to_do else 0.0
    return extracting


def _fitting(trials: Sequence[Trial], planned: PlannedRun, workers: int) -> float:
    """The first trial shows what starting the workers costs, the others what the fits do."""
    train, test = planned.images * (planned.folds - 1) / planned.folds, planned.images / planned.folds
    units = fold_seconds([trial.cells for trial in trials[1:] or trials], train, test)
    cells, folds = _cells(trials, planned), planned.folds * planned.repeats
    left = max(0.0, 1 - planned.records / cells)
    return trials[0].stages[FITTING][1] + left * max(units.sum() * folds / workers, units.max())


def _cells(trials: Sequence[Trial], planned: PlannedRun) -> int:
    return len(trials[-1].cells.costs) * planned.folds * planned.repeats


def _steps(seconds: dict[str, float], trials: Sequence[Trial], planned: PlannedRun) -> list[Step]:
    counts = {stage: (planned.distinct - to_do, to_do) for stage, to_do in planned.to_do.items()}
    cells = _cells(trials, planned)
    counts[FITTING] = min(planned.records, cells), max(0, cells - planned.records)
    counts |= dict.fromkeys((IDENTIFYING, COMPARING), (0, planned.images))
    counts |= {stage: (0, len(trials[-1].cells.costs)) for stage in (COMPUTING, REST)}
    return [Step(stage, *counts[stage], round(taken, 3)) for stage, taken in seconds.items()]


def _training(
    work: PreparedRun, costs: Sequence[TrainingCost | None], planned: PlannedRun, there: int, workers: int
) -> list[Step]:
    """Pixels, and trainings if none stops early; records of combinations come first, the rest are of networks."""
    cells, evaluation = planned.folds * planned.repeats, work.experiment.evaluation
    train, test = planned.images * (planned.folds - 1) / planned.folds, planned.images / planned.folds
    if evaluation.balance in ("oversample", "smote"):
        counts = work.index.images["label"].value_counts()
        train *= len(counts) * counts.max() / counts.sum()
    fits = 1 if evaluation.calibration == "as_needed" else 1 + INNER_FOLDS
    whole = len(costs) * cells
    there = min(max(0, there), whole)
    seconds = fits * sum(cost.seconds(train, test) * cells for cost in costs if cost) * (1 - there / whole)
    reading = reading_seconds(work.networks, work.index, workers)
    unknown = sum(cost is None for cost in costs)
    title = f"{TRAINING}, at most" + (f" ({unknown} of unknown length left out)" if unknown else "")
    return [Step(READING, 0, planned.images, round(reading, 3)), Step(title, there, whole - there, round(seconds, 3))]


def _memory(trials: Sequence[Trial], planned: PlannedRun, workers: int) -> int:
    """What the trials held, and what more images add to the matrices of doubles that each worker holds."""
    widest = max(planned.widths())
    more = max(0, planned.images - trials[-1].images)
    return max(trial.memory for trial in trials) + workers * _COPIES_HELD * more * widest * _DOUBLE


def _disk(trials: Sequence[Trial], planned: PlannedRun) -> int:
    """Matrices and tables in the run's folder, and new features in the cache."""
    widths = planned.widths()
    grown = [trial for trial in trials if trial.numbers]
    dense = grown[-1].cached / grown[-1].numbers if grown else 0.0
    cached = dense * sum(lacking * width for (_, lacking), width in zip(planned.caches, widths, strict=True))
    kept = straight([(trial.images, trial.kept) for trial in trials], planned.images)
    kept *= _cells(trials, planned) / (2 * len(trials[-1].cells.costs))
    return round(cached + kept + planned.images * sum(widths) * _FLOAT)

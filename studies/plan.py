"""The plan: what a run will compute, and what it will cost, from trial runs on a few of its images."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from ..config.experiment import Experiment
from ..evaluation.folds import INNER_FOLDS
from ..machine import Progress
from ..plugins.permission import allowing, named_by_user
from ..runs.costs import Costs, in_bytes, watch_memory
from ..runs.finished import finished_before
from ..runs.folder import RunFolder
from ..runs.progress import duration, silent
from ..runs.workspace import Workspace
from ..steps.check_names import check_names
from ..steps.compute_statistics import COMPUTING
from ..steps.find_copies import COMPARING
from ..steps.find_images import IDENTIFYING
from ..steps.fit_combinations import FITTING, TRAINING
from ..steps.prepare_run import PreparedRun, prepare_run
from ..steps.write_pixels import READING
from ..storage import mark_output
from .plan_checks import check_splits
from .plan_conversions import converting
from .plan_trainings import TrainingCost, pixel_bytes, reading_seconds, training_costs
from .plan_trials import PlannedRun, Trial, quiet
from .planning import REST, VIEWS_STAGE, Planning

_WORKER_BYTES, _RECORD_BYTES, _REPORT_BYTES = 250_000_000, 8_000, 3_000_000
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
        What the plan took; the features that were computed for it stay in the cache.
    audited : bool
        All images were compared, so that the folds that were checked are those of the run.
    """

    state: str
    steps: list[Step]
    seconds: float
    memory_bytes: int
    disk_bytes: int
    tried: list[int]
    trials_s: float
    audited: bool = False

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
            f"Extrapolated from trials on {tried} images; the plan took {duration(self.trials_s)}.",
            *([] if self.audited else ["Folds were checked without copies, which the run has yet to find."]),
        ]


def make_plan(experiment: Experiment, workers: int | None = None, progress: Progress = silent) -> Plan | None:
    """Estimate a run from trials on a few of its images, and check its folds; writes ``plan.json`` of the run.

    A trial reads and compares the images, and fits every selector and every classifier once. The first one warms up,
    the second one counts, further ones on four times as many follow as long as the plan takes no more than a tenth of
    the run, or ten seconds. Meanwhile another process converts the networks that were never used, and the measurements
    of the images stand for what these will extract. All images are measured and compared where that is affordable,
    too: then the folds are those of the run. What grows with the number of images is extrapolated along a straight
    line; the fits as `fold_seconds` says.

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
        Whatever would stop the run; and code of the user's own, which is not run for a plan unless it is allowed.
    """
    with allowing(by_name=False), named_by_user(experiment.plugins):
        return _make_plan(experiment, workers, progress)


def _make_plan(experiment: Experiment, workers: int | None, progress: Progress) -> Plan | None:
    start = time.perf_counter()
    folder, costs = RunFolder(experiment.folder), Costs()
    workspace = Workspace.of(folder, workers, costs.time_stages(progress))
    check_names(experiment)  # before a network is converted, or downloaded
    with converting(experiment) as conversion:
        work = prepare_run(experiment, workspace)
        if finished_before(folder, work.state):
            return None
        index = check_splits(work.experiment, work.index, audited=False)
        planned = PlannedRun.of(work.experiment, work, folder)
        planning = Planning(work, planned, workspace.workers, start, conversion)
        with watch_memory(costs, children=False), quiet(), progress("trials", planning.most()) as advance:
            planning.try_and_compare(advance)
    planned, combinations = planning.planned, planning.combinations
    seconds = {IDENTIFYING: costs.stages.get(IDENTIFYING, (0, 0.0))[1]} | planning.forecast()
    memory, disk = _memory(costs.memory, planning.trials, planned, workspace.workers), _disk(planning)
    steps = _steps(seconds, combinations, planned, planning.viewed)
    if work.networks:
        with progress("two epochs of each network", 1):
            trainings = training_costs(work.networks, len(work.index.classes()), workspace.workers)
        there = planned.records - combinations * planned.cells
        steps[-2:-2] = _training(work, trainings, planned, there, workspace.workers)
        memory = max([memory, *(memory + cost.memory for cost in trainings if cost)])
        disk += pixel_bytes(work.networks, len(index))
    plan = Plan(
        work.state,
        steps,
        sum(step.seconds for step in steps),
        memory,
        disk,
        planning.tried,
        time.perf_counter() - start,
        planning.comparing_s is not None,
    )
    mark_output(folder.path)
    folder.write_json("plan.json", asdict(plan))
    return plan


def _steps(seconds: dict[str, float], combinations: int, planned: PlannedRun, viewed: int) -> list[Step]:
    counts = {stage: (planned.distinct - to_do, to_do) for stage, to_do in planned.to_do.items()}
    cells = combinations * planned.cells
    counts[FITTING] = min(planned.records, cells), max(0, cells - planned.records)
    counts |= dict.fromkeys((IDENTIFYING, COMPARING), (0, planned.images))
    counts |= dict.fromkeys((COMPUTING, REST), (0, combinations)) | {VIEWS_STAGE: (0, viewed)}
    return [Step(stage, *counts[stage], round(taken, 3)) for stage, taken in seconds.items()]


def _training(
    work: PreparedRun, costs: Sequence[TrainingCost | None], planned: PlannedRun, there: int, workers: int
) -> list[Step]:
    """Pixels, and trainings if none stops early; records of combinations come first, the rest are of networks."""
    cells, evaluation = planned.cells, work.experiment.evaluation
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


def _memory(held: int, trials: Sequence[Trial], planned: PlannedRun, workers: int) -> int:
    """What the trials held, what each worker loads, and what more images add to the matrices that it holds."""
    widest = max(planned.widths())
    more = max(0, planned.images - trials[-1].images)
    return held + workers * (_WORKER_BYTES + _COPIES_HELD * more * widest * _DOUBLE)


def _disk(planning: Planning) -> int:
    """Matrices, records and tables in the run's folder, and new features in the cache."""
    planned, classes = planning.planned, len(planning.work.index.classes())
    widths, rows = planned.widths(), planning.combinations * planned.repeats
    cached = sum(lacking * width for (_, lacking), width in zip(planned.caches, widths, strict=True)) * _FLOAT
    records = rows * planned.folds * (planning.trials[-1].kept or _RECORD_BYTES)
    predictions = 2 * rows * planned.images * classes * _DOUBLE  # in the records and in their table
    return round(cached + records + predictions + _REPORT_BYTES + planned.images * sum(widths) * _FLOAT)

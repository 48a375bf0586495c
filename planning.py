"""The plan: what a run will compute, and what it will cost, from trial runs on a few of its images."""

from __future__ import annotations

import contextlib
import logging
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from . import pipeline
from .config import Experiment, Images
from .errors import EveryCombinationFailedError
from .evaluation.forecast import Cells, fold_seconds, straight
from .features.cache import FeatureCache
from .features.extraction import pending
from .features.extractors import Extractor
from .features.glance import Glance
from .preparation import COMPARING, FITTING, IDENTIFYING, WEIGHING, cores, outstanding
from .reporting.costs import Costs, folder_bytes, in_bytes
from .reporting.progress import Progress, duration, silent
from .reporting.run_folder import RunFolder
from .storage import cache_folder

REST = "tables, figures, report"
_FIRST, _THIRD, _GROWTH = 60, 960, 4
_OF_A_CLASS = 12
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
        Digest of everything that decides the results: a later run knows by it that this plan was its own.
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
        rows = [("", "there", "to do", "about")]
        rows += [(s.stage, f"{s.there:,}", f"{s.to_do:,}", duration(s.seconds)) for s in self.steps]
        widths = [max(len(row[column]) for row in rows) for column in range(3)]
        lines = [f"{r[0]:<{widths[0]}}  {r[1]:>{widths[1]}}  {r[2]:>{widths[2]}}  {r[3]}" for r in rows]
        memory, disk = in_bytes(self.memory_bytes), in_bytes(self.disk_bytes)
        tried = ", ".join(f"{count:,}" for count in self.tried)
        return [
            *lines,
            f"In all about {duration(self.seconds)}; memory up to {memory}; disk {disk}.",
            f"Drawn on from trial runs on {tried} images, which took {duration(self.trials_s)}.",
        ]


def make_plan(experiment: Experiment, workers: int | None = None, progress: Progress = silent) -> Plan | None:
    """Estimate a run by running it on a few of its images; writes ``plan.json`` of the run.

    Each trial is the whole pipeline with two folds, on four times as many images as the one before, while that costs
    little beside the run. What grows with the number of images is drawn on as a straight line; the fits of each
    selector and each classifier by the power of the number of training images that the last two trials show.

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
    workers = workers or cores()
    folder, costs = RunFolder(experiment.folder), Costs()
    work = pipeline.find_work(experiment, folder, costs.timed(progress))
    if folder.finished(work.state) is not None:
        return None
    experiment, start = work.experiment, time.perf_counter()
    trials: list[_Trial] = []
    target = _Target.of(experiment, work, folder)
    order, sizes = _order(work), _sizes(work)
    with tempfile.TemporaryDirectory() as made, progress("trial runs, at most", len(sizes)) as advance:
        for size in sizes:
            if len(trials) > 2 and not _cheap(trials, size, target, workers):
                break
            with _quiet():
                trials += _try(experiment, work, order[:size], Path(made) / str(size), target, workers)
            advance(1)
    if not trials:
        raise EveryCombinationFailedError(
            "No trial run could fit anything, so nothing can be foretold.",
            received=f"trial runs on {', '.join(map(str, sizes))} images",
            mend="run it without --plan: its notes.csv will hold the reasons.",
        )
    trials_s = time.perf_counter() - start
    seconds = {IDENTIFYING: costs.stages.get(IDENTIFYING, (0, 0.0))[1]} | _forecast(trials, target, workers)
    memory, disk = _memory(trials, target, workers), _disk(trials, target)
    tried = [trial.images for trial in trials]
    plan = Plan(work.state, _steps(seconds, trials, target), sum(seconds.values()), memory, disk, tried, trials_s)
    folder.path.mkdir(parents=True, exist_ok=True)
    folder.write_json("plan.json", asdict(plan))
    return plan


@dataclass(frozen=True)
class _Target:
    """A run whose cost is asked for.

    Attributes
    ----------
    images, distinct : int
        Files, and different contents among them.
    to_do : dict
        Images that each stage of extraction has to compute.
    caches : tuple
        Each extractor's cache, and how many images it lacks.
    records : int
        Cells that an earlier run under this name left, if nothing changed since.
    """

    images: int
    distinct: int
    folds: int
    repeats: int
    to_do: dict[str, int]
    caches: tuple[tuple[FeatureCache, int], ...]
    records: int

    @classmethod
    def of(cls, experiment: Experiment, work: pipeline.Work, folder: RunFolder) -> _Target:
        said, files = experiment.evaluation, work.index.files()
        extractors: list[Extractor | Glance] = [Glance(), *work.extractors.values()]
        caches = [FeatureCache(cache_folder() / "features", extractor.identity) for extractor in extractors]
        lacking = tuple((cache, len(pending(files, cache))) for cache in caches)
        images = round(len(work.index) * (1 - said.holdout))
        records = len(list(folder.records.glob("*.parquet")))
        to_do, distinct = outstanding(work.extractors, work.index), work.index.images["image_id"].nunique()
        return cls(images, distinct, said.folds, said.repeats, to_do, lacking, records)

    def part(self, images: int, done: int) -> _Target:
        """A trial run on `images` of these, after one on `done`."""
        to_do = {stage: max(0, min(count, images) - min(count, done)) for stage, count in self.to_do.items()}
        return replace(self, images=min(images, self.images), folds=2, repeats=1, to_do=to_do, records=0)

    def widths(self) -> list[int]:
        """Numbers that each extractor gives; known once it has computed something."""
        return [len(cache.feature_names()) for cache, _ in self.caches]

    def numbers(self) -> int:
        """How many numbers the caches hold."""
        return sum(len(cache.known()) * width for (cache, _), width in zip(self.caches, self.widths(), strict=True))


@dataclass(frozen=True)
class _Trial:
    """What a run on a few images cost."""

    images: int
    seconds: float
    stages: dict[str, tuple[int, float]]
    cells: Cells
    memory: int
    kept: int
    cached: int
    numbers: int
    """Bytes in the run's folder, bytes added to the cache, and how many numbers these hold."""

    def rest(self) -> float:
        """Seconds that no stage claims."""
        return max(0.0, self.seconds - sum(seconds for _, seconds in self.stages.values()))


def _order(work: pipeline.Work) -> list[int]:
    """Rows in the order in which trials take them: a few of each class, then in proportion, uncached ones first."""
    index = work.index
    lacking: set[str] = set()
    for extractor in work.extractors.values():
        cache = FeatureCache(cache_folder() / "features", extractor.identity)
        lacking.update(name for name, _ in pending(index.files(), cache))
    table = index.images[["image_id", "label"]].sample(frac=1, random_state=0)
    table["known"] = ~table["image_id"].isin(lacking)
    table = table.sort_values("known", kind="stable")
    classes = table.groupby("label")
    place = classes.cumcount()
    table["later"] = place >= _OF_A_CLASS
    table["place"] = (place + 0.5) / classes["label"].transform("size")
    return table.sort_values(["later", "place"], kind="stable").index.tolist()


def _sizes(work: pipeline.Work) -> list[int]:
    """Images of the trials: the first one warms up, two more show how costs grow, further ones come while cheap."""
    images, least = len(work.index), _OF_A_CLASS * len(work.index.classes())
    third = min(_THIRD, images // 2)
    sizes = [max(_FIRST, least), max(third // 3, least), max(third, least)]
    while sizes[-1] * _GROWTH <= images:
        sizes.append(_GROWTH * sizes[-1])
    return sorted({min(size, images) for size in sizes})


def _try(
    experiment: Experiment, work: pipeline.Work, rows: Sequence[int], folder: Path, target: _Target, workers: int
) -> list[_Trial]:
    """One trial, in a folder of its own; none where nothing can be fitted to so few images."""
    import pandas as pd

    folder.mkdir()
    manifest = folder / "manifest.csv"
    work.index.images.iloc[list(rows)][["path", "label", "patient"]].to_csv(manifest, index=False)
    said = experiment.evaluation.model_copy(update={"folds": 2, "repeats": 1, "holdout": 0.0, "shuffle": True})
    settings = {"name": "trial", "images": Images(folder=manifest), "results": folder, "evaluation": said}
    bytes_before, numbers_before = folder_bytes(cache_folder()), target.numbers()
    try:
        run_folder = RunFolder(pipeline.run(experiment.model_copy(update=settings), workers).folder)
    except EveryCombinationFailedError:
        return []
    costs, half = run_folder.read_json("costs.json"), len(rows) / 2
    return [
        _Trial(
            images=len(rows),
            seconds=costs["seconds"],
            stages={one["stage"]: (one["count"], one["seconds"]) for one in costs["stages"]},
            cells=Cells.of(pd.read_parquet(run_folder.path / "scores.parquet"), half, half),
            memory=costs["memory_bytes"],
            kept=folder_bytes(run_folder.path),
            cached=folder_bytes(cache_folder()) - bytes_before,
            numbers=target.numbers() - numbers_before,
        )
    ]


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """What trial runs say goes to their own logs alone."""
    logger = logging.getLogger("leukobench")
    before = logger.propagate
    logger.propagate = False
    try:
        yield
    finally:
        logger.propagate = before


def _cheap(trials: Sequence[_Trial], size: int, target: _Target, workers: int) -> bool:
    done = trials[-1].images
    following = sum(_forecast(trials, target.part(size, done), workers).values())
    return size > done and following < max(_FREE_S, _SHARE * sum(_forecast(trials, target, workers).values()))


def _forecast(trials: Sequence[_Trial], target: _Target, workers: int) -> dict[str, float]:
    """Seconds of each stage, in their order."""
    found = {}
    for stage, to_do in target.to_do.items():
        seen = [trial.stages.get(stage, (0, 0.0)) for trial in trials]
        found[stage] = straight([(count, seconds) for count, seconds in seen if count], to_do) if to_do else 0.0

    def drawn_on(stage: str) -> float:
        return straight([(trial.images, trial.stages.get(stage, (0, 0.0))[1]) for trial in trials], target.images)

    rest = straight([(trial.images, trial.rest()) for trial in trials], target.images)
    return found | {
        COMPARING: drawn_on(COMPARING),
        FITTING: _fitting(trials, target, workers),
        WEIGHING: drawn_on(WEIGHING),
        REST: rest,
    }


def _fitting(trials: Sequence[_Trial], target: _Target, workers: int) -> float:
    """The first trial shows what starting the workers costs, the others what the fits do."""
    train, test = target.images * (target.folds - 1) / target.folds, target.images / target.folds
    units = fold_seconds([trial.cells for trial in trials[1:] or trials], train, test)
    cells, folds = _cells(trials, target), target.folds * target.repeats
    left = max(0.0, 1 - target.records / cells)
    return trials[0].stages[FITTING][1] + left * max(units.sum() * folds / workers, units.max())


def _cells(trials: Sequence[_Trial], target: _Target) -> int:
    return len(trials[-1].cells.costs) * target.folds * target.repeats


def _steps(seconds: dict[str, float], trials: Sequence[_Trial], target: _Target) -> list[Step]:
    counts = {stage: (target.distinct - to_do, to_do) for stage, to_do in target.to_do.items()}
    cells = _cells(trials, target)
    counts[FITTING] = min(target.records, cells), max(0, cells - target.records)
    counts |= dict.fromkeys((IDENTIFYING, COMPARING), (0, target.images))
    counts |= {stage: (0, len(trials[-1].cells.costs)) for stage in (WEIGHING, REST)}
    return [Step(stage, *counts[stage], round(taken, 3)) for stage, taken in seconds.items()]


def _memory(trials: Sequence[_Trial], target: _Target, workers: int) -> int:
    """What the trials held, and what more images add to the matrices of doubles that each worker holds."""
    widest = max(target.widths())
    more = max(0, target.images - trials[-1].images)
    return max(trial.memory for trial in trials) + workers * _COPIES_HELD * more * widest * _DOUBLE


def _disk(trials: Sequence[_Trial], target: _Target) -> int:
    """Matrices and tables in the run's folder, and new features in the cache."""
    widths = target.widths()
    grown = [trial for trial in trials if trial.numbers]
    dense = grown[-1].cached / grown[-1].numbers if grown else 0.0
    cached = dense * sum(lacking * width for (_, lacking), width in zip(target.caches, widths, strict=True))
    kept = straight([(trial.images, trial.kept) for trial in trials], target.images)
    kept *= _cells(trials, target) / (2 * len(trials[-1].cells.costs))
    return round(cached + kept + target.images * sum(widths) * _FLOAT)

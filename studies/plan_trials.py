"""Trials: runs of the whole pipeline on a few of the images, and what they cost."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from .. import pipeline
from ..classifiers.large_data import needs_variants
from ..config.experiment import Experiment, Images
from ..errors import EveryCombinationFailedError
from ..features.cache import FeatureCache
from ..features.extraction import pending
from ..features.extractor import Extractor
from ..features.simple_measurements import SimpleMeasurements
from ..runs.costs import folder_bytes
from ..runs.finished import FinishedRun
from ..runs.folder import RunFolder
from ..steps.extract_features import images_to_extract
from ..steps.prepare_run import PreparedRun
from ..storage import cache_folder, write_table
from .plan_forecast import Cells

_FIRST, _THIRD, _GROWTH = 60, 960, 4
_OF_A_CLASS = 12


@dataclass(frozen=True)
class PlannedRun:
    """A run whose cost is estimated.

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
    def of(cls, experiment: Experiment, work: PreparedRun, folder: RunFolder) -> PlannedRun:
        """What `experiment` computes, and what caches and earlier runs hold of it."""
        evaluation, files = experiment.evaluation, work.index.files()
        extractors: list[Extractor | SimpleMeasurements] = [SimpleMeasurements(), *work.extractors.values()]
        caches = [FeatureCache.shared(extractor.identity) for extractor in extractors]
        lacking = tuple((cache, len(pending(files, cache))) for cache in caches)
        images = round(len(work.index) * (1 - evaluation.holdout))
        records = len(list(folder.records.glob("*.parquet")))
        to_do, distinct = images_to_extract(work.extractors, work.index), work.index.images["image_id"].nunique()
        return cls(images, distinct, evaluation.folds, evaluation.repeats, to_do, lacking, records)

    def part(self, images: int, done: int) -> PlannedRun:
        """A trial run on `images` of these, after one on `done`."""
        to_do = {stage: max(0, min(count, images) - min(count, done)) for stage, count in self.to_do.items()}
        return replace(self, images=min(images, self.images), folds=2, repeats=1, to_do=to_do, records=0)

    def widths(self) -> list[int]:
        """Numbers that each extractor gives; known once it has computed something."""
        return [len(cache.feature_names()) for cache, _ in self.caches]

    def numbers(self) -> int:
        """How many numbers the caches hold."""
        return sum(len(cache.image_ids()) * width for (cache, _), width in zip(self.caches, self.widths(), strict=True))


@dataclass(frozen=True)
class Trial:
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


def trial_order(work: PreparedRun) -> list[int]:
    """Rows in the order in which trials take them: a few of each class, then in proportion, uncached ones first."""
    index = work.index
    lacking: set[str] = set()
    for extractor in work.extractors.values():
        cache = FeatureCache.shared(extractor.identity)
        lacking.update(name for name, _ in pending(index.files(), cache))
    table = index.images[["image_id", "label"]].sample(frac=1, random_state=0)
    table["cached"] = ~table["image_id"].isin(lacking)
    table = table.sort_values("cached", kind="stable")
    classes = table.groupby("label")
    place = classes.cumcount()
    table["later"] = place >= _OF_A_CLASS
    table["place"] = (place + 0.5) / classes["label"].transform("size")
    return table.sort_values(["later", "place"], kind="stable").index.tolist()


def trial_sizes(work: PreparedRun) -> list[int]:
    """Images of the trials: the first one warms up, two more show how costs grow, further ones come while cheap."""
    images, fewest = len(work.index), _OF_A_CLASS * len(work.index.classes())
    third = min(_THIRD, images // 2)
    sizes = [max(_FIRST, fewest), max(third // 3, fewest), max(third, fewest)]
    while sizes[-1] * _GROWTH <= images:
        sizes.append(_GROWTH * sizes[-1])
    return sorted({min(size, images) for size in sizes})


def try_on(
    experiment: Experiment, work: PreparedRun, rows: Sequence[int], folder: Path, planned: PlannedRun, workers: int
) -> list[Trial]:
    """One trial, in a folder of its own; none where nothing can be fitted to so few images."""
    folder.mkdir()
    manifest = folder / "manifest.csv"
    write_table(manifest, work.index.images.iloc[list(rows)][["path", "label", "patient"]])
    protocol: dict[str, Any] = {"folds": 2, "repeats": 1, "holdout": 0.0, "shuffle": True}
    if needs_variants(experiment.evaluation.large_data, len(work.index)):
        protocol["large_data"] = "always"
    evaluation = experiment.evaluation.model_copy(update=protocol)
    copies = experiment.images.copies
    copies = "group" if isinstance(copies, Path) else copies  # its table names images that a trial lacks
    settings = {"name": "trial", "images": Images(folder=manifest, copies=copies), "results": folder, "cnns": []}
    settings["evaluation"] = evaluation
    bytes_before, numbers_before = folder_bytes(cache_folder()), planned.numbers()
    try:
        pipeline.run(experiment.model_copy(update=settings), workers)
    except EveryCombinationFailedError:
        if experiment.extractors:  # with networks alone, a trial has shortcuts and no combination
            return []
    run_folder = RunFolder(folder / "trial")
    costs, half = run_folder.read_json("costs.json"), len(rows) / 2
    return [
        Trial(
            images=len(rows),
            seconds=costs["seconds"],
            stages={one["stage"]: (one["count"], one["seconds"]) for one in costs["stages"]},
            cells=Cells.of(FinishedRun.open(run_folder.path).scores, half, half),
            memory=costs["memory_bytes"],
            kept=folder_bytes(run_folder.path),
            cached=folder_bytes(cache_folder()) - bytes_before,
            numbers=planned.numbers() - numbers_before,
        )
    ]


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Messages of trial runs go to their own logs alone."""
    logger = logging.getLogger("leukobench")
    before = logger.propagate
    logger.propagate = False
    try:
        yield
    finally:
        logger.propagate = before

"""Trials: the steps of a run on a few of the images, and what they cost."""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np

from ..config.experiment import Experiment
from ..evaluation.grid import FeatureSource
from ..features.cache import FeatureCache
from ..features.extraction import extract_to, pending
from ..features.extractor import Extractor
from ..features.simple_measurements import SimpleMeasurements, fingerprints_of
from ..images.index import ImageIndex
from ..images.keypoints import KeypointFile
from ..runs.costs import Costs, folder_bytes
from ..runs.folder import RunFolder
from ..runs.progress import silent
from ..runs.workspace import Workspace
from ..steps.audit_index import MEASURING
from ..steps.extract_features import extract_features, images_to_extract
from ..steps.find_copies import find_copies
from ..steps.find_sites import sites_of
from ..steps.given_split import is_given
from ..steps.prepare_run import PreparedRun
from ..steps.seal_holdout import given_or_drawn
from .plan_cells import nothing_fitted, time_cells, warm_up
from .plan_forecast import Cells

_SECOND = 80
_FIRST, _OF_A_CLASS = 24, 8
_STAND_IN = 1280
"""Numbers of the average pooling of many networks."""
STARTING = "starting"
"""Stage of a trial: loading what the fits need, as each process of the run will."""
Fits = Literal["all", "first", "none"]


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
    tested : int
        Fits of each combination beside those of the folds: one for a given test part, one without each site.
    """

    images: int
    distinct: int
    folds: int
    repeats: int
    to_do: dict[str, int]
    caches: tuple[tuple[FeatureCache, int], ...]
    records: int
    tested: int = 0

    @property
    def cells(self) -> int:
        """Fits of each combination."""
        return self.folds * self.repeats + self.tested

    @classmethod
    def of(cls, experiment: Experiment, work: PreparedRun, folder: RunFolder) -> PlannedRun:
        """What `experiment` computes, and what caches and earlier runs hold of it."""
        evaluation, files = experiment.evaluation, work.index.files()
        extracting = work.extractors | work.controls
        extractors: list[Extractor | SimpleMeasurements] = [SimpleMeasurements(), *extracting.values()]
        caches = [FeatureCache.shared(extractor.identity) for extractor in extractors]
        lacking = tuple((cache, len(pending(files, cache))) for cache in caches)
        sealed = int(given_or_drawn(evaluation, work.index).sum()) if is_given(evaluation) else None
        images = round(len(work.index) * (1 - evaluation.holdout)) if sealed is None else len(work.index) - sealed
        records = len(list(folder.records.glob("*.parquet")))
        to_do, distinct = images_to_extract(extracting, work.index), work.index.images["image_id"].nunique()
        repeats = evaluation.permutations if evaluation.permute else evaluation.repeats
        tested = int(bool(sealed)) + len(set(sites_of(work.index, evaluation) or ()))
        return cls(images, distinct, evaluation.folds, repeats, to_do, lacking, records, tested)

    def part(self, images: int) -> dict[str, int]:
        """What each stage would have to do of so many further images."""
        return {stage: min(count, max(0, images)) for stage, count in self.to_do.items()}

    def after(self, stages: Mapping[str, tuple[int, float]]) -> PlannedRun:
        """What is left once these stages have done as many as they say."""
        to_do = {stage: max(0, count - stages.get(stage, (0, 0.0))[0]) for stage, count in self.to_do.items()}
        return replace(self, to_do=to_do)

    def widths(self) -> list[int]:
        """Numbers that each extractor gives; known once it has computed something."""
        return [len(cache.feature_names()) for cache, _ in self.caches]


@dataclass(frozen=True)
class Trial:
    """What a few images cost.

    Attributes
    ----------
    images : int
    seconds : float
        Of the whole trial.
    stages : dict
        Title of each stage of reading and comparing images -> its count and its seconds.
    cells : Cells or None
        None where no extractor is used, but networks alone.
    kept : int
        Bytes of the records of a cell.
    """

    images: int
    seconds: float
    stages: dict[str, tuple[int, float]]
    cells: Cells | None
    kept: int


def trial_order(work: PreparedRun) -> list[int]:
    """Rows in the order in which trials take them: a few of each class, then in proportion, uncached ones first."""
    index = work.index
    lacking: set[str] = set()
    for extractor in (work.extractors | work.controls).values():
        cache = FeatureCache.shared(extractor.identity)
        lacking.update(name for name, _ in pending(index.files(), cache))
    table = index.images[["image_id", "label"]].sample(frac=1, random_state=0)
    table["cached"] = ~table["image_id"].isin(lacking)
    table = table.sort_values("cached", kind="stable")
    classes = table.groupby("label")
    place = classes.cumcount()
    table["place"] = place.where(place < _OF_A_CLASS, _OF_A_CLASS + (place + 0.5) / classes["label"].transform("size"))
    return table.sort_values("place", kind="stable").index.tolist()


def first_sizes(work: PreparedRun) -> tuple[int, int]:
    """Images of the trial that warms up, and of the first one that counts."""
    images, classes = len(work.index), len(work.index.classes())
    fewest = _OF_A_CLASS * classes
    return min(images, max(_FIRST, fewest // 2)), min(images, max(fewest, min(_SECOND, images // 2)))


def try_on(
    work: PreparedRun, rows: Sequence[int], folder: Path, workers: int, fits: Fits = "all", extract: bool = True
) -> Trial:
    """Read, compare and fit a few of the images, in a folder of their own; vectors stay in the cache.

    Parameters
    ----------
    work : PreparedRun
    rows : sequence of int
    folder : Path
    workers : int
    fits : {"all", "first", "none"}
        What is fitted: every selector and classifier; classifiers alone, on made-up numbers, to load what they need;
        nothing.
    extract : bool
        Without, the measurements of the images stand for their features: fits to both cost much the same.

    Raises
    ------
    EveryCombinationFailedError
        Nothing can be extracted from, or fitted to, so few images.
    """
    costs, start = Costs(), time.perf_counter()
    workspace = Workspace.of(RunFolder(folder), workers, costs.time_stages(silent))
    workspace.folder.begin_features()
    chosen = np.zeros(len(work.index), dtype=bool)
    chosen[list(rows)] = True
    index = _measured(work.index.split(chosen)[1], workspace, _compares(work, fits))
    sources = extract_features(work.extractors, index, workspace) if extract else _stand_ins(work, workspace)
    if extract:
        extract_features(work.controls, index, workspace)
    if sources and all(source.error for source in sources):
        raise nothing_fitted("; ".join(source.error for source in sources))
    cells = None
    if fits == "first":
        costs.stages[STARTING] = 1, warm_up(work, folder)
    elif fits == "all" and sources:
        cells = time_cells(work, index, sources, folder)
    records = list((folder / "records").glob("*.parquet"))
    kept = folder_bytes(folder / "records") // max(1, len(records))
    return Trial(len(index), time.perf_counter() - start, costs.stages, cells, kept)


def _stand_ins(work: PreparedRun, workspace: Workspace) -> list[FeatureSource]:
    """The last of the measurements, which are those of the fingerprint, as the features of every extractor."""
    matrix = workspace.folder.matrix("stand-in")
    np.save(matrix, np.load(workspace.folder.matrix("measurements"), mmap_mode="r")[:, -_STAND_IN:])
    return [FeatureSource(label, matrix, label) for label in work.extractors]


def _compares(work: PreparedRun, fits: Fits) -> bool:
    return fits != "none" and work.experiment.images.copies != "off"


def _measured(index: ImageIndex, workspace: Workspace, compare: bool) -> ImageIndex:
    """The images that can be read, measured and, if that is wanted, compared."""
    cache, target = FeatureCache.shared(SimpleMeasurements.identity), workspace.folder.matrix("measurements")
    with KeypointFile(target.parent) as keypoints:
        with workspace.progress(MEASURING, len(pending(index.files(), cache))) as advance:
            measuring = SimpleMeasurements(keypoints)
            unreadable = extract_to(target, measuring, index.files(), cache, workspace.workers, advance)
        index = index.without(unreadable) if unreadable else index
        if compare:
            fingerprints = fingerprints_of(np.load(target, mmap_mode="r"), cache.feature_names())
            find_copies(index, fingerprints, keypoints, workspace)
    return index


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

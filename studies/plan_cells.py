"""Cells of a trial: what fits and statistics cost, measured in this process on a few images."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ..config.experiment import Evaluation
from ..errors import EveryCombinationFailedError
from ..evaluation.folds import Fold, make_folds
from ..evaluation.grid import FeatureSource, Grid
from ..evaluation.guards import permute_labels
from ..evaluation.methods import Method
from ..evaluation.records import FIT_S, PREDICT_S, SELECTOR_S, Record, RecordStore
from ..evaluation.runner import run_unit
from ..evaluation.statistics.analysis import Analysis
from ..evaluation.task import Task
from ..images.index import ImageIndex
from ..steps.fit_permutations import permuted_combinations
from ..steps.make_task import make_task
from ..steps.prepare_run import PreparedRun
from .plan_forecast import Cells

_MADE_UP = 24, 8
_ANALYSED = 2_000
"""Images of the made-up predictions whose statistics are timed."""


@dataclass(frozen=True)
class _Timed:
    """Records of a fold of one extractor, by selector and classifier."""

    records: dict[tuple[str, str], Record]
    reference: str
    """The selector whose classifiers stand for those of others that reduce."""

    def costs(self, selector: str, classifier: str, whole: bool, wider: float) -> dict[str, float]:
        """Seconds of one cell; `wider` is the width of its extractor in units of the one that was timed."""
        own = self.records.get((selector, classifier)) or self.records.get((self.reference, classifier))
        selecting = next((r for (name, _), r in self.records.items() if name == selector), None)
        scale = wider if whole else 1.0
        return {
            SELECTOR_S: selecting.selector_s * wider if selecting else 0.0,
            FIT_S: own.fit_s * scale if own else 0.0,
            PREDICT_S: own.predict_s * scale if own else 0.0,
        }


def time_cells(work: PreparedRun, index: ImageIndex, sources: Sequence[FeatureSource], folder: Path) -> Cells:
    """Fit the narrowest extractor with every selector and every classifier on one half, and predict the other.

    Every classifier is fitted on all features and on those of one selector, which stand for those of the others.
    Other extractors cost more in proportion to their width.

    Raises
    ------
    EveryCombinationFailedError
    """
    import pandas as pd

    usable = [source for source in sources if not source.error]
    narrow, task, fold = min(usable, key=lambda source: source.width), *_halves(index, work)
    grid = Grid(task, [fold], [narrow], *work.methods, work.rules)
    permute = work.experiment.evaluation.permute
    only = permuted_combinations([source.label for source in usable], *work.methods)[0] if permute else None
    timed = _time(grid, RecordStore(folder / "records"))
    rows: list[dict[str, Any]] = []
    for source in usable:
        for selector in grid.selectors:
            for classifier in grid.classifiers:
                names = {"extractor": source.label, "selector": selector.label, "classifier": classifier.label}
                if only is not None and tuple(names.values()) not in only:
                    continue
                wider = source.width / narrow.width
                rows.append(names | timed.costs(selector.label, classifier.label, _keeps_all(selector), wider))
    return Cells(len(fold.train), len(fold.test), pd.DataFrame(rows))


def _halves(index: ImageIndex, work: PreparedRun) -> tuple[Task, Fold]:
    """Two halves for timing alone: images of one group may lie in both."""
    task = make_task(index)
    ids = np.char.add(np.arange(len(task)).astype(str), task.image_ids)
    task = replace(task, image_ids=ids, groups=np.arange(len(task)), guards={})
    if work.experiment.evaluation.permute:
        task = permute_labels(task, work.experiment.evaluation.seed)
    return task, make_folds(task, 2, 1, work.experiment.evaluation.seed)[0]


def _time(grid: Grid, store: RecordStore) -> _Timed:
    reducing = [method.label for method in grid.selectors if not _keeps_all(method)]
    complete = {*reducing[:1], *(method.label for method in grid.selectors if _keeps_all(method))}
    records: dict[tuple[str, str], Record] = {}
    for unit in grid.pending(set()):
        chosen = unit if unit.selector.label in complete else replace(unit, classifiers=unit.classifiers[:1])
        run_unit(chosen, grid.task, grid.rules, store)
        for key, classifier in chosen.classifiers:
            record = store.read(key)
            if record is not None and not record.error:
                records[unit.selector.label, classifier.label] = record
    if not records:
        raise nothing_fitted(f"a trial on {len(grid.task):,} images")
    return _Timed(records, (reducing or [grid.selectors[0].label])[0])


def nothing_fitted(received: str) -> EveryCombinationFailedError:
    """The error of a plan whose trials failed."""
    return EveryCombinationFailedError(
        "Every fit of the trials failed, so the cost cannot be estimated.",
        received=received,
        fix="run it without --plan: notes.csv will list the reasons.",
    )


def _keeps_all(selector: Method) -> bool:
    return bool(selector.identity["name"] == "none")


def warm_up(work: PreparedRun, folder: Path) -> float:
    """Seconds that a process takes to load what the fits need: each classifier is fitted to made-up numbers."""
    start, (rows, columns) = time.perf_counter(), _MADE_UP
    matrix = folder / "made-up.npy"
    np.save(matrix, np.random.default_rng(0).normal(size=(rows, columns)).astype(np.float32))
    classes = work.index.classes()
    ids = [str(row) for row in range(rows)]
    task = Task.of(ids, [classes[row % 2] for row in range(rows)], range(rows))
    none = [method for method in work.methods[0] if _keeps_all(method)]
    grid = Grid(task, make_folds(task, 2, 1, 0)[:1], [FeatureSource("", matrix, "")], none, work.methods[1], work.rules)
    for unit in grid.pending(set()):
        run_unit(unit, task, grid.rules, RecordStore(folder / "warm"))
    return time.perf_counter() - start


def statistics_seconds(index: ImageIndex, evaluation: Evaluation, combinations: int) -> float:
    """Seconds of the statistics of so many combinations, from two made-up ones."""
    rows = np.random.default_rng(0).permutation(len(index))[:_ANALYSED]
    task, draw = make_task(index), np.random.default_rng(1)
    folds = np.tile(np.arange(len(rows)) % evaluation.folds, (evaluation.repeats, 1))
    protocol = evaluation.rank_by, evaluation.seed, evaluation.resamples
    analysis = Analysis(task.labels[rows], task.classes, task.groups[rows], folds, *protocol)
    seconds = []
    for number in range(2):  # the first one loads what statistics need
        probabilities = draw.dirichlet(np.ones(len(task.classes)), folds.shape)
        start = time.perf_counter()
        analysis.add(("", "", str(number)), "combination", probabilities)
        seconds.append(time.perf_counter() - start)
    return combinations * seconds[1] * max(1.0, len(index) / _ANALYSED)

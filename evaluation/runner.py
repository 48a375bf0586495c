"""The runner: fits what the grid asks for, inside the training part of each fold, and writes records."""

from __future__ import annotations

import logging
import time
import traceback
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ExtractionError
from .folds import InnerFolds, check
from .grid import Grid, Unit
from .methods import FitRules, prepared
from .records import Record, RecordStore
from .task import Task

_TOLERANCE = 1e-3
_log = logging.getLogger(__name__)

Floats = NDArray[Any]


def run_grid(grid: Grid, store: RecordStore, workers: int, advance: Callable[[int], None] = lambda done: None) -> None:
    """Bring a record into `store` for every combination and fold that has none, or only a failed one.

    Parameters
    ----------
    grid : Grid
    store : RecordStore
    workers : int
        Processes; each one computes with one thread, so that the numbers do not depend on how many there are.
    advance : callable
        Called with the number of cells just finished.
    """
    units = grid.pending(finished_keys(grid, store))
    done: set[int] = set()

    def finished(position: int) -> None:
        done.add(position)
        advance(len(units[position].classifiers))

    try:
        _in_processes(grid, store, units, workers, finished)
    except _worker_died() as error:
        _log.warning("A worker process died (%s); the rest runs one cell at a time.", type(error).__name__)
        for position in sorted(set(range(len(units))) - done):
            _alone(grid, store, units[position])
            finished(position)


def finished_keys(grid: Grid, store: RecordStore) -> set[str]:
    """Keys of all cells with a record that is not a failure."""
    keys = [grid.key(combination, fold) for combination in grid.combinations() for fold in grid.folds]
    records = ((key, store.read(key)) for key in keys)
    return {key for key, record in records if record is not None and not record.error}


def run_unit(unit: Unit, task: Task, rules: FitRules, store: RecordStore) -> None:
    """Fit the unit's selector once, then each of its classifiers; write a record for each."""
    from threadpoolctl import threadpool_limits

    check(task, unit.fold)
    with threadpool_limits(1):
        try:
            selected = _select(unit, task)
        except (Exception, SystemExit):
            for key, _ in unit.classifiers:
                store.write(key, Record(None, error=traceback.format_exc()), task.classes)
            return
        inner = InnerFolds(task, unit.fold, rules.seed)
        for key, classifier in unit.classifiers:
            estimator = prepared(classifier, rules, inner)
            store.write(key, _classify(estimator, selected, unit, task), task.classes)


class _Selected:
    """Reduced training and test features of one fold, and what selecting them cost."""

    def __init__(self, train: Floats, test: Floats, seconds: float, support: list[int], said: list[str]) -> None:
        self.train, self.test, self.seconds, self.support, self.warnings = train, test, seconds, support, said


def _select(unit: Unit, task: Task) -> _Selected:
    from sklearn.base import clone

    if unit.source.error:
        raise ExtractionError(unit.source.error)
    features = np.load(unit.source.matrix, mmap_mode="r")
    # float64, because solvers that iterate in float32 stop where rounding leaves them: probabilities 1 % apart
    train, test = (features[rows].astype(np.float64) for rows in (unit.fold.train, unit.fold.test))
    start = time.perf_counter()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        selector = clone(unit.selector.estimator).fit(train, task.labels[unit.fold.train])
        reduced = np.asarray(selector.transform(train)), np.asarray(selector.transform(test))
    seconds = time.perf_counter() - start
    return _Selected(*reduced, seconds, _support(selector), _messages(caught))


def _classify(make: Callable[[], Any], selected: _Selected, unit: Unit, task: Task) -> Record:
    labels = task.labels[unit.fold.train]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            start = time.perf_counter()
            fitted = make().fit(selected.train, labels)
            fit_s = time.perf_counter() - start
            start = time.perf_counter()
            probabilities = _all_classes(fitted, selected.test, len(task.classes))
            predict_s = time.perf_counter() - start
        except (Exception, SystemExit):
            return Record(None, selector_s=selected.seconds, error=traceback.format_exc())
    return Record(
        probabilities,
        selector_s=selected.seconds,
        fit_s=fit_s,
        predict_s=predict_s,
        features=selected.train.shape[1],
        support=selected.support,
        warnings=selected.warnings + _messages(caught),
    )


def _all_classes(fitted: Any, test: Floats, classes: int) -> NDArray[np.float64]:
    """Probabilities of all classes, zero for those that the training part lacks; refuse what is no probability."""
    found = np.asarray(fitted.predict_proba(test), dtype=np.float64)
    present = np.asarray(fitted.classes_, dtype=int)
    if found.shape != (len(test), len(present)):
        raise ValueError(f"predict_proba gave shape {found.shape} instead of {(len(test), len(present))}")
    if not np.isfinite(found).all():
        raise ValueError(
            f"predict_proba gave NaN or infinity for {int((~np.isfinite(found)).any(axis=1).sum())} images"
        )
    if found.min() < -_TOLERANCE or np.abs(found.sum(axis=1) - 1).max() > _TOLERANCE:
        raise ValueError("predict_proba gave numbers that are no probabilities: below 0, or with another sum than 1")
    full = np.zeros((len(test), classes))
    full[:, present] = found
    return full


def _support(selector: Any) -> list[int]:
    kept = getattr(selector, "get_support", None)
    return [int(column) for column in np.flatnonzero(kept())] if kept else []


def _messages(caught: list[warnings.WarningMessage]) -> list[str]:
    return sorted({f"{warning.category.__name__}: {warning.message}".splitlines()[0] for warning in caught})


def _in_processes(
    grid: Grid, store: RecordStore, units: list[Unit], workers: int, finished: Callable[[int], Any]
) -> None:
    from joblib import Parallel, delayed

    jobs = (delayed(_numbered)(position, unit, grid.task, grid.rules, store) for position, unit in enumerate(units))
    for position in Parallel(n_jobs=workers, return_as="generator_unordered", batch_size=1)(jobs):
        finished(position)


def _numbered(position: int, unit: Unit, task: Task, rules: FitRules, store: RecordStore) -> int:
    run_unit(unit, task, rules, store)
    return position


def _alone(grid: Grid, store: RecordStore, unit: Unit) -> None:
    """Run each cell of a unit in processes of its own; what kills them costs only that cell."""
    for key, classifier in unit.classifiers:
        record = store.read(key)
        if record is not None and not record.error:
            continue
        cell = Unit(unit.source, unit.selector, unit.fold, ((key, classifier),))
        try:
            _in_processes(grid, store, [cell], 2, lambda position: None)
        except _worker_died():
            reason = "The process that computed this died: most often the machine ran out of memory."
            store.write(key, Record(None, error=reason), grid.task.classes)


def _worker_died() -> type[BaseException]:
    from joblib.externals.loky.process_executor import TerminatedWorkerError

    return TerminatedWorkerError

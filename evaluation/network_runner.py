"""The runner of networks on pixels: one training at a time, with all cores, in a process that may die."""

from __future__ import annotations

import contextlib
import json
import logging
import math
import os
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..machine import Limits, end_process, end_with_parent, in_main_thread
from ..storage import write_text
from .folds import InnerFolds, check
from .grid import Grid, Unit, finished_keys
from .methods import FitRules, estimator_factory
from .records import Record, RecordStore
from .runner import Sides, classify
from .task import Task
from .validation import Beside

_LOOK_S = 0.5
DIED = "The process that trained this died: most often the machine ran out of memory. A smaller batch_size needs less."
_NO_LIMITS = Limits()
_log = logging.getLogger(__name__)

Advance = Callable[[float, str], None]


class Rows:
    """Some rows of an array that lies in a file: nothing is read before it is indexed.

    Parameters
    ----------
    path : Path
        A ``.npy`` file.
    rows : ndarray of int
    """

    def __init__(self, path: Path, rows: NDArray[np.int64]) -> None:
        self._whole = np.load(path, mmap_mode="r")
        self._path, self._rows = path, rows
        self.shape = (len(rows), *self._whole.shape[1:])
        self.ndim = len(self.shape)

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, places: Any) -> Any:
        if isinstance(places, tuple):  # how scikit-learn cuts folds: rows, and all of each
            return Rows(self._path, self._rows[places[0]])
        return np.asarray(self._whole[self._rows[places]])

    def followed_by(self, others: Rows) -> Rows:
        """These rows, then others of the same file."""
        return Rows(self._path, np.concatenate([self._rows, others._rows]))


def rows_beside(task: Task, pixels: Path) -> Beside | None:
    """Images for validation, which lie behind those of the task; None where it has none."""
    if task.validation is None:
        return None
    rows = Rows(pixels, len(task) + np.arange(len(task.validation)))
    return Beside(rows, task.validation.labels, task.validation.groups)


def pending_networks(grid: Grid, store: RecordStore, limits: Limits = _NO_LIMITS) -> list[Unit]:
    """Trainings that have no record yet, one network and fold each."""
    units = [unit for unit in grid.pending(finished_keys(grid, store, limits)) if unit.source.images]
    return [replace(unit, classifiers=(one,)) for unit in units for one in unit.classifiers]


def run_networks(
    grid: Grid,
    store: RecordStore,
    threads: int,
    advance: Advance = lambda done, words: None,
    limits: Limits = _NO_LIMITS,
) -> None:
    """Bring a record into `store` for every network and fold that has none, or only a failed one.

    Parameters
    ----------
    grid : Grid
    store : RecordStore
        Checkpoints lie beside the records until a training is finished, or exceeds a limit; not after the deadline.
    threads : int
        Of the one training process.
    advance : callable
        Called with the part of a training that was done since, and the state of the work in words.
    limits : Limits
        Enforced from outside that process.
    """
    stopped: dict[str, Record] = {}
    with contextlib.ExitStack() as stack:
        process: Any = None
        for unit in pending_networks(grid, store, limits):
            key, method = unit.classifiers[0]
            if limits.over:
                return
            if method.label in stopped:  # in another fold: the row has no numbers any more
                store.write(key, stopped[method.label], grid.task.classes)
                continue
            process = process or stack.enter_context(fresh_process())
            _progress(store, key).unlink(missing_ok=True)
            job = process.submit(train_unit, unit, grid.task, grid.rules, store, threads)
            watch = Watch(process, _progress(store, key), limits)
            try:
                follow(job, _progress(store, key), _name(unit), advance, watch)
            except BrokenProcessPool:
                if watch.over:
                    return
                record = watch.record or Record(None, error=DIED)
                _log.warning("%s, fold %s: %s", method.label, unit.fold.number, record.error)
                store.write(key, record, grid.task.classes)
                process = None
                if record.limit:
                    words = f"Not tried, as in fold {unit.fold.number}: {record.error}"
                    stopped[method.label] = replace(record, error=words)
            for left in store.folder.glob(f"{key}*"):
                if left.suffix != ".parquet":
                    left.unlink()


class Watch:
    """Looks whether the training in a process exceeds its limits, and kills it.

    Parameters
    ----------
    process
        Of `fresh_process`.
    started : Path
        A file that is there from the beginning of the training: to load what it needs takes no time of it.
    limits : Limits

    Attributes
    ----------
    record : Record or None
        Of a training that was killed for exceeding a limit.
    over : bool
        It was killed since the deadline passed.
    """

    def __init__(self, process: Any, started: Path, limits: Limits) -> None:
        self._process, self._started, self._limits = process, started, limits
        self._began = math.inf
        self.record: Record | None = None
        self.over = False

    def look(self) -> None:
        """Kill it where it exceeds a limit."""
        if self._began == math.inf and self._started.exists():
            self._began = time.monotonic()
        numbers = list(self._process._processes)
        stops = [self._limits.exceeded("", self._began, number) for number in numbers]
        stop = next(filter(None, stops), None)
        self.over = self._limits.over
        if stop:
            self.record = Record(None, error=f"The training was stopped: {stop.words}.", limit=dict(stop.limit))
        if stop or self.over:
            for number in numbers:
                end_process(number)


def train_unit(unit: Unit, task: Task, rules: FitRules, store: RecordStore, threads: int) -> None:
    """Train one network in one fold and write its record; goes on from its checkpoint where there is one."""
    (key, method) = unit.classifiers[0]
    check(task, unit.fold)
    inner = InnerFolds(task, unit.fold, rules.seed)
    estimator = method.estimator
    if "n_jobs" in estimator.get_params():
        estimator.set_params(n_jobs=threads)
    pixels = unit.source.matrix
    beside = rows_beside(task, pixels)
    sides = Sides(Rows(pixels, unit.fold.train), Rows(pixels, unit.fold.test), validation=beside)
    write_text(_progress(store, key), "{}")
    try:
        record = classify(
            estimator_factory(method, rules, inner, task.classes),
            sides,
            task.labels[unit.fold.train],
            len(task.classes),
            groups=task.groups[unit.fold.train],
            checkpoint=_checkpoint(store, key),
            report=reporter(_progress(store, key)),
        )
        store.write(key, record, task.classes)
    except (TypeError, ValueError):  # a plug-in's network may say of itself what cannot be stored
        store.write(key, Record(None, error=traceback.format_exc()), task.classes)


def reporter(path: Path) -> Callable[[Mapping[str, Any]], None]:
    """What writes into `path` how far a training is."""

    def report(training: Mapping[str, Any]) -> None:
        write_text(path, json.dumps(dict(training)))

    return report


def follow(job: Any, path: Path, name: str, advance: Advance, watch: Watch | None = None) -> Any:
    """Look how far the training that reports into `path` is until it has ended; what it gives."""
    done = 0.0
    while not job.done():
        time.sleep(_LOOK_S)
        if watch:
            watch.look()
        # A plug-in may report anything.
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            training = json.loads(path.read_text(encoding="utf-8"))
            reached = max(done, min(1.0, float(training["done"])))
            words = f"{name}, {_in_words(training)}"
            advance(reached - done, words)
            done = reached
    result = job.result()
    advance(1 - done, "")
    return result


def _name(unit: Unit) -> str:
    repeat = f"repeat {unit.fold.repeat}, " if unit.fold.repeat else ""
    return f"{unit.classifiers[0][1].label}, {repeat}fold {unit.fold.number}"


def _in_words(training: Mapping[str, Any]) -> str:
    words = str(training["phase"])
    if "loss" in training:
        words += f", epoch {training['epoch']}/{training['epochs']}, loss {training['loss']:.3f}"
    if not math.isnan(training.get("validation_loss", math.nan)):
        words += f", validation {training['validation_loss']:.3f}"
    return words


def _checkpoint(store: RecordStore, key: str) -> Path:
    return store.folder / f"{key}.npz"


def _progress(store: RecordStore, key: str) -> Path:
    return store.folder / f"{key}.json"


@contextlib.contextmanager
def fresh_process() -> Iterator[Any]:
    """A fresh process, which is killed at the end, whatever ends this one: nothing of Keras was loaded there."""
    from joblib.externals.loky import ProcessPoolExecutor

    own = os.getpid(), in_main_thread()
    executor = ProcessPoolExecutor(max_workers=1, initializer=end_with_parent, initargs=own)
    try:
        yield executor
    finally:
        executor.shutdown(wait=True, kill_workers=True)

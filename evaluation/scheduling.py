"""Scheduling: which cells of a grid are computed when, what is stopped, and what that costs the rest."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace

from ..machine import Executor, Limits, Stop
from .expected_costs import expected_seconds
from .folds import Fold
from .grid import Grid, Unit, finished_keys, spread
from .methods import FitRules, Method
from .network_runner import pending_networks, train_unit
from .records import Record, RecordStore
from .runner import SELECTOR, run_unit
from .task import Task

_NO_LIMITS = Limits()
_Piece = tuple[Unit, Task, FitRules, RecordStore]


def run_grid(
    grid: Grid, store: RecordStore, executor: Executor, advance: Callable[[int], None] = lambda done: None
) -> None:
    """Bring a record into `store` for every combination and fold that has none, or only a failed one.

    What exceeds the limits of the executor, or ends its process, fails alone; with a deadline the cheapest combinations
    come first, and the rest is left without records. Networks on pixels are `leukobench.evaluation.network_runner`'s.

    Parameters
    ----------
    grid : Grid
    store : RecordStore
    executor : Executor
        Each worker computes with one thread, so that the numbers do not depend on how many there are.
    advance : callable
        Called with the number of cells just finished.
    """
    units = pending_units(grid, store, executor.limits)
    if math.isfinite(executor.limits.deadline):
        units = cheapest_first(grid, units)
    cells = _Cells(grid, store, spread(units, executor.workers))
    for position, _ in executor.map(run_unit, cells.pieces(), cells.stopped):
        advance(len(cells.units[position].classifiers))
    # A process may have died of the memory that others held: nothing runs beside the second try.
    again = _Cells(grid, store, cells.died, last=True)
    for _ in executor.alone().map(run_unit, again.pieces(), again.stopped):
        pass


def run_trainings(
    grid: Grid, store: RecordStore, cluster: Executor, advance: Callable[[int], None] = lambda done: None
) -> None:
    """The same for networks on pixels, on other machines than this: each training with one thread, or on a GPU."""
    cells = _Cells(grid, store, pending_networks(grid, store, cluster.limits), last=True)
    for _ in cluster.for_networks().map(train_there, cells.pieces(), cells.stopped):
        advance(1)


def train_there(
    unit: Unit, task: Task, rules: FitRules, store: RecordStore, begin: Callable[[str], None] = lambda step: None
) -> None:
    """Train the unit's network and write its record; what a training leaves beside its record is removed."""
    for key, _ in unit.classifiers:
        begin(key)
        train_unit(unit, task, rules, store, threads=1)
        for left in store.folder.glob(f"{key}*"):
            if left.suffix != ".parquet":
                left.unlink()


def pending_units(grid: Grid, store: RecordStore, limits: Limits = _NO_LIMITS) -> list[Unit]:
    """Units with cells that have no record yet, but for networks on pixels."""
    return [unit for unit in grid.pending(finished_keys(grid, store, limits)) if not unit.source.images]


def cheapest_first(grid: Grid, units: list[Unit]) -> list[Unit]:
    """Units in the order of what a combination is expected to cost, all folds of one after another; baselines first.

    Where there is no selector to share, each classifier is a unit; so is one of the user's own, of unknown cost.
    """
    baselines = {combination.source.identity for combination in grid.baselines}

    def seconds(unit: Unit, method: Method) -> float:
        return expected_seconds(unit.source.width, unit.selector, method)

    def parts(unit: Unit) -> list[tuple[tuple[str, Method], ...]]:
        ordered = sorted(unit.classifiers, key=lambda one: seconds(unit, one[1]))
        together = [
            one for one in ordered if unit.selector.identity["name"] != "none" and seconds(unit, one[1]) < math.inf
        ]
        alone = [(one,) for one in ordered if one not in together]
        return [tuple(together), *alone] if together else [*alone]

    def place(unit: Unit) -> tuple[bool, float, tuple[str, ...]]:
        costs = [seconds(unit, method) for _, method in unit.classifiers]
        names = unit.source.label, unit.selector.label, *(method.label for _, method in unit.classifiers)
        return unit.source.identity not in baselines, sum(costs) / len(costs), names

    return sorted((replace(unit, classifiers=part) for unit in units for part in parts(unit)), key=place)


class _Cells:
    """Units on their way through an executor.

    Parameters
    ----------
    grid : Grid
    store : RecordStore
    units : list of Unit
    last : bool
        What dies is not tried again.

    Attributes
    ----------
    died : list of Unit
        What was being computed in processes that died.
    """

    def __init__(self, grid: Grid, store: RecordStore, units: list[Unit], last: bool = False) -> None:
        self.units, self.died = units, list[Unit]()
        self._grid, self._store, self._last = grid, store, last
        self._left = dict[int, Unit]()
        self._stopped = dict[tuple[str, ...], Record]()

    def pieces(self) -> Iterator[_Piece]:
        """What the runner gets, when it is begun: without combinations that were stopped in another fold meanwhile."""
        for position, unit in enumerate(self.units):
            yield self._piece(position, unit)

    def stopped(self, position: int, stop: Stop) -> _Piece | None:
        """Fail the cell that was stopped, or all where it is the selector; what is left of the unit."""
        unit = self._left[position]
        keys = [key for key, _ in unit.classifiers]
        place = keys.index(stop.step) if stop.step in keys else None
        lost = replace(unit, classifiers=unit.classifiers if place is None else unit.classifiers[place : place + 1])
        if stop.limit or self._last:
            what = "selector" if stop.step == SELECTOR else "fit"
            how = "was stopped" if stop.limit else "did not finish"
            self._fail(lost, Record(None, error=f"The {what} {how}: {stop.words}.", limit=dict(stop.limit)))
        else:
            self.died.append(lost)
        rest = () if place is None else unit.classifiers[place + 1 :]
        piece = self._piece(position, replace(unit, classifiers=rest))
        return piece if piece[0].classifiers else None

    def _piece(self, position: int, unit: Unit) -> _Piece:
        kept = []
        for key, method in unit.classifiers:
            if stopped := self._stopped.get(_place(unit, method)):
                self._store.write(key, stopped, self._grid.task.classes)
            else:
                kept.append((key, method))
        self._left[position] = replace(unit, classifiers=tuple(kept))
        return self._left[position], self._grid.task, self._grid.rules, self._store

    def _fail(self, unit: Unit, record: Record) -> None:
        """The row fails in its other folds, too: it has no numbers any more, and would be stopped there again."""
        for key, method in unit.classifiers:
            self._store.write(key, record, self._grid.task.classes)
            if record.limit:
                words = f"Not tried, as in {_in_words(unit.fold)}: {record.error}"
                self._stopped.setdefault(_place(unit, method), replace(record, error=words))


def _place(unit: Unit, method: Method) -> tuple[str, ...]:
    return unit.source.identity, unit.selector.label, method.label


def _in_words(fold: Fold) -> str:
    return f"repeat {fold.repeat}, fold {fold.number}" if fold.repeat else f"fold {fold.number}"

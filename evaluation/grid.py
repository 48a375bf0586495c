"""The grid: every combination of extractor, selector and classifier, cut into units of work that share a selector."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import product
from pathlib import Path

import numpy as np

from ..machine import Limits
from ..storage import digest
from .combination_names import Names
from .folds import Fold
from .identity import NETWORK_RUNNER, RUNNER, runner_software
from .methods import FitRules, Method
from .records import RecordStore
from .task import Task

_NO_LIMITS = Limits()


@dataclass(frozen=True)
class FeatureSource:
    """One extractor's features: a memory-mapped ``.npy`` file and the digest of what the numbers depend on.

    Where the extractor failed, `error` says how, and there is no file. With `images` the file holds pixels, uint8 of
    shape (n, H, W, 3), for networks that are trained end to end.
    """

    label: str
    matrix: Path
    identity: str
    error: str = ""
    images: bool = False

    @cached_property
    def width(self) -> int:
        """Number of features."""
        return 0 if self.error else int(np.prod(np.load(self.matrix, mmap_mode="r").shape[1:]))


@dataclass(frozen=True)
class Combination:
    """One row of the leaderboard; `kind` is ``"combination"``, or ``"shortcut"`` or ``"content"`` for a baseline."""

    source: FeatureSource
    selector: Method
    classifier: Method
    kind: str = "combination"

    @property
    def labels(self) -> Names:
        """Extractor, selector, classifier as tables call them."""
        return self.source.label, self.selector.label, self.classifier.label


@dataclass(frozen=True)
class Unit:
    """Work that one process does at a stretch: a selector fitted once in one fold, then the classifiers on top."""

    source: FeatureSource
    selector: Method
    fold: Fold
    classifiers: tuple[tuple[str, Method], ...]
    """Record key and classifier, of the cells that have no record yet."""


def spread(units: Sequence[Unit], workers: int) -> list[Unit]:
    """As many units as there are workers, where there are fewer: parts of one fit its selector anew, on idle cores."""
    parts = -(-workers // max(1, len(units)))
    return [
        replace(unit, classifiers=unit.classifiers[part::parts])
        for unit in units
        for part in range(min(parts, len(unit.classifiers)))
    ]


@dataclass(frozen=True)
class Grid:
    """All combinations over shared folds.

    Attributes
    ----------
    baselines : sequence of Combination
        Stand on the leaderboard beside the combinations, are computed like them, and are no candidates.
    networks : sequence of Combination
        Of pixels, no selector, and a network that is trained end to end.
    only : frozenset of names, optional
        Of the combinations of sources, selectors and classifiers, those that take part; all by default.
    rules : FitRules
    """

    task: Task
    folds: Sequence[Fold]
    sources: Sequence[FeatureSource]
    selectors: Sequence[Method]
    classifiers: Sequence[Method]
    rules: FitRules = field(default_factory=FitRules)
    baselines: Sequence[Combination] = ()
    networks: Sequence[Combination] = ()
    only: frozenset[Names] | None = None

    def combinations(self) -> Iterator[Combination]:
        """Every extractor with every selector with every classifier, then networks, then baselines."""
        for source, selector, classifier in product(self.sources, self.selectors, self.classifiers):
            combination = Combination(source, selector, classifier)
            if self.only is None or combination.labels in self.only:
                yield combination
        yield from self.networks
        yield from self.baselines

    def key(self, combination: Combination, fold: Fold) -> str:
        """Name of the record: everything that the numbers of this cell depend on."""
        parts = (combination.source.identity, combination.selector.identity, combination.classifier.identity)
        software = self._software[NETWORK_RUNNER if combination.source.images else RUNNER]
        return digest([parts, self._fold_digests[fold.repeat, fold.number], self.rules.identity(), software])

    def pending(self, finished: set[str]) -> list[Unit]:
        """Units with cells that are not in `finished`; those with most features first, since they take longest."""
        cells: dict[tuple[str, str, int], list[tuple[str, Method]]] = {}
        parts: dict[tuple[str, str], Combination] = {}
        for combination in self.combinations():
            names = combination.source.identity, combination.selector.label
            parts.setdefault(names, combination)
            for position, fold in enumerate(self.folds):
                if (key := self.key(combination, fold)) not in finished:
                    cells.setdefault((*names, position), []).append((key, combination.classifier))
        units = [
            Unit(parts[source, selector].source, parts[source, selector].selector, self.folds[fold], tuple(classifiers))
            for (source, selector, fold), classifiers in cells.items()
        ]
        order = {selector.label: position for position, selector in enumerate(self.selectors)}

        def cost(unit: Unit) -> tuple[bool, int, int]:
            reduced = unit.selector.identity["name"] != "none"
            return reduced, order.get(unit.selector.label, len(order)), -unit.source.width

        return sorted(units, key=cost)

    @cached_property
    def _fold_digests(self) -> dict[tuple[int, int], str]:
        return {(fold.repeat, fold.number): fold.digest(self.task) for fold in self.folds}

    @cached_property
    def _software(self) -> dict[str, dict[str, str]]:
        return {runner: runner_software(runner) for runner in (RUNNER, NETWORK_RUNNER)}


def finished_keys(grid: Grid, store: RecordStore, limits: Limits = _NO_LIMITS) -> set[str]:
    """Keys of all cells with a record that is no failure, or one that these limits would make again."""
    keys = [grid.key(combination, fold) for combination in grid.combinations() for fold in grid.folds]
    records = ((key, store.read(key)) for key in keys)
    return {
        key for key, record in records if record is not None and (not record.error or limits.stop_again(record.limit))
    }

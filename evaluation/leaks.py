"""Leaky protocols: what papers do before or across the split, each beside its honest counterpart."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..storage import atomic_path, digest
from .folds import make_folds
from .grid import FeatureSource, Grid
from .methods import FitRules, Method
from .smote import smote
from .task import Task

Floats = NDArray[np.float32]

PROTOCOLS = {
    "random split": "images of one group, also copies, on both sides of a split",
    "copies across": "one image in five repeated, the copies split at random",
    "selection before": "features selected on all images, then split",
    "scaling before": "features standardised on all images, then split",
    "SMOTE before": "synthetic images made from all images, then split; all are scored",
    "SMOTE before, real scored": "the same, but only real images are scored",
    "all together": "SMOTE, scaling and selection on all images, then a random split",
}
_COPIED = 5


@dataclass(frozen=True)
class LeakComparison:
    """The same combinations under a leaky and an honest protocol.

    Attributes
    ----------
    protocol : str
        A key of `PROTOCOLS`.
    leaky, honest : sequence of Grid
        Together they hold the same combinations, by their labels.
    real : int, optional
        Number of first images of the leaky task to score.
    """

    protocol: str
    leaky: Sequence[Grid]
    honest: Sequence[Grid]
    real: int | None = None


@dataclass(frozen=True)
class Setting:
    """One extractor's features of some images, the methods, and where matrices may be written.

    Attributes
    ----------
    scaling : sequence of (Method, Method)
        Each classifier that can scale: without, and with scaling inside.
    """

    label: str
    features: Floats
    identity: str
    task: Task
    selectors: Sequence[Method]
    none: Method
    classifiers: Sequence[Method]
    scaling: Sequence[tuple[Method, Method]]
    folds: int
    seed: int
    folder: Path

    @property
    def choosing(self) -> list[Method]:
        """Selectors that have something to learn."""
        return [selector for selector in self.selectors if selector.identity != self.none.identity]

    def source(self, features: Floats, *what: Any) -> FeatureSource:
        """`features` written as a matrix, its identity is what was done to them."""
        identity = digest(
            [self.identity, self.task.image_ids.tolist(), self.task.labels.tolist() if what else [], *what]
        )
        target = self.folder / f"{identity[:24]}.npy"
        if not target.exists():
            with atomic_path(target) as temporary, temporary.open("wb") as file:
                np.save(file, np.asarray(features, dtype=np.float32))
        return FeatureSource(self.label, target, identity)

    def grid(self, source: FeatureSource, task: Task, **parts: Any) -> Grid:
        """Combinations of one source on folds of `task`."""
        methods: dict[str, Any] = {"selectors": self.selectors, "classifiers": self.classifiers}
        methods["rules"] = FitRules(seed=self.seed)
        return Grid(task, make_folds(task, self.folds, 1, self.seed), [source], **(methods | parts))


def comparisons(setting: Setting) -> Iterator[LeakComparison]:
    """Every leaky protocol that makes a difference on these images."""
    task, plain = setting.task, setting.source(setting.features)
    honest = [setting.grid(plain, task)]
    if len(np.unique(task.groups)) < len(task):
        yield LeakComparison("random split", [setting.grid(plain, _ungroup(task))], honest)
    yield _copies_across(setting)
    chosen = [setting.grid(plain, task, selectors=setting.choosing)]
    if setting.choosing:
        yield LeakComparison("selection before", list(_selection_before(setting, setting.features, task)), chosen)
    if setting.scaling:
        yield _scaling_before(setting)
    if np.ptp(np.bincount(task.labels)):
        yield from _smote_before(setting)
    if setting.choosing:
        yield LeakComparison("all together", list(_all_together(setting)), chosen, len(task))


def subsample(task: Task, images: int, seed: int, fewest: int) -> NDArray[np.int64]:
    """About `images` rows in whole groups, every class in its proportion and with `fewest` groups; ascending."""
    rng = np.random.default_rng(seed)
    kept = []
    for label in np.unique(task.labels):
        groups = rng.permutation(np.unique(task.groups[task.labels == label]))
        sizes = np.array([(task.groups == group).sum() for group in groups])
        share = images * (task.labels == label).mean()
        kept.append(groups[: max(fewest, int(np.searchsorted(np.cumsum(sizes), share)) + 1)])
    return np.flatnonzero(np.isin(task.groups, np.concatenate(kept)))


def part_of(task: Task, rows: NDArray[np.int64]) -> Task:
    """The task of some rows."""
    guards = {name: keys[rows] for name, keys in task.guards.items()}
    return Task(task.image_ids[rows], task.labels[rows], task.classes, task.groups[rows], guards)


def _ungroup(task: Task) -> Task:
    """Every row on its own, with nothing that could object."""
    ids = np.char.add(task.image_ids.astype(str), np.char.add("#", np.arange(len(task)).astype(str)))
    return replace(task, image_ids=ids, groups=np.arange(len(task)), guards={})


def _copies_across(setting: Setting) -> LeakComparison:
    task, rng = setting.task, np.random.default_rng(setting.seed)
    rows = np.concatenate([np.arange(len(task)), rng.permutation(len(task))[: len(task) // _COPIED]])
    together = replace(part_of(task, rows), guards={})
    apart = together.groups.copy()
    apart[len(task) :] = apart.max() + 1 + np.arange(len(rows) - len(task))
    ids = _ungroup(together).image_ids
    source = setting.source(setting.features[rows], "copies", rows[len(task) :].tolist())
    leaky = setting.grid(source, replace(together, image_ids=ids, groups=apart))
    return LeakComparison("copies across", [leaky], [setting.grid(source, together)])


def _selection_before(setting: Setting, features: Floats, task: Task, *what: Any) -> Iterator[Grid]:
    from sklearn.base import clone

    for selector in setting.choosing:
        wide = np.asarray(features, dtype=np.float64)
        reduced = clone(selector.estimator).fit(wide, task.labels).transform(wide)
        source = setting.source(reduced, "selected before", selector.identity, *what)
        yield setting.grid(source, task, selectors=[replace(setting.none, label=selector.label)])


def _scaling_before(setting: Setting) -> LeakComparison:
    unscaled, scaled = ([pair[side] for pair in setting.scaling] for side in (0, 1))
    source = setting.source(_standardise(setting.features), "scaled before")
    alone = {"selectors": [setting.none]}
    leaky = setting.grid(source, setting.task, classifiers=unscaled, **alone)
    honest = setting.grid(setting.source(setting.features), setting.task, classifiers=scaled, **alone)
    return LeakComparison("scaling before", [leaky], [honest])


def _standardise(features: Floats) -> Floats:
    from sklearn.preprocessing import StandardScaler

    return StandardScaler().fit_transform(np.asarray(features, dtype=np.float64)).astype(np.float32)


def _smote_before(setting: Setting) -> Iterator[LeakComparison]:
    features, task = _oversample(setting.features, setting.task, setting.seed)
    leaky = [setting.grid(setting.source(features, "SMOTE before", setting.seed), task)]
    rules = FitRules("smote", seed=setting.seed)
    honest = [setting.grid(setting.source(setting.features), setting.task, rules=rules)]
    yield LeakComparison("SMOTE before", leaky, honest)
    yield LeakComparison("SMOTE before, real scored", leaky, honest, len(setting.task))


def _oversample(features: Floats, task: Task, seed: int) -> tuple[Floats, Task]:
    """Images and synthetic images, each of those a group of its own."""
    drawn, labels = smote(features, task.labels, seed)
    new = len(drawn) - len(task)
    ids = np.concatenate([task.image_ids, np.array([f"synthetic {row}" for row in range(new)], dtype=str)])
    groups = np.concatenate([task.groups, task.groups.max() + 1 + np.arange(new)])
    return drawn.astype(np.float32), Task(ids, labels.astype(np.int64), task.classes, groups)


def _all_together(setting: Setting) -> Iterator[Grid]:
    features, task = _oversample(setting.features, setting.task, setting.seed)
    return _selection_before(setting, _standardise(features), _ungroup(task), "all together", setting.seed)

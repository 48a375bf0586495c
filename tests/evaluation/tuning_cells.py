"""A small task of paired images, and cells of it that are tuned."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from leukobench.classifiers import CLASSIFIERS
from leukobench.evaluation.folds import Fold
from leukobench.evaluation.grid import FeatureSource, Grid
from leukobench.evaluation.methods import FitRules, Method, make_method
from leukobench.evaluation.records import Record, RecordStore
from leukobench.evaluation.scheduling import run_grid
from leukobench.evaluation.task import Task
from leukobench.processes.executors import Processes
from leukobench.selection import SELECTORS

from ..in_process import InProcess

C_VALUES = [1.0, 0.01, 0.1, 10.0]
COUNTS = [8, 2, 4]
LOGISTIC = make_pipeline(StandardScaler(), LogisticRegression(tol=1e-6, max_iter=5000))


def data(seed: int = 0, classes: int = 3, images: int = 54, shift: float = 0.9) -> tuple[np.ndarray, Task]:
    """Pairs of images that are alike and of one class: folds of equal size, and a search that has to keep pairs."""
    rng = np.random.default_rng(seed)
    groups = np.arange(images) // 2
    labels = groups % classes
    X = rng.normal(size=(images, 12)) + rng.normal(size=(images, 12))[groups]
    X[:, :classes] += shift * np.eye(classes)[labels]
    return X, Task.of([f"{row:064x}" for row in range(images)], [f"c{label}" for label in labels], groups)


def anova(axes: Mapping[str, list[Any]] | None = None, **parameters: Any) -> Method:
    return make_method(SELECTORS, "anova", parameters, "anova", 0, axes=axes)


def classifier(name: str, axes: Mapping[str, list[Any]] | None = None) -> Method:
    return make_method(CLASSIFIERS, name, {}, name, 0, axes=axes)


def grid_of(
    folder: Path, X: np.ndarray, task: Task, methods: tuple[Method, ...], folds: list[Fold], **rules: Any
) -> Grid:
    np.save(folder / "x.npy", X)
    source = FeatureSource("x", folder / "x.npy", "x")
    return Grid(task, folds, [source], methods[:1], methods[1:], FitRules(**{"tuning": "grid", **rules}))


def records(grid: Grid, folder: Path, workers: int = 1) -> dict[tuple[str, int], Record]:
    store = RecordStore(folder / "records")
    run_grid(grid, store, Processes(workers) if workers > 1 else InProcess())
    found = {
        (c.classifier.label, f.number): store.read(grid.key(c, f)) for c in grid.combinations() for f in grid.folds
    }
    return {cell: record for cell, record in found.items() if record is not None}

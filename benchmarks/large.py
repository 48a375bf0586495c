"""Default selectors and classifiers on 100,000 x 1,280 features, two folds: does it finish, and what takes the time."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from leukobench.machine import cores
from machine import alone

SIZE, FOLDS = 100_000, 2


def rows(images: Path, repeats: int) -> list[dict[str, Any]]:
    return list(alone(_large, images))


def _large(images: Path) -> list[dict[str, Any]]:
    import pandas as pd

    from leukobench.config.experiment_file import for_folder
    from leukobench.evaluation.folds import make_folds
    from leukobench.evaluation.grid import FeatureSource, Grid
    from leukobench.evaluation.records import RecordStore
    from leukobench.evaluation.scheduling import run_grid
    from leukobench.evaluation.task import Task
    from leukobench.processes.executors import Processes
    from leukobench.runs.costs import Costs, watch_memory
    from leukobench.steps.choose_methods import experiment_for_size, fit_rules, make_methods

    experiment, _ = experiment_for_size(for_folder(images), SIZE)
    costs, results = Costs(), []
    with tempfile.TemporaryDirectory() as temporary:
        labels = _blends(images, Path(temporary))
        task = Task.of([f"{number:064x}" for number in range(SIZE)], labels, list(range(SIZE)))
        source = FeatureSource("blends", Path(temporary) / "x.npy", "blends")
        rules, methods = fit_rules(experiment), make_methods(experiment)
        grid, store = (
            Grid(task, make_folds(task, FOLDS, 1, 0), [source], *methods, rules),
            RecordStore(Path(temporary) / "r"),
        )
        start = time.perf_counter()
        with watch_memory(costs):
            run_grid(grid, store, Processes(cores()))
        seconds = time.perf_counter() - start
        for combination in grid.combinations():
            records = [store.read(grid.key(combination, fold)) for fold in grid.folds]
            names = dict(zip(("selector", "classifier"), combination.labels[1:], strict=True))
            failed = sum(bool(record.error) for record in records)
            hits = [
                (record.probabilities.argmax(axis=1) == task.labels[fold.test]).mean()
                for record, fold in zip(records, grid.folds, strict=True)
                if not record.error
            ]
            means = {f"{name}, s": np.mean([getattr(r, name) for r in records]) for name in ("fit_s", "predict_s")}
            results.append(
                {**names, **means, "selector_s, s": records[0].selector_s, "accuracy": np.mean(hits), "failed": failed}
            )
    table = pd.DataFrame(results)
    summary = {"selector": "all", "classifier": f"all: {seconds:.0f} s, memory up to {costs.memory / 1e9:.1f} GB"}
    sums = {name: table[name].sum() for name in ("fit_s, s", "predict_s, s", "failed")}
    selecting = table.drop_duplicates("selector")["selector_s, s"].sum()
    return [{**summary, **sums, "selector_s, s": selecting, "accuracy": table["accuracy"].mean()}, *results]


def _blends(images: Path, folder: Path) -> list[str]:
    """Blends of two real images of a class, with a little noise, as features; returns their labels."""
    from leukobench.features.deep_features import DeepFeatures

    paths = sorted(images.rglob("*.jpg"))
    real, classes = DeepFeatures().fit_transform(paths), np.array([path.parent.name for path in paths])
    rng = np.random.default_rng(0)
    spread = 0.3 * real.std(axis=0)
    target = np.lib.format.open_memmap(folder / "x.npy", "w+", np.float32, (SIZE, real.shape[1]))
    labels = rng.choice(classes, SIZE)
    for start in range(0, SIZE, 5000):
        for name in np.unique(classes):
            wanted = start + np.flatnonzero(labels[start : start + 5000] == name)
            first, second = rng.choice(np.flatnonzero(classes == name), (2, len(wanted)))
            share = rng.random((len(wanted), 1))
            noise = rng.normal(size=(len(wanted), real.shape[1])) * spread
            target[wanted] = share * real[first] + (1 - share) * real[second] + noise
    return labels.tolist()

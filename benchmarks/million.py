"""A million small images: time and memory (mapped files apart) of index, extraction and cache, then of fits.

`python -m benchmarks.million FOLDER [--images 1000000] [--rows 200000]` draws the images below FOLDER, unless they are
there, needs 12 kB of disk for each, and prints a line a stage. Vectors are random projections of the pixels to 1,280
numbers, so that reading, writing and memory are those of a network, and computing is not.
"""

from __future__ import annotations

import argparse
import contextlib
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

SIDE, WIDTH, TOGETHER = 32, 1280, 64


class Projection:
    """An extractor that costs little beside reading."""

    identity = {"name": "projection", "width": WIDTH}  # noqa: RUF012

    def __init__(self) -> None:
        self._weights = np.random.default_rng(0).normal(size=(SIDE * SIDE * 3, WIDTH)).astype(np.float32)
        self.feature_names = [f"f_{column:04d}" for column in range(WIDTH)]

    @staticmethod
    def read(data: bytes) -> np.ndarray:
        from leukobench.images.reading import decode

        return decode(data)

    @contextlib.contextmanager
    def open(self, threads: int) -> Iterator[Projection]:
        yield self

    def vectors(self, images: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        batch: list[np.ndarray] = []
        for image in images:
            batch.append(image.ravel())
            if len(batch) == TOGETHER:
                yield from np.stack(batch).astype(np.float32) @ self._weights
                batch.clear()
        if batch:
            yield from np.stack(batch).astype(np.float32) @ self._weights


def draw(folder: Path, count: int) -> None:
    """Noise in four classes and a thousand patients each."""
    import cv2

    rng = np.random.default_rng(0)
    for number in range(count):
        path = folder / f"class_{number % 4}" / f"p{number // 200 % 1000:03d}" / f"img_{number:07d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), rng.integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8), [cv2.IMWRITE_PNG_COMPRESSION, 1])


def measured(stage: str, count: int, work: Callable[[], Any]) -> Any:
    from leukobench.runs.costs import Costs, watch_memory

    costs, start = Costs(), time.perf_counter()
    with watch_memory(costs):
        result = work()
    seconds = time.perf_counter() - start
    print(f"| {stage} | {count:,} | {seconds:,.0f} | {costs.memory / 1e9:.2f} |", flush=True)
    return result


def images(folder: Path, count: int) -> None:
    from leukobench.features.cache import FeatureCache
    from leukobench.features.extraction import extract_to
    from leukobench.images.index import index_images
    from leukobench.machine import cores

    if not folder.exists():
        draw(folder, count)
    index = measured("index: names, digests, patients, groups", count, lambda: index_images(folder, "class/patient"))
    files = index.files()
    del index
    with tempfile.TemporaryDirectory(dir=folder.parent) as work:
        cache, extractor = FeatureCache(Path(work) / "cache", Projection.identity), Projection()
        extract = lambda name: extract_to(Path(work) / name, extractor, files, cache, cores())  # noqa: E731
        measured("extraction into the cache, and one matrix", count, lambda: extract("x.npy"))
        measured("the matrix again, from the cache", count, lambda: extract("x.npy"))


def fit(rows: int, classifier: str, matrix: Path) -> None:
    from leukobench.config.experiment import Experiment
    from leukobench.evaluation.folds import make_folds
    from leukobench.evaluation.grid import FeatureSource, Grid
    from leukobench.evaluation.records import RecordStore
    from leukobench.evaluation.scheduling import run_grid
    from leukobench.evaluation.task import Task
    from leukobench.processes.executors import Processes
    from leukobench.steps.choose_methods import experiment_for_size, fit_rules, make_methods

    folder = matrix.parent
    sections = {"name": "million", "images": {"folder": folder}, "selectors": ["none"], "classifiers": [classifier]}
    experiment, _ = experiment_for_size(Experiment.model_validate(sections), rows)
    labels = np.random.default_rng(0).integers(0, 4, rows)
    task = Task.of([f"{row:064x}" for row in range(rows)], [f"class {label}" for label in labels], list(range(rows)))
    source = FeatureSource("made up", matrix, "made up")
    grid = Grid(task, make_folds(task, 5, 1, 0)[:1], [source], *make_methods(experiment), fit_rules(experiment))
    store = RecordStore(folder / classifier)
    measured(f"a fold of {classifier}, {WIDTH:,} features", rows, lambda: run_grid(grid, store, Processes(1)))
    for combination in grid.combinations():
        record = store.read(grid.key(combination, grid.folds[0]))
        assert record is not None
        assert not record.error, record.error


def fits(rows: int) -> None:
    rng = np.random.default_rng(1)
    labels, means = np.random.default_rng(0).integers(0, 4, rows), 0.15 * rng.normal(size=(4, WIDTH))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.npy"
        matrix = np.lib.format.open_memmap(path, "w+", np.float32, (rows, WIDTH))
        for start in range(0, rows, 5000):
            block = labels[start : start + 5000]
            matrix[start : start + 5000] = rng.normal(size=(len(block), WIDTH)) + means[block]
        del matrix
        for classifier in ("logistic_regression", "xgboost"):
            fit(rows, classifier, path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--images", type=int, default=1_000_000)
    parser.add_argument("--rows", type=int, default=200_000)
    chosen = parser.parse_args()
    print("| stage | images | s | peak, GB |\n|---|---|---|---|")
    if chosen.images:
        images(chosen.folder, chosen.images)
    if chosen.rows:
        fits(chosen.rows)


if __name__ == "__main__":
    main()

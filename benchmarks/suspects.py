"""How many planted wrong labels are among the most doubtful ones, beside cleanlab on the same probabilities.

    python -m leukobench.benchmarks.suspects RUN ... [--seeds 5] [--first 101] [--workers 1]

RUN is a finished run whose features are cached. For each seed 3 % of its images get another label, whole groups of
copies of at most three together, and a grid of its extractors is fitted to these labels in five folds. Counted are the
planted ones among the first 5 % of the images, in the order of ``suspects.csv`` and by cleanlab's three scores of the
mean and of the pooled probabilities, where it is installed (its best is shown); and images that are called doubtful.
"""

from __future__ import annotations

import argparse
import tempfile
import warnings
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ..classifiers import CLASSIFIERS
from ..evaluation.folds import make_folds
from ..evaluation.grid import FeatureSource, Grid
from ..evaluation.methods import make_method
from ..evaluation.metric import Floats, Integers
from ..evaluation.records import RecordStore
from ..evaluation.scheduling import run_grid
from ..evaluation.scores import Inference, write_scores
from ..evaluation.statistics.suspects import NEARLY_ALL, Pool
from ..evaluation.stored_predictions import cells_of, out_of_fold
from ..evaluation.task import Task
from ..features.cache import FeatureCache
from ..features.extraction import extract_to
from ..features.extractors import make_extractor
from ..processes.executors import Processes
from ..runs.finished import FinishedRun
from ..selection import SELECTORS
from ..steps.find_suspects import good_combinations

SHARE, FIRST, LARGEST = 0.03, 0.05, 3
SELECTED = ("none", "pca")
CLASSIFIED = ("svm_rbf", "svm_linear", "logistic_regression", "lda", "knn", "naive_bayes")
SCORES = ("self_confidence", "normalized_margin", "confidence_weighted_entropy")
MANY = 1000
"""Of more images only the last extractor is used, and four classifiers."""


def planted(task: Task, seed: int) -> tuple[Task, np.ndarray]:
    """The task with wrong labels, and which images have one."""
    rng = np.random.default_rng(seed)
    labels, wrong = task.labels.copy(), np.zeros(len(task), dtype=bool)
    for group in rng.permutation(np.unique(task.groups)):
        rows = np.flatnonzero(task.groups == group)
        if len(rows) <= LARGEST and wrong.sum() + len(rows) <= round(SHARE * len(task)):
            wrong[rows] = True
            labels[rows] = (labels[rows] + 1 + rng.integers(len(task.classes) - 1)) % len(task.classes)
    return replace(task, labels=labels), wrong


def sources(run: FinishedRun, folder: Path) -> Iterator[FeatureSource]:
    choices = run.experiment.extractors[-1:] if len(run.images) > MANY else run.experiment.extractors
    for place, choice in enumerate(choices):
        extractor, target = make_extractor(choice.name, choice.parameters), folder / f"{place}.npy"
        files = list(zip(run.images["image_id"], run.images["path"], strict=True))
        extract_to(target, extractor, files, FeatureCache.shared(extractor.identity), 1, lambda done: None)
        yield FeatureSource(choice.label, target, choice.label)


def pooled(task: Task, features: list[FeatureSource], workers: int) -> tuple[Pool, Floats]:
    """The pool of the good combinations, and the mean of their probabilities."""
    selectors = [make_method(SELECTORS, name, {}, name, 0) for name in SELECTED]
    names = CLASSIFIED if len(task) <= MANY else CLASSIFIED[:1] + CLASSIFIED[2:5]
    classifiers = [make_method(CLASSIFIERS, name, {}, name, 0) for name in names]
    grid = Grid(task, make_folds(task, 5, 1, 0), features, selectors, classifiers)
    with tempfile.TemporaryDirectory() as folder:
        store = RecordStore(Path(folder) / "records")
        store.folder.mkdir()
        run_grid(grid, store, Processes(workers))
        board = write_scores(grid, store, Path(folder), Inference("balanced_accuracy", 500)).leaderboard
        good, pool, total = good_combinations(board), Pool(task.labels, len(task.classes)), 0.0
        for combination in grid.combinations():
            probabilities = out_of_fold(grid, cells_of(grid, store, combination))
            if combination.labels in good and probabilities is not None:
                pool.add(probabilities)
                total = total + probabilities.mean(axis=0)
    return pool, np.asarray(total / pool.added)


def cleanlab(labels: Integers, probabilities: Floats) -> list[Floats]:
    """The scores of cleanlab, lowest for the most doubtful label; none where it is not installed."""
    try:
        from cleanlab.rank import get_label_quality_scores
    except ImportError:
        return []
    return [np.asarray(get_label_quality_scores(labels, probabilities, method=score)) for score in SCORES]


def counts(task: Task, wrong: np.ndarray, features: list[FeatureSource], workers: int) -> dict[str, Any]:
    """Planted labels, how many are among the first by each way, and how many are called doubtful."""
    pool, mean = pooled(task, features, workers)
    suspects, first = pool.suspects(), int(np.ceil(FIRST * len(task)))
    clear = suspects.rows[suspects.against >= NEARLY_ALL]
    row = {"planted": wrong.sum(), "ours": wrong[suspects.rows[:first]].sum()}
    for name, probabilities in (("mean", mean), ("pool", pool.probabilities())):
        for score, values in zip(SCORES, cleanlab(task.labels, probabilities), strict=False):
            row[f"{name}, {score}"] = wrong[np.argsort(values, kind="stable")[:first]].sum()
    return row | {"called": len(clear), "called and planted": wrong[clear].sum()}


def main() -> None:
    """Print a table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", nargs="+", type=Path)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--first", type=int, default=101)
    parser.add_argument("--workers", type=int, default=1)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    print(
        "| images | planted | in the first 5 % | cleanlab, mean | cleanlab, pool | called doubtful, of these planted |"
    )
    print("|---|---|---|---|---|---|")
    for path in arguments.runs:
        run = FinishedRun.open(path)
        with tempfile.TemporaryDirectory() as folder:
            features = list(sources(run, Path(folder)))
            seeds = range(arguments.first, arguments.first + arguments.seeds)
            rows = [counts(*planted(run.task, seed), features, arguments.workers) for seed in seeds]
        total = {name: sum(int(row[name]) for row in rows) for name in rows[0]}
        planted_labels = total["planted"]
        beside = []
        for probabilities in ("mean", "pool"):
            others = {name: number for name, number in total.items() if name.startswith(f"{probabilities}, ")}
            best = max(others, key=lambda name: others[name]) if others else ""
            beside.append(f"{others[best] / planted_labels:.0%} ({best.split(', ')[1]})" if best else "not installed")
        share = f"{total['ours'] / planted_labels:.0%}"
        called = f"{total['called']}, {total['called and planted']}"
        print(f"| {run.name} | {planted_labels} | {share} | {' | '.join(beside)} | {called} |", flush=True)


if __name__ == "__main__":
    main()

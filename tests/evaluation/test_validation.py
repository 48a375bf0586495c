"""A given validation part: tuned on in place of inner folds, against plain scikit-learn; what networks get of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import balanced_accuracy_score
from sklearn.neighbors import KNeighborsClassifier

from leukobench.classifiers import CLASSIFIERS
from leukobench.evaluation.folds import check, given_folds, make_folds
from leukobench.evaluation.grid import FeatureSource, Grid
from leukobench.evaluation.methods import FitRules, make_method
from leukobench.evaluation.network_runner import Rows
from leukobench.evaluation.records import RecordStore
from leukobench.evaluation.refit import refit
from leukobench.evaluation.scheduling import run_grid
from leukobench.evaluation.task import Task
from leukobench.evaluation.validation import Beside, with_validation
from leukobench.selection import SELECTORS

from ..in_process import InProcess

NEIGHBOURS = [1, 3, 9, 21]
SIZE, HELD = 90, 30


def task_of(size: int, start: int = 0) -> Task:
    labels = np.array(["a", "b", "c"])[np.arange(size) % 3]
    return Task.of([f"i{start + row}" for row in range(size)], labels.tolist(), list(range(size)))


@pytest.fixture
def grid(tmp_path: Path) -> Grid:
    """Three given folds, and images for validation behind the others."""
    held = pd.DataFrame({"image_id": [f"v{row}" for row in range(HELD)], "label": list("cab") * 10, "path": ""})
    held = held.assign(group=range(HELD))
    task = replace(task_of(SIZE), given=tuple("zxy"[row // 3 % 3] for row in range(SIZE))).with_validation(held)
    assert task.validation
    labels = np.concatenate([task.labels, task.validation.labels])
    assert [task.classes[code] for code in task.validation.labels[:3]] == list("cab")
    matrix = np.random.default_rng(0).normal(labels[:, None], 1.2, (SIZE + HELD, 2))
    np.save(tmp_path / "features.npy", matrix)
    methods = (
        make_method(SELECTORS, "none", {}, "none", 0),
        make_method(
            CLASSIFIERS, "sklearn.neighbors.KNeighborsClassifier", {}, "knn", 0, axes={"n_neighbors": NEIGHBOURS}
        ),
    )
    source = FeatureSource("features", tmp_path / "features.npy", "features")
    rules = FitRules(tuning="grid")
    return Grid(task, make_folds(task, 5, 1, 0), [source], [methods[0]], [methods[1]], rules)


def choice(features: Any, labels: Any, train: Any, held: Any) -> int:
    """The number of neighbours that does best on the validation part."""
    scores = [
        balanced_accuracy_score(
            labels[held], KNeighborsClassifier(k).fit(features[train], labels[train]).predict(features[held])
        )
        for k in NEIGHBOURS
    ]
    return NEIGHBOURS[int(np.argmax(np.round(scores, 12)))]


def test_given_folds_are_tuned_on_the_validation_part_alone(grid: Grid, tmp_path: Path) -> None:
    store = RecordStore(tmp_path / "records")
    run_grid(grid, store, InProcess())
    task, features = grid.task, np.load(tmp_path / "features.npy")
    labels = np.concatenate([task.labels, task.validation.labels])  # type: ignore[union-attr]
    held, (combination,) = np.arange(SIZE, SIZE + HELD), grid.combinations()
    assert ["".join({task.given[row] for row in fold.test}) for fold in grid.folds] == ["x", "y", "z"]
    for fold in grid.folds:
        record = store.read(grid.key(combination, fold))
        assert record is not None
        neighbours = choice(features, labels, fold.train, held)
        assert record.tuned == {"classifier n_neighbors": neighbours}
        plain = KNeighborsClassifier(neighbours).fit(features[fold.train], labels[fold.train])
        assert np.allclose(record.probabilities, plain.predict_proba(features[fold.test]), rtol=0, atol=1e-12)
    fitted = refit(features, task, combination.selector, combination.classifier, grid.rules)
    assert fitted.tuned == {"classifier n_neighbors": choice(features, labels, np.arange(SIZE), held)}


def test_the_validation_part_decides_the_key_of_a_record(grid: Grid) -> None:
    (combination,) = grid.combinations()
    fold, others = grid.folds[0], replace(grid, task=replace(grid.task, validation=None))
    assert grid.key(combination, fold) != others.key(combination, fold)
    plain = replace(others, task=task_of(SIZE))
    assert others.key(combination, fold) == plain.key(combination, fold)  # as ever


def test_a_leak_across_given_folds_is_no_mistake_and_can_be_dropped() -> None:
    task = replace(task_of(12), groups=np.array([0, *range(11)]), given=tuple("xyxyxyyxyxyx"))
    both = given_folds(task)
    assert [len(fold.train) + len(fold.test) for fold in both] == [12, 12]
    for fold in both:
        check(task, fold)
    dropped = given_folds(replace(task, drop_leaks=True))
    assert [sorted({0, 1} & set(fold.train.tolist())) for fold in dropped] == [[], []]
    assert [len(fold.train) for fold in dropped] == [5, 5]


class Stops:
    """Takes the rows that it stops early by."""

    def fit(self, X: Any, y: Any, groups: Any = None, validation_rows: Any = None) -> None: ...


def test_who_stops_early_gets_the_validation_images_behind_the_others(tmp_path: Path) -> None:
    train, labels = np.arange(8.0).reshape(4, 2), np.array([0, 1, 0, 1])
    beside = Beside(np.arange(6.0).reshape(3, 2) + 50, np.array([1, 2, 0]), np.array([7, 8, 9]))
    arguments = {"groups": np.array([0, 0, 1, 1])}
    inputs, both, told = with_validation(Stops(), train, labels, arguments, beside)
    assert inputs.tolist() == [*train.tolist(), [50.0, 51.0], [54.0, 55.0]]  # class 2 is not trained on
    assert (both.tolist(), told["validation_rows"].tolist()) == ([0, 1, 0, 1, 1, 0], [4, 5])
    assert told["groups"].tolist() == [0, 0, 1, 1, 7, 9]
    assert with_validation(KNeighborsClassifier(), train, labels, arguments, beside)[0] is train
    np.save(tmp_path / "pixels.npy", np.arange(20))
    pixels = Rows(tmp_path / "pixels.npy", np.array([1, 2, 3, 4]))
    beside = Beside(Rows(tmp_path / "pixels.npy", np.array([10, 11, 12])), beside.labels, beside.groups)
    inputs, _, _ = with_validation(Stops(), pixels, labels, arguments, beside)
    assert inputs[np.arange(6)].tolist() == [1, 2, 3, 4, 10, 12]

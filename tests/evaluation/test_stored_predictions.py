"""The best combination, found from records, is the first of the leaderboard."""

from pathlib import Path

import numpy as np
import pytest

from leukobench.classifiers import CLASSIFIERS
from leukobench.evaluation.folds import make_folds
from leukobench.evaluation.grid import Combination, FeatureSource, Grid
from leukobench.evaluation.methods import make_method
from leukobench.evaluation.records import Record, RecordStore
from leukobench.evaluation.stored_predictions import best_names, cells_of, out_of_fold
from leukobench.evaluation.task import Task
from leukobench.selection import SELECTORS


@pytest.fixture
def scored(tmp_path: Path) -> tuple[Grid, RecordStore]:
    """Three combinations right on 20, 24 and, in part only, on all of 30 images; and a control right on all."""
    task = Task.of([f"{n:064}" for n in range(30)], ["a", "b"] * 15, list(range(30)))
    source = FeatureSource("colours", tmp_path / "none.npy", "colours")
    none = make_method(SELECTORS, "none", {}, "none", 0)
    classifiers = [make_method(CLASSIFIERS, "knn", {"n_neighbors": k}, f"knn{k}", 0) for k in (1, 3, 5, 7)]
    control = Combination(source, none, classifiers[3], "control")
    grid = Grid(task, make_folds(task, 3, 1, 0), [source], [none], classifiers[:3], baselines=[control])
    store = RecordStore(tmp_path / "records")
    store.folder.mkdir()
    for combination, right in zip(grid.combinations(), (20, 24, 30, 30), strict=True):
        predicted = np.where(np.arange(30) < right, task.labels, 1 - task.labels)
        for fold in grid.folds:
            record = Record(np.eye(2)[predicted[fold.test]] * 0.8 + 0.1)
            if not (combination.classifier.label == "knn5" and fold.number == 2):
                store.write(grid.key(combination, fold), record, task.classes)
    return grid, store


def test_the_best_is_a_combination_with_all_its_records(scored: tuple[Grid, RecordStore]) -> None:
    assert best_names(*scored, "balanced_accuracy") == ("colours", "none", "knn3")


def test_probabilities_stand_where_their_images_do(scored: tuple[Grid, RecordStore]) -> None:
    grid, store = scored
    second, third = list(grid.combinations())[1:3]
    probabilities = out_of_fold(grid, cells_of(grid, store, second))
    assert probabilities is not None
    assert probabilities.shape == (1, 30, 2)
    assert (probabilities[0].argmax(axis=1) == grid.task.labels).sum() == 24
    assert out_of_fold(grid, cells_of(grid, store, third)) is None

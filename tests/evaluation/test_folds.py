from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leukobench.errors import ImagesError
from leukobench.evaluation.folds import Fold, check, folds_table, make_folds
from leukobench.evaluation.task import Task


def grouped_task(seed: int, patients: int, classes: int = 3) -> Task:
    rng = np.random.default_rng(seed)
    sizes = rng.integers(1, 6, patients)
    groups = np.repeat(np.arange(patients), sizes)
    labels = np.repeat(np.arange(patients) % classes, sizes)
    return Task.of([f"{i:064x}" for i in range(len(groups))], [f"class {c}" for c in labels], groups)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), patients=st.integers(15, 60), folds=st.integers(2, 5), repeats=st.integers(1, 3))
def test_folds_cover_every_image_once_a_repeat_and_keep_groups_on_one_side(
    seed: int, patients: int, folds: int, repeats: int
) -> None:
    task = grouped_task(seed, patients)
    made = make_folds(task, folds, repeats, seed)
    assert len(made) == folds * repeats
    for repeat in range(repeats):
        tested = np.concatenate([fold.test for fold in made if fold.repeat == repeat])
        assert sorted(tested) == list(range(len(task)))
    for fold in made:
        assert not set(task.groups[fold.train]) & set(task.groups[fold.test])
        assert len(fold.train) + len(fold.test) == len(task)


def test_folds_are_those_of_scikit_learn() -> None:
    from sklearn.model_selection import StratifiedGroupKFold

    task = grouped_task(3, 40)
    ours = [fold.test.tolist() for fold in make_folds(task, 5, 1, seed=7)]
    splitter = StratifiedGroupKFold(5, shuffle=True, random_state=7)
    assert ours == [test.tolist() for _, test in splitter.split(np.zeros(len(task)), task.labels, task.groups)]


def test_repeats_differ_and_seeds_repeat() -> None:
    task = grouped_task(1, 50)
    first, second = (fold.test.tolist() for fold in make_folds(task, 5, 2, 0) if fold.number == 0)
    assert first != second
    assert [f.digest(task) for f in make_folds(task, 5, 2, 0)] == [f.digest(task) for f in make_folds(task, 5, 2, 0)]


def test_a_leak_is_refused() -> None:
    task = Task.of(["a", "b", "c", "c"], ["x", "y", "x", "x"], [0, 1, 2, 3])
    with pytest.raises(ImagesError, match="1 of 'image' are on both sides"):
        check(task, Fold(0, 0, np.array([0, 1, 2]), np.array([3])))
    task = Task.of(["a", "b", "c", "d"], ["x", "y", "x", "x"], [0, 1, 2, 0])
    with pytest.raises(ImagesError, match="1 of 'group' are on both sides"):
        check(task, Fold(0, 0, np.array([0, 1, 2]), np.array([3])))


def test_one_class_to_train_on_is_refused() -> None:
    task = Task.of(["a", "b", "c"], ["x", "x", "y"], [0, 1, 2])
    with pytest.raises(ImagesError, match="1 class"):
        check(task, Fold(0, 0, np.array([0, 1]), np.array([2])))


def test_the_table_of_folds_names_the_fold_that_tests_each_image() -> None:
    task = grouped_task(5, 30)
    table = folds_table(task, make_folds(task, 3, 2, 0))
    assert len(table) == 2 * len(task)
    assert table.groupby(["repeat", "group"])["fold"].nunique().max() == 1

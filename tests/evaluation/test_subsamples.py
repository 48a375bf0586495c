"""Subsamples: whole groups of each class, one size inside the double, test parts untouched."""

import numpy as np
import pytest

from leukobench.evaluation.folds import check, make_folds
from leukobench.evaluation.subsamples import deepest, halved
from leukobench.evaluation.task import Task


def patients(count: int = 48, each: int = 3, rare: int = 0) -> Task:
    """Two classes of patients with several images, and a rare third one."""
    groups = np.repeat(np.arange(count + rare), each)
    labels = np.where(groups < count, groups % 2, 2)
    return Task.of([f"{n:064}" for n in range(len(groups))], [str(label) for label in labels], groups.tolist())


def test_sizes_are_halves_of_the_groups_of_each_class_and_lie_inside_one_another() -> None:
    task = patients()
    folds = make_folds(task, 4, 1, 0)
    before: dict[int, set[int]] = {}
    for times in range(4):
        drawn = halved(task, folds, times, 2, 0)
        assert len(drawn) == len(folds) * min(2, 2**times)
        union: dict[int, set[int]] = {fold.number: set() for fold in folds}
        for fold in drawn:
            check(task, fold)
            whole = next(one for one in folds if one.number == fold.number)
            np.testing.assert_array_equal(fold.test, whole.test)
            kept = set(task.groups[fold.train].tolist())
            assert not kept & union[fold.number]
            union[fold.number] |= kept
            assert (np.isin(task.groups, list(kept)) == np.isin(np.arange(len(task)), fold.train)).all()
            for label in (0, 1):
                of_class = len({group for group in kept if group % 2 == label})
                assert of_class in (18 // 2**times, -(-18 // 2**times))
        if before:
            assert all(union[number] <= before[number] for number in union)
        before = union if len(drawn) > len(folds) else {}


def test_everything_is_the_fold_itself() -> None:
    task = patients()
    folds = make_folds(task, 4, 1, 0)
    for one, whole in zip(halved(task, folds, 0, 3, 0), folds, strict=True):
        assert one.digest(task) == whole.digest(task)


def test_a_rare_class_is_kept_whole() -> None:
    task = patients(rare=3)
    folds = make_folds(task, 3, 1, 0)
    for fold in halved(task, folds, 2, 2, 0):
        whole = next(one for one in folds if one.number == fold.number)
        assert (task.labels[fold.train] == 2).sum() == (task.labels[whole.train] == 2).sum() > 0


@pytest.mark.parametrize(("count", "times"), [(48, 3), (30, 2), (18, 1), (6, 0)])
def test_each_class_keeps_two_groups(count: int, times: int) -> None:
    task = patients(count)
    folds = make_folds(task, 3, 1, 0)
    assert deepest(task, folds, 3) == times
    for fold in halved(task, folds, times, 2, 0):
        assert min(len(np.unique(task.groups[fold.train][task.labels[fold.train] == label])) for label in (0, 1)) >= 2

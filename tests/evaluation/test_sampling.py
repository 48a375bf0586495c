"""Samples: whole groups, every class with its share, in folds that stay what they are."""

from __future__ import annotations

import numpy as np
import pytest

from leukobench.evaluation.folds import check, make_folds
from leukobench.evaluation.sampling import part_of, restrict, sample_rows
from leukobench.evaluation.task import Task


def task_of(labels: np.ndarray, groups: np.ndarray) -> Task:
    names = [f"{row:05d}" for row in range(len(labels))]
    patients = {"patient": [f"p{group}" for group in groups]}
    return Task.of(names, [f"class {label}" for label in labels], groups.tolist(), patients)


def test_few_images_are_all_taken() -> None:
    task = task_of(np.arange(60) % 2, np.arange(60))
    assert sample_rows(task, 100, 0).tolist() == list(range(60))
    assert sample_rows(task, None, 0).tolist() == list(range(60))


def test_groups_are_whole_and_classes_keep_their_share() -> None:
    groups = np.repeat(np.arange(1000), 3)
    labels = np.where(groups < 900, 0, 1)
    rows = sample_rows(task_of(labels, groups), 600, 0)
    assert len(rows) == pytest.approx(600, abs=6)
    assert set(np.bincount(groups[rows], minlength=1000)) == {0, 3}
    assert labels[rows].mean() == pytest.approx(0.1, abs=0.01)
    assert rows.tolist() == sorted(set(rows.tolist()))
    assert rows.tolist() != sample_rows(task_of(labels, groups), 600, 1).tolist()


def test_of_large_groups_a_part_of_each_is_taken() -> None:
    groups = np.repeat(np.arange(24), 500)
    rows = sample_rows(task_of(groups % 2, groups), 1000, 0)
    counts = np.bincount(groups[rows], minlength=24)
    assert counts.min() >= 30
    assert counts.max() <= 41


def test_a_rare_class_is_not_lost() -> None:
    labels = np.where(np.arange(5000) < 15, 1, 0)
    rows = sample_rows(task_of(labels, np.arange(5000)), 500, 0)
    assert labels[rows].sum() == 15


def test_folds_of_a_sample_are_those_of_the_run() -> None:
    groups = np.repeat(np.arange(200), 2)
    task = task_of(groups % 2, groups)
    folds = make_folds(task, 4, 1, 0)
    rows = sample_rows(task, 120, 0)
    part = part_of(task, rows)
    for fold, whole in zip(restrict(folds, rows, len(task)), folds, strict=True):
        check(part, fold)
        assert set(part.image_ids[fold.test]) == set(task.image_ids[whole.test]) & set(part.image_ids)
        assert set(part.image_ids[fold.train]) == set(task.image_ids[whole.train]) & set(part.image_ids)

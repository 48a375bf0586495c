"""SMOTE with fewer neighbours where there are fewer, and as imbalanced-learn has it elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from imblearn.over_sampling import SMOTE

from leukobench import pipeline
from leukobench.evaluation.folds import Fold
from leukobench.evaluation.smote import few_neighbours, smote
from leukobench.evaluation.task import Task

RNG = np.random.default_rng(3)


@pytest.mark.parametrize("counts", [[30, 7, 12], [6, 30, 30], [9, 9, 9]])
def test_where_there_are_enough_neighbours_it_is_that_of_imbalanced_learn(counts: list[int]) -> None:
    labels = RNG.permutation(np.repeat([0, 1, 2], counts))
    features = RNG.normal(size=(len(labels), 4))
    expected = SMOTE(random_state=5).fit_resample(features, labels)
    for ours, theirs in zip(smote(features, labels, 5), expected, strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("members", [1, 2, 5])
def test_a_small_class_has_fewer_neighbours(members: int) -> None:
    labels = np.repeat([0, 1, 2], [12, members, 8])
    features = RNG.normal(size=(len(labels), 4))
    drawn, drawn_labels = smote(features, labels)
    assert np.bincount(drawn_labels).tolist() == [12, 12, 12]
    own, synthetic = features[labels == 1], drawn[drawn_labels == 1]
    assert (synthetic >= own.min(axis=0)).all()
    assert (synthetic <= own.max(axis=0)).all()
    enough = np.append(labels, [1] * 6), np.vstack([features, RNG.normal(size=(6, 4))])
    theirs = SMOTE(random_state=0).fit_resample(enough[1], enough[0])
    np.testing.assert_array_equal(drawn[drawn_labels == 2], theirs[0][theirs[1] == 2])


def test_small_classes_are_named_with_their_training_images() -> None:
    task = Task.of([str(k) for k in range(26)], ["a"] * 16 + ["b"] * 4 + ["c"] * 6, range(26))
    rows = np.arange(26)
    folds = [Fold(0, k, rows[rows % 2 != k], rows[rows % 2 == k]) for k in (0, 1)]
    assert few_neighbours(task, folds).endswith(": b (2), c (3); an only image is repeated")
    assert few_neighbours(task, [Fold(0, 0, rows[:16], rows[16:])]) == ""


@pytest.mark.slow
def test_a_run_with_a_small_class_says_so_and_scores(experiment: Any, images: Path) -> None:
    small, *others = sorted(path for path in images.iterdir() if path.is_dir())
    patients = {path.name.partition("_")[0]: path for path in small.iterdir()}
    for path in {*small.iterdir()} - {*list(patients.values())[:4]}:
        path.unlink()
    for folder in others[1:]:
        folder.rename(images.parent / folder.name)
    settings = {"selectors": ["none"], "classifiers": ["naive_bayes", "svm_rbf"]}
    outcome = pipeline.run(experiment(**settings, evaluation={"folds": 3, "balance": "smote"}), 1)
    rows = outcome.leaderboard[outcome.leaderboard["kind"] == "combination"]
    assert rows["status"].tolist() == ["ok", "ok"]
    assert any("SMOTE with fewer than 5 neighbours" in line and small.name in line for line in outcome.protocol)

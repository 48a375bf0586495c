"""Leaky protocols inflate where they should, the honest side is honest, and both hold the same combinations."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.feature_selection import SelectKBest, f_classif
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import StratifiedKFold
from sklearn.naive_bayes import GaussianNB
from threadpoolctl import threadpool_limits

from leukobench.classifiers import CLASSIFIERS
from leukobench.evaluation.grid import Grid
from leukobench.evaluation.guards import permute_labels
from leukobench.evaluation.leaks import PROTOCOLS, LeakComparison, Setting, comparisons, part_of, subsample
from leukobench.evaluation.methods import make_method
from leukobench.evaluation.records import RecordStore
from leukobench.evaluation.scheduling import run_grid
from leukobench.evaluation.task import Task
from leukobench.selection import SELECTORS

from ..in_process import InProcess


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    with threadpool_limits(1):
        yield


def setting(folder: Path, X: np.ndarray, task: Task, classifier: str = "naive_bayes", **parameters: Any) -> Setting:
    def make(name: str, **said: Any) -> Any:
        return make_method(CLASSIFIERS, name, said, name, 0)

    return Setting(
        label="x",
        features=X.astype(np.float32),
        identity=f"{X.sum()}",
        task=task,
        selectors=[make_method(SELECTORS, "anova", {"n_features": 20}, "anova", 0)],
        none=make_method(SELECTORS, "none", {}, "none", 0),
        classifiers=[make(classifier, **parameters)],
        scaling=[(make("knn", scale=False), make("knn", scale=True))],
        folds=5,
        seed=0,
        folder=folder,
    )


def task_of(labels: np.ndarray, groups: np.ndarray) -> Task:
    return Task.of([f"{row:064x}" for row in range(len(labels))], [f"c{label}" for label in labels], groups)


def answers(grids: list[Grid], store: RecordStore) -> np.ndarray:
    """Out-of-fold probabilities of the only combination."""
    (grid,) = grids
    run_grid(grid, store, InProcess())
    found = np.full((len(grid.task), len(grid.task.classes)), np.nan)
    for combination in grid.combinations():
        for fold in grid.folds:
            record = store.read(grid.key(combination, fold))
            assert record is not None
            assert record.probabilities is not None, record.error
            found[fold.test] = record.probabilities
    return found


def inflation(one: LeakComparison, store: RecordStore) -> float:
    scores = []
    for grids, real in ((one.leaky, one.real), (one.honest, None)):
        found, labels = answers(list(grids), store)[:real], grids[0].task.labels[:real]
        scores.append(balanced_accuracy_score(labels, found.argmax(axis=1)))
    return float(scores[0] - scores[1])


def noise(seed: int = 0) -> tuple[np.ndarray, Task]:
    """Nothing to learn: 120 images of 40 patients, one class three times as frequent, each patient alike in itself."""
    rng = np.random.default_rng(seed)
    patients = np.arange(120) // 3
    X = rng.normal(size=(120, 1000)) + 2 * rng.normal(size=(40, 1000))[patients]
    return X, task_of((patients % 4 == 0).astype(int), patients)


@pytest.mark.parametrize(
    ("protocol", "classifier", "least"),
    [
        ("random split", "knn", 0.15),
        pytest.param("copies across", "knn", 0.02, marks=pytest.mark.slow),
        ("selection before", "naive_bayes", 0.15),
        pytest.param("SMOTE before", "knn", 0.10, marks=pytest.mark.slow),
        pytest.param("all together", "knn", 0.20, marks=pytest.mark.slow),
    ],
)
def test_where_nothing_can_be_learnt_a_leak_finds_something(
    tmp_path: Path, protocol: str, classifier: str, least: float
) -> None:
    X, task = noise()
    found = {one.protocol: one for one in comparisons(setting(tmp_path, X, task, classifier))}
    assert inflation(found[protocol], RecordStore(tmp_path / "records")) > least


def test_every_protocol_is_measured_and_both_sides_hold_the_same_combinations(tmp_path: Path) -> None:
    X, task = noise()
    found = list(comparisons(setting(tmp_path, X, task)))
    assert [one.protocol for one in found] == list(PROTOCOLS)
    for one in found:
        leaky, honest = ({c.labels for grid in side for c in grid.combinations()} for side in (one.leaky, one.honest))
        assert leaky == honest


def test_protocols_that_change_nothing_are_left_out(tmp_path: Path) -> None:
    labels = np.arange(60) % 2
    X = np.random.default_rng(0).normal(size=(60, 30))
    found = [one.protocol for one in comparisons(setting(tmp_path, X, task_of(labels, np.arange(60))))]
    assert "random split" not in found
    assert not [name for name in found if name.startswith("SMOTE")]


def test_selection_before_equals_plain_scikit_learn(tmp_path: Path) -> None:
    labels = np.arange(100) % 2
    X = np.random.default_rng(0).normal(size=(100, 300)).astype(np.float32)
    found = {one.protocol: one for one in comparisons(setting(tmp_path, X, task_of(labels, np.arange(100))))}
    mine = answers(list(found["selection before"].leaky), RecordStore(tmp_path / "records"))
    reduced = SelectKBest(f_classif, k=20).fit_transform(X.astype(np.float64), labels).astype(np.float32)
    expected = np.empty((100, 2))
    smoothing = CLASSIFIERS.make("naive_bayes", {}, {}).get_params()["var_smoothing"]
    for train, test in StratifiedKFold(5, shuffle=True, random_state=0).split(X, labels):
        fitted = GaussianNB(var_smoothing=smoothing).fit(reduced[train].astype(np.float64), labels[train])
        expected[test] = fitted.predict_proba(reduced[test].astype(np.float64))
    np.testing.assert_allclose(mine, expected, atol=1e-9)


def test_features_selected_for_other_labels_are_other_features(tmp_path: Path) -> None:
    X, task = noise()
    made = [
        {one.protocol: one for one in comparisons(setting(tmp_path, X, t))}["selection before"].leaky[0].sources[0]
        for t in (task, permute_labels(task, 1))
    ]
    assert made[0].identity != made[1].identity
    assert not np.array_equal(np.load(made[0].matrix), np.load(made[1].matrix))


def test_leaky_and_honest_copies_differ_in_the_folds_alone(tmp_path: Path) -> None:
    X, task = noise()
    found = {one.protocol: one for one in comparisons(setting(tmp_path, X, task))}["copies across"]
    (leaky,), (honest,) = found.leaky, found.honest
    assert leaky.sources[0].matrix == honest.sources[0].matrix
    assert len(leaky.task) == len(honest.task) == 120 + 24
    contents = honest.task.image_ids
    for grid, apart in ((leaky, True), (honest, False)):
        tested = np.empty(len(contents), dtype=int)
        for fold in grid.folds:
            tested[fold.test] = fold.number
        split = [len(np.unique(tested[contents == one])) > 1 for one in contents[120:]]
        assert any(split) == apart


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 1000), sizes=st.lists(st.integers(1, 5), min_size=20, max_size=60))
def test_subsamples_are_whole_groups_in_the_proportion_of_the_classes(seed: int, sizes: list[int]) -> None:
    groups = np.repeat(np.arange(len(sizes)), sizes)
    task = task_of(groups % 2, groups)
    rows = subsample(task, len(groups) // 2, seed, 3)
    assert (np.diff(rows) > 0).all()
    taken = part_of(task, rows)
    for group in np.unique(taken.groups):
        assert (taken.groups == group).sum() == (task.groups == group).sum()
    for label in (0, 1):
        assert abs((taken.labels == label).sum() - (task.labels == label).sum() / 2) <= 5.5
    assert rows.tolist() == subsample(task, len(groups) // 2, seed, 3).tolist()
    few = subsample(task, 1, seed, 3)
    assert all(len(np.unique(task.groups[few][task.labels[few] == label])) == 3 for label in (0, 1))

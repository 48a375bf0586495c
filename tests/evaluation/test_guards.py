"""Leaks are caught: by the probe, by permuted labels, and by the assertion before each fit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.feature_selection import SelectKBest, f_classif
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import StratifiedKFold
from sklearn.naive_bayes import GaussianNB
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from leukobench.classifiers import CLASSIFIERS
from leukobench.errors import ImagesError
from leukobench.evaluation.folds import Fold, check, make_folds
from leukobench.evaluation.grid import FeatureSource, Grid
from leukobench.evaluation.guards import leaks_into, permute_labels
from leukobench.evaluation.methods import FitRules, make_method
from leukobench.evaluation.records import RecordStore
from leukobench.evaluation.scheduling import run_grid
from leukobench.evaluation.task import Task
from leukobench.selection import SELECTORS

from ..in_process import InProcess

SHIPPED = {
    "selector": [name for name in SELECTORS.names() if SELECTORS.ships(name)],
    "classifier": [name for name in CLASSIFIERS.names() if CLASSIFIERS.ships(name)],
}

LONG = {"dense_head": pytest.mark.slow}


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """As the runner has it; several threads on tiny matrices cost far more than they save."""
    with threadpool_limits(1):
        yield


def data(seed: int = 0, images: int = 60, features: int = 30) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    labels = np.arange(images) % 2
    return rng.normal(size=(images, features)) + labels[:, None] * (np.arange(features) < 3), labels


def probe(fit_predict: Any, seed: int = 0) -> list[str]:
    X, y = data(seed)
    rows = np.random.default_rng(seed).permutation(len(y))
    return leaks_into(fit_predict, X, y, np.sort(rows[:40]), np.sort(rows[40:]), seed)


def honest(X: np.ndarray, y: np.ndarray, train: np.ndarray, test: np.ndarray) -> np.ndarray:
    scaler = StandardScaler().fit(X[train])
    kept = SelectKBest(f_classif, k=5).fit(scaler.transform(X[train]), y[train])
    fitted = LogisticRegression().fit(kept.transform(scaler.transform(X[train])), y[train])
    return fitted.predict_proba(kept.transform(scaler.transform(X[test])))


def selected_on_everything(X: np.ndarray, y: np.ndarray, train: np.ndarray, test: np.ndarray) -> np.ndarray:
    reduced = SelectKBest(f_classif, k=5).fit_transform(X, y)
    return GaussianNB().fit(reduced[train], y[train]).predict_proba(reduced[test])


def scaled_on_everything(X: np.ndarray, y: np.ndarray, train: np.ndarray, test: np.ndarray) -> np.ndarray:
    scaled = StandardScaler().fit_transform(X)
    return LogisticRegression().fit(scaled[train], y[train]).predict_proba(scaled[test])


def scaled_by_the_test_batch(X: np.ndarray, y: np.ndarray, train: np.ndarray, test: np.ndarray) -> np.ndarray:
    fitted = LogisticRegression().fit(StandardScaler().fit_transform(X[train]), y[train])
    return fitted.predict_proba(StandardScaler().fit_transform(X[test]))


def smote_before_the_split(X: np.ndarray, y: np.ndarray, train: np.ndarray, test: np.ndarray) -> np.ndarray:
    from imblearn.over_sampling import SMOTE

    rarer = np.concatenate([train, test[y[test] == 0], test[y[test] == 1][:3]])
    drawn, labels = SMOTE(k_neighbors=2, random_state=0).fit_resample(X[rarer], y[rarer])
    new = np.arange(len(drawn)) >= len(rarer)
    X_train, y_train = np.concatenate([X[train], drawn[new]]), np.concatenate([y[train], labels[new]])
    return GaussianNB().fit(X_train, y_train).predict_proba(X[test])


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_an_honest_procedure_is_clean(seed: int) -> None:
    assert probe(honest, seed) == []


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_a_selector_that_saw_everything_is_caught(seed: int) -> None:
    assert "the predictions depend on the labels of the test images" in probe(selected_on_everything, seed)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_smote_before_the_split_is_caught(seed: int) -> None:
    assert probe(smote_before_the_split, seed) != []


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000))
@pytest.mark.parametrize("leaky", [scaled_on_everything, scaled_by_the_test_batch])
def test_scaling_by_what_is_in_the_test_part_is_caught(leaky: Any, seed: int) -> None:
    assert "the predictions depend on the features of other test images" in probe(leaky, seed)


def as_the_runner_does(folder: Path, selector: str, classifier: str, **rules: Any) -> Any:
    counter = iter(range(100))

    def fit_predict(X: np.ndarray, y: np.ndarray, train: np.ndarray, test: np.ndarray) -> np.ndarray:
        matrix = folder / f"{next(counter)}.npy"
        np.save(matrix, X)
        task = Task.of([f"{row:064x}" for row in range(len(y))], [f"c{label}" for label in y], np.arange(len(y)) // 2)
        few = {"n_estimators": 10} if classifier in ("random_forest", "xgboost") else {}
        cut = {"n_features": 5} if selector not in ("none", "pca") else {}
        methods = make_method(SELECTORS, selector, cut, selector, 0), make_method(CLASSIFIERS, classifier, few, "c", 0)
        source = FeatureSource("x", matrix, matrix.name)
        grid = Grid(task, [Fold(0, 0, train, test)], [source], [methods[0]], [methods[1]], FitRules(**rules))
        store = RecordStore(folder / "records")
        run_grid(grid, store, InProcess())
        record = store.read(grid.key(next(grid.combinations()), grid.folds[0]))
        assert record is not None
        assert record.probabilities is not None, record.error
        return record.probabilities

    return fit_predict


def clean(tmp_path: Path, selector: str, classifier: str, **rules: Any) -> list[str]:
    X, y = data()
    train = np.flatnonzero(np.arange(60) // 2 % 3 > 0)
    test = np.flatnonzero(np.arange(60) // 2 % 3 == 0)
    return leaks_into(as_the_runner_does(tmp_path, selector, classifier, **rules), X.astype(np.float32), y, train, test)


@pytest.mark.parametrize("selector", SHIPPED["selector"])
def test_every_selector_is_clean(tmp_path: Path, selector: str) -> None:
    assert clean(tmp_path, selector, "naive_bayes") == []


@pytest.mark.parametrize("classifier", [pytest.param(name, marks=LONG.get(name, ())) for name in SHIPPED["classifier"]])
def test_every_classifier_is_clean(tmp_path: Path, classifier: str) -> None:
    assert clean(tmp_path, "anova", classifier) == []


@pytest.mark.parametrize(
    "rules", [{"balance": "smote"}, {"balance": "oversample"}, {"calibration": "isotonic"}, {"calibration": "sigmoid"}]
)
def test_balancing_and_calibration_are_clean(tmp_path: Path, rules: dict[str, Any]) -> None:
    assert clean(tmp_path, "anova", "logistic_regression", **rules) == []


def task_of(groups: np.ndarray, labels: np.ndarray) -> Task:
    return Task.of([f"{row // 2:064x}" for row in range(len(labels))], [f"c{label}" for label in labels], groups)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), sizes=st.lists(st.integers(1, 4), min_size=4, max_size=20))
def test_permuting_keeps_groups_copies_and_counts(seed: int, sizes: list[int]) -> None:
    groups = np.repeat(np.arange(len(sizes)), 2 * np.asarray(sizes))
    task = task_of(groups, groups % 3)
    moved = permute_labels(task, seed)
    per_group = [np.unique(moved.labels[groups == group]) for group in range(len(sizes))]
    assert all(len(labels) == 1 for labels in per_group)
    before = [int(task.labels[groups == group][0]) for group in range(len(sizes))]
    assert sorted(before) == sorted(int(labels[0]) for labels in per_group)
    assert permute_labels(task, seed).labels.tolist() == moved.labels.tolist()


def test_copies_in_groups_with_several_labels_keep_one_label() -> None:
    rng = np.random.default_rng(0)
    labels = np.repeat(rng.integers(0, 3, 50), 2)
    task = task_of(np.arange(100) // 10, labels)
    moved = permute_labels(task, 1)
    assert (moved.labels[::2] == moved.labels[1::2]).all()
    assert sorted(moved.labels) == sorted(labels)
    assert (moved.labels != labels).any()


def test_on_permuted_labels_a_leaky_selector_finds_what_is_not_there_and_an_honest_one_does_not() -> None:
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(120, 2000)), np.arange(120) % 4
    scores: dict[str, list[float]] = {"before": [], "inside": []}
    for seed in range(5):
        labels = permute_labels(task_of(np.arange(120), y), seed).labels
        before = SelectKBest(f_classif, k=50).fit_transform(X, labels)
        predicted = {name: np.empty(120, dtype=int) for name in scores}
        for train, test in StratifiedKFold(5, shuffle=True, random_state=seed).split(X, labels):
            inside = SelectKBest(f_classif, k=50).fit(X[train], labels[train])
            for name, reduced in (("before", before), ("inside", inside.transform(X))):
                fitted = clone(LogisticRegression()).fit(reduced[train], labels[train])
                predicted[name][test] = fitted.predict(reduced[test])
        for name, found in predicted.items():
            scores[name].append(balanced_accuracy_score(labels, found))
    assert np.mean(scores["before"]) > 0.6
    assert abs(np.mean(scores["inside"]) - 0.25) < 0.06


@pytest.mark.parametrize("guard", ["patient", "copies"])
def test_a_key_on_both_sides_is_refused_before_the_fit(guard: str) -> None:
    task = Task.of(["a", "b", "c", "d"], ["x", "y", "x", "y"], [0, 1, 2, 3], {guard: ["p", "", "p", ""]})
    split = Fold(0, 0, np.array([0, 1]), np.array([2, 3]))
    with pytest.raises(ImagesError, match=f"1 of '{guard}' are on both sides"):
        check(task, split)
    check(replace(task, guards={guard: np.array(["p", "", "q", ""])}), split)


def test_folds_of_a_task_with_guards_pass_them() -> None:
    patients = [f"p{row // 3}" for row in range(60)]
    task = Task.of([str(row) for row in range(60)], ["x", "y"] * 30, np.arange(60) // 3, {"patient": patients})
    assert len(make_folds(task, 5, 1, 0)) == 5

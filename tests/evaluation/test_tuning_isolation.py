"""Nested tuning never sees the test part, nor parts a group; the cells of a grid do not disturb each other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.naive_bayes import GaussianNB

from leukobench.evaluation.folds import Fold, make_folds
from leukobench.evaluation.guards import leaks_into
from leukobench.evaluation.methods import Method, make_method
from leukobench.evaluation.records import RecordStore
from leukobench.evaluation.scores import Inference, write_scores
from leukobench.evaluation.task import Task
from leukobench.registry import Registry
from leukobench.selection import SELECTORS

from .tuning_cells import C_VALUES, COUNTS, LOGISTIC, anova, classifier, data, grid_of, records


def as_the_runner_does(folder: Path, methods: tuple[Method, ...], **rules: Any) -> Any:
    """A cell for the probe: what was chosen stands beside the probabilities of each test image."""
    counter = iter(range(100))

    def fit_predict(X: np.ndarray, y: np.ndarray, train: np.ndarray, test: np.ndarray) -> np.ndarray:
        own = folder / str(next(counter))
        own.mkdir()
        task = Task.of([f"{row:064x}" for row in range(len(y))], [f"c{label}" for label in y], np.arange(len(y)) // 2)
        (record,) = records(grid_of(own, X, task, methods, [Fold(0, 0, train, test)], **rules), own).values()
        assert record.probabilities is not None, record.error
        assert len(record.tuned) == 2
        return np.column_stack([record.probabilities, *(np.full(len(test), v) for v in record.tuned.values())])

    return fit_predict


def sides(task: Task) -> tuple[np.ndarray, np.ndarray]:
    tested = task.groups // 3 % 3 == 0
    return np.flatnonzero(~tested), np.flatnonzero(tested)


@pytest.mark.parametrize(
    "rules",
    [
        {},
        {"tuning": "optuna", "budget": 6},
        pytest.param({"balance": "smote"}, marks=pytest.mark.slow),
        {"calibration": "sigmoid"},
    ],
)
def test_the_test_part_changes_nothing_about_the_choice(tmp_path: Path, rules: dict[str, Any]) -> None:
    X, task = data()
    methods = anova({"n_features": COUNTS}), classifier("logistic_regression", {"C": C_VALUES})
    assert leaks_into(as_the_runner_does(tmp_path, methods, **rules), X, task.labels, *sides(task)) == []


def test_a_choice_by_the_score_of_the_test_part_is_caught() -> None:
    X, task = data()

    def fit_predict(X: np.ndarray, y: np.ndarray, train: np.ndarray, test: np.ndarray) -> np.ndarray:
        fits = [clone(LOGISTIC).set_params(logisticregression__C=C).fit(X[train], y[train]) for C in C_VALUES]
        return max(fits, key=lambda fit: fit.score(X[test], y[test])).predict_proba(X[test])

    assert leaks_into(fit_predict, X, task.labels, *sides(task)) != []


class SeesPairs(GaussianNB):
    """Refuses to predict an image whose group, in the last column, it was fitted on."""

    def __init__(self, C: float = 1.0) -> None:
        super().__init__()
        self.C = C

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> SeesPairs:
        self.groups_ = set(X[:, -1])
        return super().fit(X[:, :-1], y)

    def predict_proba(self, X: Any) -> np.ndarray:
        if self.groups_ & set(X[:, -1]):
            raise ValueError("a group stands on both sides")
        return super().predict_proba(X[:, :-1])


@pytest.mark.parametrize("rules", [{}, {"tuning": "optuna", "budget": 2}])
def test_inner_folds_keep_groups_apart(tmp_path: Path, rules: dict[str, Any]) -> None:
    X, task = data()
    X[:, -1] = task.groups
    registry = Registry("classifier")
    registry.add("pairs", SeesPairs)
    methods = (
        make_method(SELECTORS, "none", {}, "n", 0),
        make_method(registry, "pairs", {}, "p", 0, axes={"C": [1, 2, 3]}),
    )
    torn = Task(task.image_ids, task.labels, task.classes, np.arange(len(task)))
    for name, of in (("kept", task), ("torn", torn)):
        (tmp_path / name).mkdir()
        fold = [Fold(0, 0, *sides(task))]
        (record,) = records(grid_of(tmp_path / name, X, of, methods, fold, **rules), tmp_path / name).values()
        assert ("a group stands on both sides" in record.error) == (name == "torn")


SMOOTHING = {"var_smoothing": [10.0**power for power in range(-9, 9)]}
RULES = [{"tuning": "grid"}, {"tuning": "optuna", "budget": 8}]


@pytest.mark.slow
def test_choices_depend_neither_on_workers_nor_on_what_else_is_in_the_grid(tmp_path: Path) -> None:
    X, task = data()
    methods = classifier("logistic_regression", {"C": C_VALUES}), classifier("naive_bayes", SMOOTHING)
    found = []
    for workers, order in ((1, methods), (2, methods[::-1]), (1, methods[:1])):
        folder = tmp_path / f"{workers} {len(order)}"
        folder.mkdir()
        grid = grid_of(folder, X, task, (anova({"n_features": COUNTS}), *order), make_folds(task, 3, 1, 0), **RULES[1])
        found.append(records(grid, folder, workers))
    assert [len(cells) for cells in found] == [6, 6, 3]
    for cell, first in found[0].items():
        for other in (cells[cell] for cells in found[1:] if cell in cells):
            assert other.tuned == first.tuned
            np.testing.assert_array_equal(other.probabilities, first.probabilities)


@pytest.mark.parametrize("rules", RULES)
def test_candidates_that_fail_are_passed_over(tmp_path: Path, rules: dict[str, Any]) -> None:
    X, task = data()
    dotted = "sklearn.feature_selection.VarianceThreshold"
    selector = make_method(Registry("selector"), dotted, {}, "s", 0, axes={"threshold": [1e9, 0.5]})
    knn = classifier("knn", {"n_neighbors": [500, *range(1, 9)]})
    grid = grid_of(tmp_path, X, task, (selector, knn), make_folds(task, 3, 1, 0), **rules)
    for record in records(grid, tmp_path).values():
        assert not record.error
        assert record.tuned["selector threshold"] == 0.5
        assert record.tuned["classifier n_neighbors"] < 9


@pytest.mark.parametrize("rules", RULES)
def test_where_every_candidate_fails_the_row_fails_and_says_why(tmp_path: Path, rules: dict[str, Any]) -> None:
    X, task = data()
    knn, bayes = classifier("knn", {"n_neighbors": list(range(500, 520))}), classifier("naive_bayes", SMOOTHING)
    grid = grid_of(tmp_path, X, task, (anova(n_features=5), knn, bayes), make_folds(task, 3, 1, 0), **rules)
    records(grid, tmp_path)
    scored = write_scores(grid, RecordStore(tmp_path / "records"), tmp_path, Inference("accuracy", 100))
    board, tuned = scored.leaderboard.set_index("classifier"), scored.tables["tuned.csv"]
    assert board.status.to_dict() == {"naive_bayes": "ok", "knn": "failed in 3 of 3 folds"}
    assert scored.notes.text.str.contains("No candidate could be scored.*n_neighbors = 500", regex=True).any()
    assert tuned[["classifier", "fold", "parameter"]].values.tolist() == [
        ["naive_bayes", fold, "classifier var_smoothing"] for fold in range(3)
    ]


def test_a_selector_is_fitted_once_an_inner_fold_for_all_classifiers(
    tmp_path: Path, plugin: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FIT_FILE", str(tmp_path / "fits"))
    X, task = data()
    counting = make_method(Registry("selector"), f"{plugin}:best_two", {}, "s", 0, axes={"k": [2, 4]})
    methods = [counting, classifier("knn", {"n_neighbors": [1, 3]}), classifier("naive_bayes")]
    records(grid_of(tmp_path, X, task, tuple(methods), [Fold(0, 0, *sides(task))]), tmp_path)
    assert 2 * 3 + 1 <= len((tmp_path / "fits").read_text()) <= 2 * 3 + 2

"""Nested tuning: the same choice as scikit-learn's search on the same grouped folds, blind to the test part."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.feature_selection import SelectKBest, f_classif
from sklearn.metrics import accuracy_score, balanced_accuracy_score, f1_score, matthews_corrcoef, roc_auc_score
from sklearn.model_selection import GridSearchCV, StratifiedGroupKFold, StratifiedKFold, cross_val_predict
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.svm import SVC
from threadpoolctl import threadpool_limits

from leukobench.evaluation.folds import Fold, make_folds
from leukobench.evaluation.methods import FitRules, Method, make_method
from leukobench.evaluation.task import Task
from leukobench.evaluation.tuning import Chosen, InnerFeatures, tune
from leukobench.selection import SELECTORS
from leukobench.selection.anova import ANOVA

from .tuning_cells import C_VALUES, COUNTS, LOGISTIC, anova, classifier, data, grid_of, records

METRICS: dict[str, Callable[[Any, Any], float]] = {
    "accuracy": lambda y, p: accuracy_score(y, p.argmax(axis=1)),
    "balanced_accuracy": lambda y, p: balanced_accuracy_score(y, p.argmax(axis=1)),
    "f1_macro": lambda y, p: f1_score(y, p.argmax(axis=1), average="macro"),
    "f1_weighted": lambda y, p: f1_score(y, p.argmax(axis=1), average="weighted"),
    "mcc": lambda y, p: matthews_corrcoef(y, p.argmax(axis=1)),
}


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """As the runner has it."""
    with threadpool_limits(1):
        yield


def inner_splits(y: np.ndarray, groups: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    return list(StratifiedGroupKFold(3, shuffle=True, random_state=0).split(np.zeros(len(y)), y, groups))


def tuned_on(X: np.ndarray, task: Task, *methods: Method, **rules: Any) -> Chosen:
    """The choice, with a whole task as the training part."""
    splits = inner_splits(task.labels, task.groups)
    found = FitRules(**{"tuning": "grid", **rules})
    return tune(methods[0], methods[1], InnerFeatures(X, task.labels), lambda: splits, found)


def values(chosen: Chosen) -> tuple[Any, ...]:
    return (*chosen.selector.parameters.values(), *chosen.classifier.parameters.values())


def searched(X: np.ndarray, task: Task, fold: Fold, named: tuple[str, Any], counts: list[int]) -> GridSearchCV:
    """scikit-learn's own search on the training part: every pair in our order, refitted on all of it."""
    y, groups = task.labels[fold.train], task.groups[fold.train]
    steps = Pipeline([("select", SelectKBest(f_classif)), ("classify", clone(named[1]))])
    pairs = [{"select__k": [k], f"classify__{named[0]}": [C]} for k, C in product(counts, C_VALUES)]
    splits = inner_splits(y, groups)
    assert {len(test) for _, test in splits} == {12}  # then the mean over folds is the pooled accuracy
    return GridSearchCV(steps, pairs, scoring="accuracy", cv=splits, refit=first_of_equals).fit(X[fold.train], y)


def first_of_equals(results: Mapping[str, Any]) -> int:
    """Means over folds of equal accuracies may differ by their rounding."""
    return int(np.round(results["mean_test_score"], 12).argmax())


@pytest.mark.parametrize("counts", [[5], pytest.param(COUNTS, marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", ["logistic_regression", "svm_rbf"])
def test_a_tuned_cell_is_the_grid_search_of_scikit_learn(tmp_path: Path, name: str, counts: list[int]) -> None:
    named = {"logistic_regression": ("logisticregression__C", LOGISTIC), "svm_rbf": ("C", SVC())}[name]
    chosen = set()
    for seed in range(2):
        X, task = data(seed)
        methods = anova({"n_features": counts}), classifier(name, {"C": C_VALUES})
        folder = tmp_path / str(seed)
        folder.mkdir()
        grid = grid_of(folder, X, task, methods, make_folds(task, 3, 1, 0), metric="accuracy")
        found = records(grid, folder)
        for fold in grid.folds:
            expected, mine = searched(X, task, fold, named, counts), found[name, fold.number]
            best = expected.best_params_["select__k"], expected.best_params_[f"classify__{named[0]}"]
            assert mine.tuned == {"selector n_features": best[0], "classifier C": best[1]}
            np.testing.assert_allclose(mine.probabilities, probabilities(expected, X, task, fold), atol=1e-9)
            chosen.add(best)
    assert len(chosen) > 1


def probabilities(search: GridSearchCV, X: np.ndarray, task: Task, fold: Fold) -> np.ndarray:
    """Of the refitted best; a machine without probabilities gets a sigmoid from the same grouped folds."""
    if hasattr(search, "predict_proba"):
        return search.predict_proba(X[fold.test])
    y, (select, machine) = task.labels[fold.train], (step for _, step in search.best_estimator_.steps)
    fitted = CalibratedClassifierCV(clone(machine), cv=inner_splits(y, task.groups[fold.train]), ensemble=False)
    return fitted.fit(select.transform(X[fold.train]), y).predict_proba(select.transform(X[fold.test]))


FAST = ("balanced_accuracy", "auroc")


def over_folds(task: Task, answers: np.ndarray) -> float:
    """Mean over the inner folds of each class's area against the rest."""
    classes, inner = range(answers.shape[1]), inner_splits(task.labels, task.groups)
    return float(
        np.mean([roc_auc_score(task.labels[rows] == k, answers[rows, k]) for _, rows in inner for k in classes])
    )


@pytest.mark.parametrize(
    "metric", [pytest.param(one, marks=[pytest.mark.slow] * (one not in FAST)) for one in (*METRICS, "auroc")]
)
def test_the_metric_is_pooled_over_the_inner_folds(metric: str) -> None:
    X, task = data(0, images=60)
    pairs = list(product(COUNTS, C_VALUES))
    answers = [
        cross_val_predict(
            make_pipeline(SelectKBest(k=k), clone(LOGISTIC).set_params(logisticregression__C=C)),
            X,
            task.labels,
            cv=inner_splits(task.labels, task.groups),
            method="predict_proba",
        )
        for k, C in pairs
    ]
    if metric == "auroc":  # as on the leaderboard: scores of models of several folds have no common scale
        expected = [over_folds(task, answer) for answer in answers]
    else:
        expected = [METRICS[metric](task.labels, answer) for answer in answers]
    methods = anova({"n_features": COUNTS}), classifier("logistic_regression", {"C": C_VALUES})
    chosen = tuned_on(X, task, *methods, metric=metric)
    assert chosen.score == pytest.approx(max(expected), abs=1e-12)
    assert expected[pairs.index(values(chosen))] == pytest.approx(max(expected), abs=1e-12)
    assert chosen.tried == len(pairs)


def test_what_has_no_probabilities_is_judged_by_its_predictions_and_ranked_by_its_decisions() -> None:
    machine, methods = make_pipeline(SelectKBest(k=5), SVC(C=10)), (anova(n_features=5), classifier("svm_rbf"))
    for classes in (2, 3):
        X, task = data(1, classes, images=60)
        splits = inner_splits(task.labels, task.groups)
        predicted = cross_val_predict(machine, X, task.labels, cv=splits)
        assert tuned_on(X, task, *methods).score == pytest.approx(balanced_accuracy_score(task.labels, predicted))
        decisions = cross_val_predict(machine, X, task.labels, cv=splits, method="decision_function")
        by_class = decisions if classes > 2 else np.column_stack([-decisions, decisions])
        chosen = tuned_on(X, task, *methods, metric="auroc")
        assert chosen.score == pytest.approx(over_folds(task, by_class), abs=1e-12)


@pytest.mark.parametrize("metric", ["patient_balanced_accuracy", "patient_auroc"])
def test_metrics_of_patients_count_each_group_once(metric: str) -> None:
    X, task = data(0, images=60)
    machine = make_pipeline(SelectKBest(k=5), clone(LOGISTIC))
    splits = inner_splits(task.labels, task.groups)
    answers = cross_val_predict(machine, X, task.labels, cv=splits, method="predict_proba")
    pairs = (answers[::2] + answers[1::2]) / 2
    of_pairs = Task(task.image_ids[::2], task.labels[::2], task.classes, task.groups[::2])
    folds = [np.unique(rows // 2) for _, rows in splits]
    expected = (
        balanced_accuracy_score(of_pairs.labels, pairs.argmax(axis=1))
        if metric == "patient_balanced_accuracy"
        else np.mean([roc_auc_score(of_pairs.labels[rows] == k, pairs[rows, k]) for rows in folds for k in range(3)])
    )
    features = InnerFeatures(X, task.labels, task.groups)
    methods = anova(n_features=5), classifier("logistic_regression")
    chosen = tune(*methods, features, lambda: splits, FitRules(tuning="grid", metric=metric))
    assert chosen.score == pytest.approx(expected, abs=1e-12)


def test_oversampling_stays_inside_the_inner_folds() -> None:
    from imblearn.over_sampling import RandomOverSampler
    from imblearn.pipeline import make_pipeline as sampled

    X, task = data(0, images=90)
    kept = np.flatnonzero((task.labels > 0) | (task.groups % 2 > 0))
    task = Task(task.image_ids[kept], task.labels[kept], task.classes, task.groups[kept])
    splits = inner_splits(task.labels, task.groups)
    fitted = sampled(SelectKBest(k=5), RandomOverSampler(random_state=0), clone(LOGISTIC))
    expected = balanced_accuracy_score(task.labels, cross_val_predict(fitted, X[kept], task.labels, cv=splits))
    methods = anova(n_features=5), classifier("logistic_regression")
    assert tuned_on(X[kept], task, *methods, balance="oversample").score == pytest.approx(expected, abs=1e-12)
    assert tuned_on(X[kept], task, *methods).score != pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("rules", [{"tuning": "grid"}, {"tuning": "optuna", "budget": 5}])
@pytest.mark.parametrize("order", [[1.0, 0.1, 10.0], [10.0, 0.1, 1.0], [0.1, 10.0, 1.0]])
def test_the_first_of_equals_wins(order: list[float], rules: dict[str, Any]) -> None:
    X, task = data(shift=40)
    counts = [3, 6, 12]
    methods = anova({"n_features": counts}), classifier("logistic_regression", {"C": order})
    chosen = tuned_on(X, task, *methods, **rules)
    assert (chosen.score, *values(chosen)) == (1.0, 3, order[0])
    assert chosen.tried > 1


def test_numbers_of_features_share_one_ranking_a_fold(monkeypatch: pytest.MonkeyPatch) -> None:
    fits: list[int] = []
    rank = ANOVA._rank
    monkeypatch.setattr(ANOVA, "_rank", lambda self, X, y: fits.append(self.n_features) or rank(self, X, y))
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(60, 30)), np.arange(60) % 2
    splits = list(StratifiedKFold(3).split(X, y))
    method = make_method(SELECTORS, "anova", {}, "anova", 0, axes={"n_features": [10, 5, 20, 1]})
    features = InnerFeatures(X, y)
    for position, candidate in enumerate(method.candidates):
        reduced = features.reduce(position, method.candidates, splits)
        for (train, _), (left, _) in zip(splits, reduced, strict=True):
            expected = clone(candidate.estimator).fit(X[train], y[train]).transform(X[train])
            np.testing.assert_array_equal(left, expected)
    assert fits.count(20) == 3 + 3  # of the search, and of the comparison here
    assert len(fits) == 3 + 4 * 3

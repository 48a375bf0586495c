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
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, balanced_accuracy_score, f1_score, matthews_corrcoef, roc_auc_score
from sklearn.model_selection import GridSearchCV, StratifiedGroupKFold, StratifiedKFold, cross_val_predict
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from threadpoolctl import threadpool_limits

from leukobench.classifiers import CLASSIFIERS
from leukobench.evaluation.folds import Fold, make_folds
from leukobench.evaluation.grid import FeatureSource, Grid
from leukobench.evaluation.guards import leaks_into
from leukobench.evaluation.methods import FitRules, Method, make_method
from leukobench.evaluation.records import Record, RecordStore
from leukobench.evaluation.runner import run_grid
from leukobench.evaluation.scores import write_scores
from leukobench.evaluation.task import Task
from leukobench.evaluation.tuning import Chosen, InnerFeatures, tune
from leukobench.registry import Registry
from leukobench.runs.executors import Processes
from leukobench.selection import SELECTORS
from leukobench.selection.anova import ANOVA

C_VALUES = [1.0, 0.01, 0.1, 10.0]
COUNTS = [8, 2, 4]
LOGISTIC = make_pipeline(StandardScaler(), LogisticRegression(tol=1e-6, max_iter=5000))
METRICS: dict[str, Callable[[Any, Any], float]] = {
    "accuracy": lambda y, p: accuracy_score(y, p.argmax(axis=1)),
    "balanced_accuracy": lambda y, p: balanced_accuracy_score(y, p.argmax(axis=1)),
    "f1_macro": lambda y, p: f1_score(y, p.argmax(axis=1), average="macro"),
    "f1_weighted": lambda y, p: f1_score(y, p.argmax(axis=1), average="weighted"),
    "mcc": lambda y, p: matthews_corrcoef(y, p.argmax(axis=1)),
    "auroc": lambda y, p: roc_auc_score(y, p, multi_class="ovr", average="macro"),
}


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """As the runner has it."""
    with threadpool_limits(1):
        yield


def data(seed: int = 0, classes: int = 3, images: int = 54, shift: float = 0.9) -> tuple[np.ndarray, Task]:
    """Pairs of images that are alike and of one class: folds of equal size, and a search that has to keep pairs."""
    rng = np.random.default_rng(seed)
    groups = np.arange(images) // 2
    labels = groups % classes
    X = rng.normal(size=(images, 12)) + rng.normal(size=(images, 12))[groups]
    X[:, :classes] += shift * np.eye(classes)[labels]
    return X, Task.of([f"{row:064x}" for row in range(images)], [f"c{label}" for label in labels], groups)


def anova(axes: Mapping[str, list[Any]] | None = None, **parameters: Any) -> Method:
    return make_method(SELECTORS, "anova", parameters, "anova", 0, axes=axes)


def classifier(name: str, axes: Mapping[str, list[Any]] | None = None) -> Method:
    return make_method(CLASSIFIERS, name, {}, name, 0, axes=axes)


def grid_of(
    folder: Path, X: np.ndarray, task: Task, methods: tuple[Method, ...], folds: list[Fold], **rules: Any
) -> Grid:
    np.save(folder / "x.npy", X)
    source = FeatureSource("x", folder / "x.npy", "x")
    return Grid(task, folds, [source], methods[:1], methods[1:], FitRules(**{"tuning": "grid", **rules}))


def records(grid: Grid, folder: Path, workers: int = 1) -> dict[tuple[str, int], Record]:
    store = RecordStore(folder / "records")
    run_grid(grid, store, Processes(workers))
    found = {
        (c.classifier.label, f.number): store.read(grid.key(c, f)) for c in grid.combinations() for f in grid.folds
    }
    return {cell: record for cell, record in found.items() if record is not None}


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


@pytest.mark.parametrize("counts", [[5], COUNTS])
@pytest.mark.parametrize("name", ["logistic_regression", "svm_rbf"])
def test_a_tuned_cell_is_the_grid_search_of_scikit_learn(tmp_path: Path, name: str, counts: list[int]) -> None:
    named = {"logistic_regression": ("logisticregression__C", LOGISTIC), "svm_rbf": ("C", SVC())}[name]
    chosen = set()
    for seed in range(3):
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


@pytest.mark.parametrize("metric", list(METRICS))
def test_the_metric_is_pooled_over_the_inner_folds(metric: str) -> None:
    for seed in range(2):
        X, task = data(seed, images=60)
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
    X, task = data(1, 2, images=60)
    splits = inner_splits(task.labels, task.groups)
    decisions = cross_val_predict(machine, X, task.labels, cv=splits, method="decision_function")
    chosen = tuned_on(X, task, *methods, metric="auroc")
    assert chosen.score == pytest.approx(roc_auc_score(task.labels, decisions), abs=1e-12)


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
    "rules", [{}, {"tuning": "optuna", "budget": 6}, {"balance": "smote"}, {"calibration": "sigmoid"}]
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
    scored = write_scores(grid, RecordStore(tmp_path / "records"), tmp_path, "accuracy", resamples=100)
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
        reduced = features.reduced(position, method.candidates, splits)
        for (train, _), (left, _) in zip(splits, reduced, strict=True):
            expected = clone(candidate.estimator).fit(X[train], y[train]).transform(X[train])
            np.testing.assert_array_equal(left, expected)
    assert fits.count(20) == 3 + 3  # of the search, and of the comparison here
    assert len(fits) == 3 + 4 * 3

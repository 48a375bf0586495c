"""Calibrated probabilities: those of scikit-learn on the same grouped inner folds, and by hand."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold, cross_val_predict
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from threadpoolctl import threadpool_limits

from leukobench.classifiers import CLASSIFIERS
from leukobench.config.experiment_file import for_folder
from leukobench.errors import ConfigurationError
from leukobench.evaluation.calibration import calibrate
from leukobench.evaluation.folds import Fold
from leukobench.evaluation.grid import FeatureSource, Grid
from leukobench.evaluation.methods import FitRules, make_method
from leukobench.evaluation.records import Record, RecordStore
from leukobench.evaluation.scheduling import run_grid
from leukobench.evaluation.task import Task
from leukobench.selection import SELECTORS

from ..in_process import InProcess

METHODS = ["sigmoid", "isotonic", "temperature"]
LOGISTIC = make_pipeline(StandardScaler(), LogisticRegression(tol=1e-6, max_iter=5000))
PLAIN = {"svm_rbf": SVC(C=10), "logistic_regression": LOGISTIC, "naive_bayes": GaussianNB(var_smoothing=1e-3)}
SHIPPED = [name for name in CLASSIFIERS.names() if CLASSIFIERS.ships(name)]
LONG = {"dense_head": pytest.mark.slow}
FEW_TREES = {"random_forest": {"n_estimators": 8}, "xgboost": {"n_estimators": 8}}


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """As the runner has it."""
    with threadpool_limits(1):
        yield


def data(images: int = 90, patients_of_last: int | None = None, shift: float = 1.5) -> tuple[np.ndarray, Task]:
    """Three classes and pairs of images that are alike; the last class keeps so many pairs."""
    rng = np.random.default_rng(0)
    groups = np.arange(images) // 2
    labels = groups % 3
    X = rng.normal(size=(images, 6)) + rng.normal(size=(images, 6))[groups] + shift * np.eye(3, 6)[labels]
    kept = (labels < 2) | (groups // 3 < (patients_of_last or images))
    X, labels, groups = X[kept], labels[kept], groups[kept]
    return X, Task.of([f"{row:064x}" for row in range(len(X))], [f"c{label}" for label in labels], groups)


def sides(task: Task) -> tuple[np.ndarray, np.ndarray]:
    tested = task.groups // 3 % 4 == 1
    return np.flatnonzero(~tested), np.flatnonzero(tested)


def grid_of(folder: Path, classifier: str, X: np.ndarray, task: Task, **rules: Any) -> Grid:
    np.save(folder / "x.npy", X)
    methods = (
        make_method(SELECTORS, "none", {}, "none", 0),
        make_method(CLASSIFIERS, classifier, FEW_TREES.get(classifier, {}), classifier, 0),
    )
    source, fold = FeatureSource("x", folder / "x.npy", "x"), Fold(0, 0, *sides(task))
    return Grid(task, [fold], [source], [methods[0]], [methods[1]], FitRules(**rules))


def cell(folder: Path, classifier: str, X: np.ndarray, task: Task, **rules: Any) -> Record:
    grid, store = grid_of(folder, classifier, X, task, **rules), RecordStore(folder / "records")
    run_grid(grid, store, InProcess())
    record = store.read(grid.key(next(grid.combinations()), grid.folds[0]))
    assert record is not None
    return record


def inner_splits(task: Task, train: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    y, groups = task.labels[train], task.groups[train]
    return list(StratifiedGroupKFold(3, shuffle=True, random_state=0).split(np.zeros(len(y)), y, groups))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", list(PLAIN))
def test_probabilities_are_those_of_scikit_learn_on_grouped_inner_folds(tmp_path: Path, name: str, method: str) -> None:
    X, task = data()
    (train, test), y = sides(task), task.labels
    torn = list(StratifiedKFold(3, shuffle=True, random_state=0).split(X[train], y[train]))
    mine = cell(tmp_path, name, X, task, calibration=method).probabilities
    expected, ungrouped = (
        CalibratedClassifierCV(clone(PLAIN[name]), method=method, cv=splits, ensemble=False)
        .fit(X[train], y[train])
        .predict_proba(X[test])
        for splits in (inner_splits(task, train), torn)
    )
    np.testing.assert_allclose(mine, expected, atol=1e-9)
    assert np.abs(mine - ungrouped).max() > 1e-4


def out_of_fold(X: np.ndarray, task: Task, estimator: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Decision values of the training part from its inner folds, and of the test part; labels of the former."""
    train, test = sides(task)
    y = task.labels[train]
    inner = cross_val_predict(estimator, X[train], y, cv=inner_splits(task, train), method="decision_function")
    return inner, clone(estimator).fit(X[train], y).decision_function(X[test]), y


def test_isotonic_is_a_monotone_regression_a_class(tmp_path: Path) -> None:
    X, task = data()
    inner, outer, y = out_of_fold(X, task, PLAIN["svm_rbf"])
    steps = [IsotonicRegression(out_of_bounds="clip").fit(inner[:, k], y == k) for k in range(3)]
    raised = np.column_stack([step.predict(outer[:, k]) for k, step in enumerate(steps)])
    found = cell(tmp_path, "svm_rbf", X, task, calibration="isotonic").probabilities
    total = raised.sum(axis=1, keepdims=True)
    expected = np.divide(raised, total, out=np.full_like(raised, 1 / 3), where=total > 0)
    np.testing.assert_allclose(found, expected, atol=1e-9)


def test_temperature_is_one_number_that_lowers_the_log_loss_most(tmp_path: Path) -> None:
    X, task = data()
    inner, outer, y = out_of_fold(X, task, LOGISTIC)

    def loss(exponent: float) -> float:
        return -log_softmax(np.exp(exponent) * inner, axis=1)[np.arange(len(y)), y].mean()

    best = np.exp(minimize_scalar(loss, bounds=(-5, 5), method="bounded", options={"xatol": 1e-8}).x)
    found = cell(tmp_path, "logistic_regression", X, task, calibration="temperature").probabilities
    np.testing.assert_allclose(found, softmax(best * outer, axis=1), atol=1e-3)
    np.testing.assert_array_equal(found.argmax(axis=1), outer.argmax(axis=1))
    assert np.abs(found - softmax(outer, axis=1)).max() > 0.01


@pytest.mark.parametrize("method", [METHODS[0], *(pytest.param(one, marks=pytest.mark.slow) for one in METHODS[1:])])
@pytest.mark.parametrize("name", [pytest.param(name, marks=LONG.get(name, ())) for name in SHIPPED])
def test_every_classifier_can_be_calibrated(tmp_path: Path, name: str, method: str) -> None:
    X, task = data(60, shift=5)
    record = cell(tmp_path, name, X, task, calibration=method)
    assert not record.error
    assert record.probabilities.min() >= 0
    np.testing.assert_allclose(record.probabilities.sum(axis=1), 1, atol=1e-6)
    assert (record.probabilities.argmax(axis=1) == task.labels[sides(task)[1]]).mean() > 0.7


def test_oversampling_happens_inside_the_inner_folds_of_the_calibrator(tmp_path: Path) -> None:
    from imblearn.over_sampling import RandomOverSampler
    from imblearn.pipeline import make_pipeline as sampled

    X, task = data(patients_of_last=8)
    train, test = sides(task)
    machine = sampled(RandomOverSampler(random_state=0), SVC(C=10))
    expected = CalibratedClassifierCV(machine, cv=inner_splits(task, train), ensemble=False)
    expected.fit(X[train], task.labels[train])
    mine = cell(tmp_path, "svm_rbf", X, task, balance="oversample").probabilities
    np.testing.assert_allclose(mine, expected.predict_proba(X[test]), atol=1e-9)


@pytest.mark.parametrize("name", ["logistic_regression", "naive_bayes"])
def test_as_needed_leaves_probabilities_as_they_are(tmp_path: Path, name: str) -> None:
    X, task = data()
    train, test = sides(task)
    expected = clone(PLAIN[name]).fit(X[train], task.labels[train]).predict_proba(X[test])
    np.testing.assert_allclose(cell(tmp_path, name, X, task).probabilities, expected, atol=1e-12)


def test_as_needed_gives_a_sigmoid_to_what_has_no_probabilities(tmp_path: Path) -> None:
    X, task = data()
    needed, asked = (cell(tmp_path, "svm_rbf", X, task, calibration=how) for how in ("as_needed", "sigmoid"))
    np.testing.assert_array_equal(needed.probabilities, asked.probabilities)


def test_one_patient_of_a_class_is_enough_for_own_probabilities_and_too_few_to_calibrate(tmp_path: Path) -> None:
    X, task = data(patients_of_last=1)
    assert task.labels[sides(task)[0]].tolist().count(2) == 2
    assert cell(tmp_path, "naive_bayes", X, task).probabilities is not None
    for method in METHODS:
        assert "a class has one patient" in cell(tmp_path, "naive_bayes", X, task, calibration=method).error


def test_a_record_made_with_another_calibration_is_not_taken(tmp_path: Path) -> None:
    X, task = data()
    grids = [grid_of(tmp_path, "naive_bayes", X, task, calibration=how) for how in ("as_needed", *METHODS)]
    assert len({grid.key(next(grid.combinations()), grid.folds[0]) for grid in grids}) == len(grids)


def test_the_estimator_itself_is_fitted_on_everything(tmp_path: Path) -> None:
    X, task = data()
    train, _ = sides(task)
    fitted = calibrate(PLAIN["svm_rbf"], "sigmoid", inner_splits(task, train)).fit(X[train], task.labels[train])
    (whole,) = fitted.calibrated_classifiers_
    assert whole.estimator.shape_fit_ == X[train].shape


@pytest.mark.parametrize("said", ["platt", "Sigmoid", "", None, True, ["sigmoid"]])
def test_an_unknown_calibration_is_refused_with_the_known_ones(tmp_path: Path, said: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"evaluation\.calibration: .*'isotonic' or 'temperature'") as refused:
        for_folder(tmp_path, evaluation={"calibration": said})
    assert f"received: {said!r}" in str(refused.value)

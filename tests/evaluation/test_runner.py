from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import make_classification

from leukobench.evaluation.folds import make_folds
from leukobench.evaluation.grid import FeatureSource, Grid, spread
from leukobench.evaluation.methods import FitRules, make_method
from leukobench.evaluation.records import RecordStore
from leukobench.evaluation.runner import _all_classes, _stored_bytes
from leukobench.evaluation.scheduling import run_grid
from leukobench.evaluation.scores import Inference, write_scores
from leukobench.evaluation.task import Task
from leukobench.processes.executors import Processes
from leukobench.registry import Registry

from ..in_process import InProcess

N = 180


@pytest.fixture
def registries() -> tuple[Registry, Registry]:
    selectors, classifiers = Registry("selector"), Registry("classifier")
    selectors.add("anova", "sklearn.feature_selection:SelectKBest")
    selectors.add("none", "sklearn.feature_selection:VarianceThreshold")
    classifiers.add("bayes", "sklearn.naive_bayes:GaussianNB")
    classifiers.add("tree", "sklearn.tree:DecisionTreeClassifier")
    classifiers.add("svm", "sklearn.svm:SVC")
    return selectors, classifiers


def make_grid(
    folder: Path,
    registries: tuple[Registry, Registry],
    classifiers: list[str],
    selectors: tuple[str, ...] = ("anova",),
    **said: Any,
) -> Grid:
    X, y = make_classification(N, 12, n_informative=6, n_classes=3, weights=[0.6, 0.3], random_state=0)
    np.save(folder / "x.npy", X.astype(np.float32))
    groups = np.arange(N) // 2
    task = Task.of([f"{i:064x}" for i in range(N)], [f"class {c}" for c in y], groups)
    kept, used = registries
    return Grid(
        task,
        make_folds(task, 4, 1, 0),
        [FeatureSource("x", folder / "x.npy", "x")],
        [make_method(kept, name, {"k": 5} if name == "anova" else {}, name, 0) for name in selectors],
        [make_method(used, name, {}, name, 0) for name in classifiers],
        **said,
    )


def results(grid: Grid, folder: Path, workers: int = 1) -> tuple[pd.DataFrame, pd.DataFrame]:
    store = RecordStore(folder / "records")
    run_grid(grid, store, Processes(workers) if workers > 1 else InProcess())
    scored = write_scores(grid, store, folder, Inference("balanced_accuracy", 100))
    return scored.leaderboard, pd.read_parquet(folder / "predictions.parquet")


def test_cells_equal_plain_scikit_learn(tmp_path: Path, registries: tuple[Registry, Registry]) -> None:
    from sklearn.feature_selection import SelectKBest
    from sklearn.metrics import accuracy_score
    from sklearn.model_selection import cross_val_predict
    from sklearn.naive_bayes import GaussianNB
    from sklearn.pipeline import make_pipeline

    grid = make_grid(tmp_path, registries, ["bayes", "tree"])
    board, predictions = results(grid, tmp_path)
    X = np.load(tmp_path / "x.npy").astype(np.float64)
    splits = [(fold.train, fold.test) for fold in grid.folds]
    expected = cross_val_predict(
        make_pipeline(SelectKBest(k=5), GaussianNB()), X, grid.task.labels, cv=splits, method="predict_proba"
    )
    mine = predictions[predictions.classifier == "bayes"].set_index("image_id").loc[grid.task.image_ids]
    np.testing.assert_array_equal(mine[["p_class 0", "p_class 1", "p_class 2"]], expected)
    folds = [accuracy_score(grid.task.labels[f.test], expected[f.test].argmax(axis=1)) for f in grid.folds]
    row = board[board.classifier == "bayes"].iloc[0]
    assert row.accuracy == pytest.approx(accuracy_score(grid.task.labels, expected.argmax(axis=1)), abs=1e-12)
    assert row.accuracy_low < row.accuracy < row.accuracy_high
    assert row.accuracy_sd == pytest.approx(np.std(folds, ddof=1), abs=1e-12)


@pytest.mark.slow
def test_scores_do_not_depend_on_the_number_of_workers(tmp_path: Path, registries: tuple[Registry, Registry]) -> None:
    tables = []
    for workers in (1, 2):
        folder = tmp_path / str(workers)
        folder.mkdir()
        tables.append(
            results(make_grid(folder, registries, ["svm", "tree"], rules=FitRules(balance="smote")), folder, workers)[1]
        )
    pd.testing.assert_frame_equal(*tables)


def test_probabilities_of_a_classifier_without_them_come_from_grouped_inner_folds(
    tmp_path: Path, registries: tuple[Registry, Registry]
) -> None:
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.feature_selection import SelectKBest
    from sklearn.model_selection import StratifiedGroupKFold
    from sklearn.svm import SVC

    grid = make_grid(tmp_path, registries, ["svm"])
    _, predictions = results(grid, tmp_path)
    X, fold = np.load(tmp_path / "x.npy").astype(np.float64), grid.folds[0]
    y, groups = grid.task.labels[fold.train], grid.task.groups[fold.train]
    selector = SelectKBest(k=5).fit(X[fold.train], y)
    train, test = selector.transform(X[fold.train]), selector.transform(X[fold.test])
    inner = list(StratifiedGroupKFold(3, shuffle=True, random_state=0).split(train, y, groups))
    fitted = CalibratedClassifierCV(SVC(random_state=0), cv=inner, ensemble=False).fit(train, y)
    mine = predictions[predictions.fold == 0].set_index("image_id").loc[grid.task.image_ids[fold.test]]
    np.testing.assert_allclose(mine.filter(like="p_"), fitted.predict_proba(test), atol=1e-12)


def test_a_failure_is_a_row_without_numbers_and_is_tried_again(
    tmp_path: Path, registries: tuple[Registry, Registry], plugin: str
) -> None:
    registries[1].add("failing", f"{plugin}:FailsInOneFold")
    board, _ = results(make_grid(tmp_path, registries, ["bayes", "failing"]), tmp_path)
    assert board.classifier.tolist() == ["bayes", "failing"]
    assert board.status.tolist() == ["ok", "failed in 4 of 4 folds"]
    assert board["rank"].isna().tolist() == [False, True]
    assert np.isnan(board.accuracy[1])
    grid, store = make_grid(tmp_path, registries, ["bayes", "failing"]), RecordStore(tmp_path / "records")
    counted: list[int] = []
    run_grid(grid, store, InProcess(), counted.append)
    assert sum(counted) == 4
    notes = write_scores(grid, store, tmp_path, Inference("accuracy", 100)).notes
    assert notes.text.str.contains("this classifier fails on demand").all()


def test_when_everything_fails_the_board_still_says_so(
    tmp_path: Path, registries: tuple[Registry, Registry], plugin: str
) -> None:
    registries[1].add("failing", f"{plugin}:FailsInOneFold")
    board, _ = results(make_grid(tmp_path, registries, ["failing"]), tmp_path)
    assert board["rank"].isna().all()
    assert board.status.tolist() == ["failed in 4 of 4 folds"]


def test_a_failing_selector_fails_its_combinations_only(tmp_path: Path, registries: tuple[Registry, Registry]) -> None:
    grid = make_grid(tmp_path, registries, ["bayes"], ("none", "anova"))
    grid.selectors[1].estimator.set_params(k=99, score_func=lambda X, y: 1 / 0)
    board, _ = results(grid, tmp_path)
    assert board.set_index("selector").status.to_dict() == {"none": "ok", "anova": "failed in 4 of 4 folds"}


@pytest.mark.slow
def test_a_worker_that_dies_costs_its_own_cells_only(
    tmp_path: Path, registries: tuple[Registry, Registry], plugin: str
) -> None:
    registries[1].add("killer", f"{plugin}:KillsItsProcess")
    board, _ = results(make_grid(tmp_path, registries, ["bayes", "killer", "tree"]), tmp_path, workers=2)
    assert board.set_index("classifier").status.to_dict() == {
        "bayes": "ok",
        "tree": "ok",
        "killer": "failed in 4 of 4 folds",
    }


def test_a_selector_is_fitted_once_a_fold_and_adding_a_classifier_computes_only_its_cells(
    tmp_path: Path, registries: tuple[Registry, Registry], plugin: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    count = tmp_path / "fits"
    monkeypatch.setenv("FIT_FILE", str(count))
    registries[0].add("counting", f"{plugin}:best_two")
    store = RecordStore(tmp_path / "records")
    run_grid(make_grid(tmp_path, registries, ["bayes", "tree"], ("counting",)), store, InProcess())
    assert len(count.read_text()) == 4
    before = {path.name for path in store.folder.iterdir()}
    counted: list[int] = []
    run_grid(
        make_grid(tmp_path, registries, ["bayes", "tree", "svm"], ("counting",)), store, InProcess(), counted.append
    )
    assert sum(counted) == 4
    assert len({path.name for path in store.folder.iterdir()} - before) == 4


def test_idle_cores_get_parts_of_units(tmp_path: Path, registries: tuple[Registry, Registry]) -> None:
    grid = make_grid(tmp_path, registries, ["bayes", "tree", "svm"])
    units = grid.pending(set())
    cells = sorted(key for unit in units for key, _ in unit.classifiers)
    for workers, expected in ((1, 4), (4, 4), (5, 8), (8, 8), (9, 12), (100, 12)):
        parts = spread(units, workers)
        assert len(parts) == expected
        assert sorted(key for unit in parts for key, _ in unit.classifiers) == cells
    assert spread([], 4) == []


def test_a_damaged_record_is_computed_again(tmp_path: Path, registries: tuple[Registry, Registry]) -> None:
    grid = make_grid(tmp_path, registries, ["bayes"])
    first, _ = results(grid, tmp_path)
    victim = sorted((tmp_path / "records").iterdir())[0]
    data = bytearray(victim.read_bytes())
    data[len(data) // 3] ^= 0xFF
    victim.write_bytes(bytes(data))
    counted: list[int] = []
    run_grid(grid, RecordStore(tmp_path / "records"), InProcess(), counted.append)
    again, _ = results(grid, tmp_path)
    assert sum(counted) == 1
    assert again.accuracy.tolist() == first.accuracy.tolist()


class Answers:
    """A fitted classifier that gives the probabilities it was told."""

    def __init__(self, answer: list[list[float]], classes: list[int]) -> None:
        self.answer, self.classes_ = np.array(answer), np.array(classes)

    def predict_proba(self, X: np.ndarray) -> np.ndarray:
        return self.answer


def test_a_class_that_the_training_part_lacks_gets_probability_zero() -> None:
    full = _all_classes(Answers([[0.3, 0.7]], [0, 2]), np.zeros((1, 4)), 3)
    assert full.tolist() == [[0.3, 0.0, 0.7]]


@pytest.mark.parametrize(
    "answer", [[[np.nan, 0.7]], [[0.3], [0.7]], [[0.7]], [[0.0, 0.0]], [[-1.0, 2.0]], [[2.0, 5.0]]]
)
def test_what_is_no_probability_is_refused(answer: list[list[float]]) -> None:
    with pytest.raises(ValueError, match="predict_proba gave"):
        _all_classes(Answers(answer, [0, 2]), np.zeros((1, 4)), 3)


def few_patients(tmp_path: Path, patients: int) -> Grid:
    """Four classes that are easy to tell apart; the last one has few patients."""
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1, 2, 3], [60, 60, 60, 6 * patients])
    np.save(tmp_path / "x.npy", (np.eye(4)[labels] * 4 + rng.normal(size=(len(labels), 4))).astype(np.float32))
    groups = np.arange(len(labels)) // 6
    task = Task.of([f"{i:064x}" for i in range(len(labels))], [f"class {c}" for c in labels], groups)
    selectors, classifiers = Registry("selector"), Registry("classifier")
    selectors.add("none", "sklearn.feature_selection:VarianceThreshold")
    classifiers.add("svm", "sklearn.svm:SVC")
    source = FeatureSource("x", tmp_path / "x.npy", "x")
    methods = [make_method(selectors, "none", {}, "none", 0)], [make_method(classifiers, "svm", {}, "svm", 0)]
    return Grid(task, make_folds(task, 2, 1, 0), [source], *methods)


def test_calibration_never_wipes_out_a_class_with_few_patients(tmp_path: Path) -> None:
    board, _ = results(few_patients(tmp_path, patients=4), tmp_path)
    assert board["sensitivity[class 3]"][0] > 0.8


def test_where_no_inner_folds_hold_every_class_the_row_fails_and_says_why(tmp_path: Path) -> None:
    grid, store = few_patients(tmp_path, patients=2), RecordStore(tmp_path / "records")
    run_grid(grid, store, InProcess())
    scored = write_scores(grid, store, tmp_path, Inference("accuracy", 100))
    assert scored.leaderboard["status"].tolist() == ["failed in 2 of 2 folds"]
    assert scored.notes["text"].str.contains("a class has one patient").all()


def test_oversampling_stays_inside_the_training_fold(tmp_path: Path, registries: tuple[Registry, Registry]) -> None:
    board, predictions = results(
        make_grid(tmp_path, registries, ["bayes"], rules=FitRules(balance="oversample")), tmp_path
    )
    assert board.status.tolist() == ["ok"]
    assert len(predictions) == N
    assert predictions.image_id.is_unique


def test_the_size_of_a_model_is_the_same_in_each_process() -> None:
    """A type or text that another process sent is equal to its own, and not the same object."""
    own, sent = (np.dtype("f8"), "float64"), (np.dtype([("x", "f8")])["x"].newbyteorder("="), "".join(["float", "64"]))
    assert own == sent
    assert own[0] is not sent[0]
    assert own[1] is not sent[1]
    first, second = (
        {"a": np.zeros(3, own[0]), "b": np.zeros(3, dtype), "c": own[1], "d": text} for dtype, text in (own, sent)
    )
    assert _stored_bytes(first) == _stored_bytes(second) > 2 * 3 * 8

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from leukobench.classifiers import CLASSIFIERS
from leukobench.evaluation.folds import make_folds
from leukobench.evaluation.grid import FeatureSource, Grid
from leukobench.evaluation.methods import FitRules, make_method
from leukobench.evaluation.records import RecordStore
from leukobench.evaluation.refit import refit
from leukobench.evaluation.scheduling import run_grid
from leukobench.evaluation.task import Task
from leukobench.selection import SELECTORS

from ..in_process import InProcess


@pytest.mark.parametrize("tuned", [True, pytest.param(False, marks=pytest.mark.slow)])
@pytest.mark.parametrize("classifier", ["svm_rbf", "random_forest", "knn", "lda"])
def test_a_refit_on_the_training_part_says_what_the_runner_said(classifier: str, tuned: bool, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    labels, groups = np.repeat(["a", "b", "c"], 40), np.repeat(np.arange(40), 3)
    features = rng.normal(size=(120, 12)).astype(np.float32)
    features[:, 0] += 2 * np.repeat([0, 1, 2], 40)
    np.save(tmp_path / "f.npy", features)
    task = Task.of([f"{k:03d}" for k in range(120)], labels.tolist(), groups.tolist())
    axes = {"n_features": [3, 6]} if tuned else {}
    selector = make_method(SELECTORS, "anova", {} if tuned else {"n_features": 5}, "anova", 0, axes=axes)
    parameters = {"n_estimators": 10} if classifier == "random_forest" else {}
    method = make_method(CLASSIFIERS, classifier, parameters, classifier, 0)
    rules = FitRules(tuning="grid" if tuned else "none", balance="oversample")
    folds = make_folds(task, 3, 1, 0)
    grid = Grid(task, folds, [FeatureSource("f", tmp_path / "f.npy", "f")], [selector], [method], rules)
    store = RecordStore(tmp_path / "records")
    run_grid(grid, store, InProcess())
    for fold in folds:
        record = store.read(grid.key(next(grid.combinations()), fold))
        assert record is not None
        assert not record.error, record.error
        part = Task(task.image_ids[fold.train], task.labels[fold.train], task.classes, task.groups[fold.train])
        fitted = refit(features[fold.train], part, selector, method, rules)
        assert fitted.tuned == record.tuned
        assert np.abs(fitted.probabilities(features[fold.test], 3) - record.probabilities).max() < 1e-9

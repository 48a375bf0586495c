"""A grid of selectors and classifiers beside one scikit-learn Pipeline with `cross_validate` for each combination.

Both sides predict the same wherever the algorithm is the same. The exceptions: random forests (the classifier and the
selector `forest`) are grown by oneDAL, from other random numbers; the probabilities of support vector machines are
calibrated on inner folds that respect groups, not on scikit-learn's; RFE and Lasso are leukobench's own on both sides.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.calibration import CalibratedClassifierCV
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_selection import RFE, SelectFromModel, SelectKBest, VarianceThreshold, f_classif
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.model_selection import cross_validate
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from leukobench.machine import cores
from machine import alone


def rows(images: Path, repeats: int) -> list[dict[str, Any]]:
    """All default selectors and classifiers on the bundled network's averages, five folds with copies together."""
    from xgboost import XGBClassifier

    features, labels, folds, ours, accuracy = alone(_ours, images)
    selectors = {
        "none": VarianceThreshold(),
        "anova": SelectKBest(f_classif, k=200),
        "rfe": _selector("rfe"),  # leukobench's own: scikit-learn's takes 84 s a fold (see selection.md)
        "lasso": _selector("lasso"),  # leukobench's own: scikit-learn has no Lasso that ends at a number of features
        "forest": SelectFromModel(RandomForestClassifier(100, random_state=0), max_features=200, threshold=-np.inf),
        "pca": PCA(0.95, svd_solver="full"),
    }
    xgboost = {"n_estimators": 100, "max_depth": 3, "learning_rate": 0.3, "max_bin": 32, "colsample_bynode": 0.1}
    classifiers = {
        "svm_linear": CalibratedClassifierCV(SVC(kernel="linear"), cv=3, ensemble=False),
        "svm_rbf": CalibratedClassifierCV(SVC(C=10), cv=3, ensemble=False),
        "random_forest": RandomForestClassifier(200, random_state=0),
        "xgboost": XGBClassifier(**xgboost, reg_lambda=3, random_state=0, n_jobs=1),
        "naive_bayes": GaussianNB(var_smoothing=1e-3),
        "knn": KNeighborsClassifier(5),
        "logistic_regression": make_pipeline(StandardScaler(), LogisticRegression(max_iter=5000, tol=1e-6)),
        "lda": LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto"),
    }
    results: list[dict[str, Any]] = []
    for selector, chooses in selectors.items():
        for classifier, decides in classifiers.items():
            start = time.perf_counter()
            fitted = cross_validate(make_pipeline(chooses, decides), features, labels, cv=folds, n_jobs=cores())
            seconds = time.perf_counter() - start
            mean = float(np.mean(fitted["test_score"]))
            results.append(
                {
                    "selector": selector,
                    "classifier": classifier,
                    "Pipeline, s": seconds,
                    "accuracy, Pipeline": mean,
                    "accuracy, leukobench": accuracy[selector, classifier],
                }
            )
            print(results[-1], flush=True)
    ours = (ours + alone(_ours, images)[3]) / 2  # before and after: what slows the machine slows both
    total = sum(row["Pipeline, s"] for row in results)
    summary = {"selector": "all", "classifier": f"all; leukobench {ours:.1f} s", "Pipeline, s": total}
    means = {f"accuracy, {side}": float(np.mean([row[f"accuracy, {side}"] for row in results])) for side in SIDES}
    # What a user has is scikit-learn's RFE, whose ranking is the same: timed once, it stands for all eight classifiers.
    start = time.perf_counter()
    plain = RFE(RidgeClassifier(alpha=1.0), n_features_to_select=200)
    pipeline = make_pipeline(StandardScaler(), plain, classifiers["lda"])
    cross_validate(pipeline, features, labels, cv=folds, n_jobs=cores())
    one = time.perf_counter() - start
    users = total + sum(one - row["Pipeline, s"] for row in results if row["selector"] == "rfe")
    with_rfe = {"selector": "all, with scikit-learn's RFE", "classifier": f"all; one with that RFE took {one:.0f} s"}
    return [
        summary | means | {"ratio": total / ours, "wanted": 4.0},
        with_rfe | dict.fromkeys(means, "") | {"Pipeline, s": users, "ratio": users / ours, "wanted": 4.0},
        *({**row, "ratio": "", "wanted": ""} for row in results),
    ]


SIDES = ("Pipeline", "leukobench")


def _selector(name: str) -> Any:
    from leukobench.selection import SELECTORS

    return SELECTORS.make(name, {}, {"random_state": 0})


def _ours(images: Path) -> tuple[np.ndarray, np.ndarray, list[Any], float, dict[tuple[str, str], float]]:
    """Features, labels, folds; the seconds of the whole grid, and the mean accuracy of each combination."""
    from leukobench.config.experiment_file import for_folder
    from leukobench.evaluation.folds import make_folds
    from leukobench.evaluation.grid import Grid
    from leukobench.evaluation.records import RecordStore
    from leukobench.evaluation.scheduling import run_grid
    from leukobench.features.extractors import make_extractor
    from leukobench.processes.executors import Processes
    from leukobench.runs.folder import RunFolder
    from leukobench.runs.workspace import Workspace
    from leukobench.steps.audit_index import audit_index
    from leukobench.steps.choose_methods import fit_rules, make_methods
    from leukobench.steps.extract_features import extract_features
    from leukobench.steps.find_images import find_images
    from leukobench.steps.make_task import make_task

    with tempfile.TemporaryDirectory() as temporary:
        experiment = for_folder(images, results=temporary)
        folder = RunFolder(experiment.folder)
        folder.begin()
        workspace = Workspace(folder)
        index = audit_index(experiment, find_images(experiment, workspace), workspace).index
        (source,) = extract_features({"x": make_extractor("efficientnet_lite0", {})}, index, workspace)
        task = make_task(index)
        grid = Grid(task, make_folds(task, 5, 1, 0), [source], *make_methods(experiment), fit_rules(experiment))
        store = RecordStore(folder.records)
        start = time.perf_counter()
        run_grid(grid, store, Processes(cores()))
        seconds = time.perf_counter() - start
        accuracy = {}
        for combination in grid.combinations():
            records = [(fold, store.read(grid.key(combination, fold))) for fold in grid.folds]
            hits = [(r.probabilities.argmax(axis=1) == task.labels[f.test]).mean() for f, r in records]
            accuracy[combination.labels[1:]] = float(np.mean(hits))
        features = np.load(source.matrix).astype(np.float64)
        return features, task.labels, [(fold.train, fold.test) for fold in grid.folds], seconds, accuracy

"""The main job on the ALL images (Aria et al. 2021): accuracy, independent computation, rerun."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.feature_selection import SelectKBest, VarianceThreshold, f_classif
from sklearn.model_selection import StratifiedGroupKFold
from threadpoolctl import threadpool_limits

from leukobench.classifiers import CLASSIFIERS
from leukobench.config.experiment_file import for_folder
from leukobench.features.cache import FeatureCache
from leukobench.features.extractors import make_extractor
from leukobench.pipeline import Outcome, run
from leukobench.runs.finished import FinishedRun

from .conftest import made_once

pytestmark = [pytest.mark.thorough, pytest.mark.real]
MULTILEVEL = {"efficientnet_lite0": {"pooling": "multilevel"}}


@pytest.fixture(scope="module")
def experiment(real_images: Path, shared: Path) -> Any:
    return for_folder(
        real_images,
        name="all",
        results=shared / "real",
        extractors=[MULTILEVEL],
        selectors=["none", "anova"],
        classifiers=["svm_rbf", "logistic_regression", "naive_bayes"],
        evaluation={"views": "off"},
    )


@pytest.fixture(scope="module")
def outcome(experiment: Any) -> Outcome:
    made_once(experiment.results, lambda _: run(experiment))
    return Outcome(FinishedRun.open(experiment.folder))


def test_the_best_combination_reaches_what_was_published(outcome: Outcome) -> None:
    assert outcome.leaderboard["accuracy"].max() >= 0.996
    assert (outcome.leaderboard["status"] == "ok").all()
    assert "IMAGE-LEVEL, OPTIMISTIC" in "\n".join(outcome.protocol)
    assert "40 identical and 533 near-duplicate copies" in "\n".join(outcome.protocol)


def test_the_run_says_that_the_images_are_confounded(outcome: Outcome) -> None:
    assert outcome.answer.sentences[2].startswith("PARTLY CONFOUNDED: all shortcuts together reach")
    board = outcome.leaderboard.set_index("extractor")
    assert board.loc["content: whole-image colour", "accuracy"] > 0.97
    best = outcome.answer.best
    assert best is not None
    assert best.low <= best.corrected <= best.value <= best.high
    assert outcome.answer.duplicates.clusters == 431


def test_copies_share_a_fold(outcome: Outcome) -> None:
    folds = pd.read_parquet(outcome.folder / "folds.parquet")
    assert folds["image_id"].duplicated().sum() == 40
    assert folds.groupby("image_id")["fold"].nunique().max() == 1
    number = folds.drop_duplicates("image_id").set_index("image_id")["fold"]
    copies = pd.read_parquet(outcome.folder / "audit" / "copies.parquet")
    assert copies["grouped"].sum() == len(copies[copies["kind"] != "looks alike"]) == 639
    copies = copies[copies["grouped"]]
    assert number[copies["image_id_a"]].to_list() == number[copies["image_id_b"]].to_list()


def plain(
    selector: Any, classifier: Any, X: np.ndarray, folds: pd.DataFrame, number: int, calibrate: bool
) -> np.ndarray:
    """One fold by scikit-learn alone, from the run's table of folds."""
    train, test = (folds["fold"] != number).to_numpy(), (folds["fold"] == number).to_numpy()
    y, groups = folds["label"].to_numpy(), folds["group"].to_numpy()
    chosen = clone(selector).fit(X[train], y[train])
    estimator = clone(classifier)
    if calibrate:
        inner = StratifiedGroupKFold(3, shuffle=True, random_state=0)
        splits = list(inner.split(X[train], y[train], groups[train]))
        estimator = CalibratedClassifierCV(estimator, cv=splits, ensemble=False)
    return estimator.fit(chosen.transform(X[train]), y[train]).predict_proba(chosen.transform(X[test]))


@pytest.mark.parametrize(
    ("selector", "classifier"), [("none", "logistic_regression"), ("none", "naive_bayes"), ("anova", "svm_rbf")]
)
def test_cells_equal_plain_scikit_learn(outcome: Outcome, tmp_path: Path, selector: str, classifier: str) -> None:
    images = pd.read_parquet(outcome.folder / "images.parquet")
    folds = pd.read_parquet(outcome.folder / "folds.parquet").sort_values("image_id", kind="stable")
    assert folds["image_id"].tolist() == images["image_id"].tolist()
    extractor = make_extractor("efficientnet_lite0", {"pooling": "multilevel"})

    FeatureCache.shared(extractor.identity).fill(images["image_id"].tolist(), tmp_path / "x.npy")
    X = np.load(tmp_path / "x.npy").astype(np.float64)
    selectors = {"none": VarianceThreshold(), "anova": SelectKBest(f_classif, k=200)}
    predictions = pd.read_parquet(outcome.folder / "predictions.parquet")
    predictions = predictions[predictions["kind"] == "combination"]
    mine = predictions[(predictions["selector"] == selector) & (predictions["classifier"] == classifier)]
    estimator = CLASSIFIERS.make(classifier, {}, {"random_state": 0})
    for number in (0, 3):
        with threadpool_limits(1):  # as the runner does: L-BFGS ends elsewhere with another order of sums
            expected = plain(selectors[selector], estimator, X, folds, number, calibrate=classifier == "svm_rbf")
        fold = mine[mine["fold"] == number].sort_values("image_id", kind="stable")
        np.testing.assert_allclose(fold.filter(like="p_"), expected, atol=1e-9)
        labels = np.sort(folds["label"].unique())
        assert (fold["predicted"].to_numpy() == labels[expected.argmax(axis=1)]).all()


def test_a_finished_run_is_recognised_at_once(experiment: Any, outcome: Outcome) -> None:
    start = time.perf_counter()
    again = run(experiment)
    seconds = time.perf_counter() - start
    assert again.reused
    assert seconds < 30  # a hang, not a benchmark
    pd.testing.assert_frame_equal(again.leaderboard, outcome.leaderboard, check_exact=False, check_dtype=False)

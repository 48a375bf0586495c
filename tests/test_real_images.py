"""The main job on the ALL images (Aria et al. 2021): accuracy, independent computation, rerun."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from leukobench.config.experiment_file import for_folder
from leukobench.pipeline import Outcome, run

pytestmark = [pytest.mark.slow, pytest.mark.real]
MULTILEVEL = {"efficientnet_lite0": {"pooling": "multilevel"}}


@pytest.fixture(scope="module")
def experiment(real_images: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    return small(real_images, tmp_path_factory.mktemp("results"), ["svm_rbf", "logistic_regression", "naive_bayes"])


def small(images: Path, results: Path, classifiers: list[str]) -> Any:
    methods = {"selectors": ["none", "anova"], "classifiers": classifiers}
    return for_folder(images, name="all", results=results, extractors=[MULTILEVEL], **methods)


@pytest.fixture(scope="module")
def outcome(experiment: Any) -> Outcome:
    return run(experiment)


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

"""Before the fits: audit_images, pseudo-patients, searches, and what a finished run has to hold."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from leukobench.config.experiment import Evaluation
from leukobench.errors import ConfigurationError, ImagesError
from leukobench.images.index import ImageIndex
from leukobench.pipeline import audit_images, run
from leukobench.steps.seal_holdout import check_seal


@pytest.mark.slow
def test_pseudo_patients_do_not_replace_real_ones(experiment: Any, images: Path) -> None:
    said = {"folder": images, "pseudo_patients": {"blocks": 4}}
    with pytest.raises(ConfigurationError, match="96 of 96 images have a patient"):
        run(experiment(images=said))


@pytest.mark.slow
def test_pseudo_patients_that_are_single_images_are_refused(experiment: Any, images: Path) -> None:
    for number, path in enumerate(sorted(images.rglob("*.jpg"))):
        path.rename(path.with_name("x" * (number + 1) + ".jpg"))
    for said in ({"blocks": 4}, {"stain": 50}):
        with pytest.raises(ConfigurationError, match="of a single image each test nothing"):
            run(experiment(images={"folder": images, "layout": "folders", "pseudo_patients": said}))
    outcome = run(
        experiment(images={"folder": images, "layout": "folders", "pseudo_patients": {"stain": 4}}), workers=1
    )
    assert "PSEUDO-PATIENTS, a stress test: 16 groups" in "\n".join(outcome.protocol)


@pytest.mark.slow
def test_a_finished_run_that_lost_a_file_makes_it_again(experiment: Any) -> None:
    first = run(experiment(), workers=1)
    for lost in ("classes.csv", "audit/copies.parquet", "figures/leaderboard.png", "images.parquet"):
        (first.folder / lost).unlink()
        assert not run(experiment(), workers=1).reused, lost
        assert (first.folder / lost).exists()
    assert run(experiment(), workers=1).reused


@pytest.mark.slow
def test_a_search_stands_in_the_protocol(experiment: Any) -> None:
    outcome = run(experiment(classifiers=[{"knn": {"n_neighbors": {"search": [1, 3]}}}]), workers=1)
    assert "parameters tuned on inner folds (grid)" in "\n".join(outcome.protocol)
    assert (outcome.folder / "tuned.csv").exists()


def test_a_search_without_end_is_refused_at_once(experiment: Any, tmp_path: Path) -> None:
    ranges = {name: {"search": {"low": 0.1, "high": 9.0}} for name in ("C", "gamma", "tol", "coef0")}
    with pytest.raises(ConfigurationError, match="too many candidates"):
        run(experiment(classifiers=[{"sklearn.svm.SVC": ranges}], evaluation={"folds": 3, "tuning": "optuna"}))
    assert not (tmp_path / "seen").exists()


def test_an_audit_needs_no_folds(experiment: Any, images: Path) -> None:
    for path in sorted(images.rglob("*.jpg"))[2:]:
        path.unlink()
    folder, summary = audit_images(experiment(), workers=1)
    assert summary["clusters"] == 0
    assert not (folder / "features").exists()
    with pytest.raises(ImagesError, match="at least two classes"):
        run(experiment())


@pytest.mark.slow
def test_two_poolings_of_one_network_are_one_pass(experiment: Any, caplog: pytest.LogCaptureFixture) -> None:
    poolings = [{"efficientnet_lite0": {"pooling": pooling}} for pooling in ("average", "max")]
    said = experiment(extractors=poolings, selectors=["none"], classifiers=["lda"])
    with caplog.at_level("INFO", logger="leukobench"):
        run(said, workers=2)
    assert "Features of efficientnet_lite0 in one pass: 96 images." in caplog.text
    assert caplog.text.count(": 0 images computed, the rest cached") == 2


def index_of(patients: str, labels: str) -> ImageIndex:
    images = pd.DataFrame({"image_id": [f"{row:03}" for row in range(len(patients))], "label": list(labels)})
    images = images.assign(patient=list(patients), path=images["image_id"])
    return ImageIndex(images, pd.DataFrame({"path": [], "reason": []}), "folders", "file names")


def test_a_holdout_without_a_class_is_refused_and_so_is_one_that_takes_all_of_it() -> None:
    index = index_of("ppqqrrss", "aaaabbbb")
    evaluation = Evaluation(holdout=0.25)
    assert (
        check_seal(evaluation, index, np.array([1, 1, 0, 0, 1, 1, 0, 0], dtype=bool)) != []
    )  # half instead of a quarter
    with pytest.raises(ImagesError, match="no image of b in the sealed holdout"):
        check_seal(evaluation, index, np.array([1, 1, 0, 0, 0, 0, 0, 0], dtype=bool))
    with pytest.raises(ImagesError, match="no image of a in the folds"):
        check_seal(evaluation, index, np.array([1, 1, 1, 1, 1, 1, 0, 0], dtype=bool))
    assert check_seal(Evaluation(), index, np.zeros(8, dtype=bool)) == []


def test_where_patients_rank_the_holdout_needs_some_of_one_label_in_every_class() -> None:
    index = index_of("ppqqrrssttuu", "aaaabbbbabab")
    sealed = np.array([1, 1, 0, 0, 0, 0, 0, 0, 1, 1, 0, 0], dtype=bool)
    assert check_seal(Evaluation(holdout=0.33), index, sealed) == []
    with pytest.raises(ImagesError, match="no patient of b in the sealed holdout"):
        check_seal(Evaluation(holdout=0.33, rank_by="patient_accuracy"), index, sealed)


@pytest.mark.parametrize(("sealed", "warned"), [(20, False), (22, False), (24, True), (16, True)])
def test_another_share_of_the_images_is_warned_of(sealed: int, warned: bool) -> None:
    index = index_of("".join(chr(200 + row) for row in range(100)), "ab" * 50)
    sentences = check_seal(Evaluation(holdout=0.2), index, np.arange(100) < sealed)
    assert bool(sentences) == warned
    assert not warned or f"{sealed}.0% of the images instead of 20.0%" in sentences[0]

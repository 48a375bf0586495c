"""Before the fits: audit_images, pseudo-patients, searches, and what a finished run has to hold."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from leukobench.errors import ConfigurationError, ImagesError
from leukobench.pipeline import audit_images, run


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
@pytest.mark.parametrize("lost", ["classes.csv", "audit/copies.parquet", "figures/leaderboard.png", "images.parquet"])
def test_a_finished_run_that_lost_a_file_makes_it_again(experiment: Any, lost: str) -> None:
    first = run(experiment(), workers=1)
    (first.folder / lost).unlink()
    again = run(experiment(), workers=1)
    assert not again.reused
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

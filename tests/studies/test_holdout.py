"""The sealed holdout: no fold sees it, it opens once, and what it says is what plain scikit-learn would."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import balanced_accuracy_score

from leukobench.config.experiment import Experiment
from leukobench.config.experiment_file import for_folder
from leukobench.errors import ConfigurationError, ImagesError
from leukobench.evaluation.records import RecordStore
from leukobench.pipeline import run
from leukobench.reporting.run_view import load_results
from leukobench.studies.holdout import unseal


@pytest.fixture
def experiment(smears: Path, tmp_path: Path, plugin: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("LEUKOBENCH_CACHE", str(tmp_path / "cache"))
    images = Path(shutil.copytree(smears, tmp_path / "images"))

    def make(**evaluation: Any) -> Experiment:
        said = {"folds": 3, "resamples": 100, "holdout": 0.25, "controls": "off"} | evaluation
        chosen = {"extractors": [f"{plugin}:Colours"], "selectors": ["none"], "classifiers": ["naive_bayes", "lda"]}
        return for_folder(images, name="trial", results=tmp_path / "results", evaluation=said, **chosen)

    return make


@pytest.mark.slow
def test_sealed_patients_are_in_no_fold_and_every_image_is_somewhere(experiment: Any) -> None:
    outcome = run(experiment(), workers=1)
    sealed = pd.read_parquet(outcome.folder / "sealed.parquet")
    images = pd.read_parquet(outcome.folder / "images.parquet")
    folds = pd.read_parquet(outcome.folder / "folds.parquet")
    assert len(sealed) + len(images) == 96
    assert 0.15 <= len(sealed) / 96 <= 0.35
    assert set(sealed["patient"]).isdisjoint(images["patient"])
    assert set(sealed["image_id"]).isdisjoint(folds["image_id"])
    assert set(sealed["label"]) == set(images["label"])
    assert "24 of 96 images (25%) sealed as a holdout" in "\n".join(outcome.protocol)


@pytest.mark.slow
def test_the_holdout_opens_once_and_its_score_is_that_of_its_predictions(experiment: Any, tmp_path: Path) -> None:
    outcome = run(experiment(), workers=1)
    before = {path.name for path in (outcome.folder / "records").iterdir()}
    first = unseal(outcome.folder, workers=1)
    assert "this is possible only once" in first[0]
    sealed = pd.read_parquet(outcome.folder / "sealed.parquet").sort_values("image_id")
    best = outcome.answer.best
    line = next(line for line in first if line.startswith(f"{best.extractor} x"))
    store = RecordStore(outcome.folder / "records")
    new = [store.read(path.stem) for path in (outcome.folder / "records").iterdir() if path.name not in before]
    assert len(new) == 1 + (outcome.leaderboard["kind"] != "combination").sum()
    labels = np.unique(sealed["label"], return_inverse=True)[1]
    found = [balanced_accuracy_score(labels, r.probabilities.argmax(axis=1)) for r in new if r and r.features]
    said = float(line.split("balanced accuracy ")[1].split()[0]) / 100
    assert min(abs(said - value) for value in found) < 1e-4
    again = unseal(outcome.folder, workers=1)
    assert again[0].startswith("Opened before, on ")
    assert again[1:] == first[1:]


@pytest.mark.slow
def test_a_run_after_the_opening_says_so(experiment: Any) -> None:
    outcome = run(experiment(), workers=1)
    unseal(outcome.folder, workers=1)
    assert "HOLDOUT OPENED" not in "\n".join(outcome.protocol)
    again = run(experiment(), workers=1)
    assert again.reused
    assert "HOLDOUT OPENED" in "\n".join(again.protocol)
    assert "HOLDOUT OPENED" in (outcome.folder / "report.html").read_text()
    later = run(experiment(resamples=200), workers=1)
    assert "HOLDOUT OPENED" in "\n".join(later.protocol)


@pytest.mark.thorough
def test_what_was_opened_cannot_be_sealed_again(experiment: Any) -> None:
    outcome = run(experiment(), workers=1)
    first = unseal(outcome.folder, workers=1)
    assert any("24 patients" in line for line in first)
    run(experiment(seed=7), workers=1)
    with pytest.raises(ConfigurationError, match="opened before, with other sealed images"):
        unseal(outcome.folder, workers=1)
    twin = run(experiment().model_copy(update={"name": "twin"}), workers=1)
    assert any("NOT THE FIRST LOOK: 'trial'" in line for line in unseal(twin.folder, workers=1))


@pytest.mark.slow
def test_images_that_changed_since_the_sealing_are_refused(experiment: Any, tmp_path: Path) -> None:
    outcome = run(experiment(), workers=1)
    sealed = pd.read_parquet(outcome.folder / "sealed.parquet")
    Path(sealed["path"].iloc[0]).unlink()
    before = contents(outcome.folder)
    with pytest.raises(ImagesError, match="not those that the run set aside"):
        unseal(outcome.folder, workers=1)
    assert contents(outcome.folder) == before
    load_results(outcome.folder)


def contents(folder: Path) -> dict[str, bytes]:
    """Every file but those that say what happens there."""
    apart = (".lock", "run.log")
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file() and path.name not in apart}


def test_a_folder_that_is_no_run_stays_as_it_is(tmp_path: Path) -> None:
    for folder in (tmp_path / "absent", tmp_path):
        with pytest.raises(ConfigurationError, match="no finished run"):
            unseal(folder)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_without_a_sealed_holdout_there_is_nothing_to_open(finished_run: Any) -> None:
    with pytest.raises(ConfigurationError, match="has no sealed holdout"):
        unseal(finished_run.folder)

"""What a tracking server is told of a run, against the run."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from leukobench.errors import StorageError
from leukobench.reporting.verdicts import VERDICTS
from leukobench.runs.control_answer import Control
from leukobench.runs.finished import FinishedRun
from leukobench.runs.folder import RunFolder
from leukobench.studies.tracked_run import TrackedRun


@pytest.fixture
def copy(finished_run: Any, tmp_path: Path) -> Path:
    return Path(shutil.copytree(finished_run.folder, tmp_path / "trial"))


def test_the_score_comes_with_its_interval_correction_and_verdict(finished_run: Any) -> None:
    run = finished_run.results
    tracked = TrackedRun.of(run)
    best, shortcut = run.answer.best, run.answer.shortcut
    metrics = tracked.metrics
    assert [metrics[f"balanced_accuracy{end}"] for end in ("", "_low", "_high")] == [best.value, best.low, best.high]
    assert metrics["balanced_accuracy_corrected"] == best.corrected
    assert metrics["shortcut_balanced_accuracy"] == shortcut.value
    assert metrics["accuracy"] == run.ranked[0]["accuracy"]
    assert (metrics["images"], metrics["classes"], metrics["combinations"]) == (96, 4, 4)
    assert tracked.name == f"trial ({VERDICTS[shortcut.verdict].title.lower()})"
    assert tracked.tags["leukobench/verdict"] == shortcut.verdict
    assert tracked.tags["leukobench/shortcuts"] == shortcut.words
    assert [tracked.tags[f"leukobench/answer/{n}"] for n in (1, 2)] == list(run.answer.sentences[:2])
    assert tracked.tags["leukobench/run"] == tracked.digest
    assert 0 < tracked.ended - tracked.began < 600_000


def test_parameters_are_the_experiment_and_what_it_resolved_to(finished_run: Any) -> None:
    params = TrackedRun.of(finished_run.results).params
    assert params["evaluation.folds"] == "3"
    assert json.loads(params["classifiers"]) == ["naive_bayes", "lda"]
    assert params["resolved.images"] == finished_run.results.resolved["images"]
    assert params["resolved.software.numpy"] == finished_run.results.resolved["software"]["numpy"]
    assert not {"name", "results"} & params.keys()
    assert all(name.isascii() and "[" not in name for name in params)


def test_files_are_figures_report_and_bundle_and_change_the_digest(copy: Path) -> None:
    tracked = TrackedRun.of(FinishedRun.open(copy))
    assert {"report.html", "leaderboard.csv", "answer.json", "experiment.yaml"} <= tracked.files.keys()
    assert any(place.startswith("figures/") for place in tracked.files)
    assert not {"predictions.parquet", "images.parquet"} & tracked.files.keys()
    assert tracked.files_digest() == TrackedRun.of(FinishedRun.open(copy)).files_digest()
    (copy / "model").mkdir()
    (copy / "model" / "manifest.json").write_text("{}")
    fitted = TrackedRun.of(FinishedRun.open(copy))
    assert fitted.files["model/manifest.json"] == copy / "model" / "manifest.json"
    assert fitted.digest == tracked.digest
    assert fitted.files_digest() != tracked.files_digest()


def test_a_run_without_a_score_has_failed(copy: Path) -> None:
    answer = json.loads((copy / "answer.json").read_text()) | {"best": None, "shortcut": None}
    (copy / "answer.json").write_text(json.dumps(answer))
    (copy / "state.json").write_text('{"state": "abc", "files": {}}')
    tracked = TrackedRun.of(FinishedRun.open(copy))
    assert (tracked.failed, tracked.name, tracked.digest) == (True, "trial", "abc")
    assert tracked.metrics.keys() == {"images", "classes", "combinations"}
    (copy / "state.json").write_text("[]")
    with pytest.raises(StorageError, match=r"state\.json is damaged"):
        TrackedRun.of(FinishedRun.open(copy))


def test_a_control_that_is_not_beaten_stands_in_the_name(copy: Path) -> None:
    control = Control("RANDOM net", 0.8, 0.7, 0.9, 0.03, -0.01, 0.05, 0.9, 0.8, 0.99)
    answer = json.loads((copy / "answer.json").read_text()) | {"controls": [control.to_json()]}
    (copy / "answer.json").write_text(json.dumps(answer))
    RunFolder(copy).refresh()
    tracked = TrackedRun.of(FinishedRun.open(copy))
    assert tracked.name.endswith("; not better than a random network)")
    assert tracked.tags["leukobench/controls"] == "Not better than a random network"


def test_scores_of_permuted_labels_are_named_so(copy: Path) -> None:
    chance = {"at_chance": True, "expected": 0.25, "permutations": 19, "combinations": 4, "highest": 0.3, "name": "x"}
    chance |= {"p": 0.4, "smallest_leak": 0.05, "words": "At chance."}
    answer = json.loads((copy / "answer.json").read_text()) | {"chance": chance}
    (copy / "answer.json").write_text(json.dumps(answer))
    (copy / "state.json").write_text('{"state": "abc", "files": {}}')
    tracked = TrackedRun.of(FinishedRun.open(copy))
    assert (tracked.name, tracked.tags["leukobench/permuted_labels"]) == ("trial (permuted labels)", "At chance.")

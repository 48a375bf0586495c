"""The main job on synthetic smears with a cheap extractor: runs, resumes, survives."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from leukobench.errors import ConfigurationError, EveryCombinationFailedError, ImagesError, LeukobenchError
from leukobench.pipeline import Outcome, run
from leukobench.runs.answer import Answer, Chance, Duplicates, Groups
from leukobench.runs.finished import FinishedRun

CLASSIFIERS = ["naive_bayes", "lda"]
SHORTCUTS = 7


def predictions(outcome: Outcome) -> pd.DataFrame:
    return pd.read_parquet(outcome.folder / "predictions.parquet")


def test_a_run_leaves_what_was_promised(finished_run: Outcome) -> None:
    files = {path.name for path in finished_run.folder.iterdir()}
    assert files >= {
        "experiment.yaml", "images.parquet", "ledger.parquet", "folds.parquet", "predictions.parquet",
        "scores.parquet", "leaderboard.csv", "figures", "run.log", "report.html", "answer.json", "comparisons.csv",
        "confusion.parquet", "reliability.parquet", "classes.csv", "patients.parquet", "stability.csv", "audit",
    }  # fmt: skip
    kinds = finished_run.leaderboard["kind"].value_counts()
    assert (kinds["combination"], kinds["shortcut"], kinds["content"]) == (2 * len(CLASSIFIERS), 5, 2)
    assert (finished_run.folder / "figures" / "leaderboard.png").stat().st_size > 10_000
    assert [json.loads(line)["level"] for line in (finished_run.folder / "run.log").read_text().splitlines()]
    table = predictions(finished_run)
    assert len(table) == 96 * (2 * len(CLASSIFIERS) + SHORTCUTS)
    assert table.filter(like="p_").sum(axis=1).sub(1).abs().max() < 1e-5
    assert "patient-level: 24 patients" in "\n".join(finished_run.protocol)


def test_folds_keep_patients_apart(finished_run: Outcome) -> None:
    images = pd.read_parquet(finished_run.folder / "images.parquet").drop_duplicates("image_id")
    folds = pd.read_parquet(finished_run.folder / "folds.parquet").merge(images[["image_id", "patient"]], on="image_id")
    assert folds.groupby("patient")["fold"].nunique().max() == 1


@pytest.mark.slow
@pytest.mark.parametrize("balance", ["class_weight", "oversample", "smote"])
def test_balancing_on_request(experiment: Any, balance: str) -> None:
    said = experiment(selectors=["none"], classifiers=["svm_rbf"], evaluation={"folds": 2, "balance": balance})
    outcome = run(said, workers=1)
    assert outcome.leaderboard["status"].eq("ok").all()
    assert balance.replace("_", " ") in "\n".join(outcome.protocol)


def test_class_weights_of_a_classifier_that_has_none_stop_before_any_work(experiment: Any, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="'knn' has no class weights"):
        run(experiment(classifiers=["knn"], evaluation={"folds": 3, "balance": "class_weight"}))
    assert not (tmp_path / "seen").exists()


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"classifiers": ["svm"]}, "no classifier called 'svm'"),
        ({"classifiers": [{"svm_rbf": {"c": 1}}]}, "did you mean C"),
        ({"classifiers": [{"svm_rbf": {"C": -1}}]}, "refuses its parameters"),
        ({"selectors": [{"anova": {"n_features": 0}}]}, "refuses its parameters"),
        ({"extractors": ["mobilnetv2"]}, "did you mean mobilenetv2"),
        ({"extractors": [{"mobilenetv2": {"weights": "absent.h5"}}]}, "absent.h5"),
        ({"extractors": [{"efficientnet_lite0": {"pooling": "mean"}}]}, "pooling"),
        ({"classifiers": ["sklearn.decomposition.PCA"]}, "is no classifier"),
    ],
)
def test_mistakes_stop_before_any_work(experiment: Any, tmp_path: Path, said: dict[str, Any], message: str) -> None:
    with pytest.raises(LeukobenchError, match=message):
        run(experiment(**said))
    assert not (tmp_path / "seen").exists()
    assert not (tmp_path / "results" / "trial" / "records").exists()


def test_labels_that_cannot_work_stop_before_any_work(experiment: Any, images: Path, tmp_path: Path) -> None:
    with pytest.raises(ImagesError, match="too small for 7 folds"):
        run(experiment(evaluation={"folds": 7}))
    assert not (tmp_path / "seen").exists()


@pytest.mark.slow
def test_unreadable_images_stand_in_the_ledger(experiment: Any, images: Path) -> None:
    victim = sorted(images.rglob("*.jpg"))[0]
    victim.write_bytes(victim.read_bytes()[:900])
    (images / "Benign" / "notes.txt").write_text("not an image")
    outcome = run(experiment(), workers=1)
    ledger = pd.read_parquet(outcome.folder / "ledger.parquet")
    assert {Path(path).name for path in ledger["path"]} >= {victim.name, "notes.txt"}
    assert len(predictions(outcome)) == 95 * (2 * len(CLASSIFIERS) + SHORTCUTS)
    assert run(experiment(), workers=1).reused


@pytest.mark.slow
def test_another_folder_does_not_overwrite_results(experiment: Any, tmp_path: Path) -> None:
    run(experiment(), workers=1)
    from leukobench.images.synthetic import draw_smears

    other = draw_smears(tmp_path / "other", images=48, patients=24, seed=5, size=96)
    with pytest.raises(ConfigurationError, match="holds results of other images"):
        run(experiment(images={"folder": other}))


@pytest.mark.slow
def test_when_everything_fails_the_run_says_so(experiment: Any, plugin: str, tmp_path: Path) -> None:
    with pytest.raises(EveryCombinationFailedError, match="All 2 combinations failed"):
        run(experiment(classifiers=[f"{plugin}:FailsInOneFold"]), workers=1)
    notes = pd.read_csv(tmp_path / "results" / "trial" / "notes.csv")
    assert notes["text"].str.contains("fails on demand").all()


@pytest.mark.slow
def test_a_failing_extractor_fails_its_own_combinations_only(experiment: Any, plugin: str) -> None:
    said = experiment(extractors=[f"{plugin}:Raises", f"{plugin}:NotANumber", f"{plugin}:Colours"], selectors=["none"])
    outcome = run(said, workers=1)
    status = outcome.leaderboard.set_index(["extractor", "classifier"])["status"].sort_index()
    assert status[f"{plugin}:Colours"].eq("ok").all()
    assert status[[f"{plugin}:Raises", f"{plugin}:NotANumber"]].eq("failed in 3 of 3 folds").all()
    notes = pd.read_csv(outcome.folder / "notes.csv").set_index("extractor")["text"]
    assert "ZeroDivisionError" in notes[f"{plugin}:Raises"].iloc[0]
    assert "NaN" in notes[f"{plugin}:NotANumber"].iloc[0]


@pytest.mark.slow
def test_own_results_among_the_images_are_not_images(experiment: Any, images: Path) -> None:
    inside = experiment(results=images / "results")
    first = run(inside, workers=1)
    assert run(inside, workers=1).reused
    assert len(predictions(first)) == 96 * (2 * len(CLASSIFIERS) + SHORTCUTS)


@pytest.mark.slow
def test_partly_known_patients_are_called_partly_image_level(experiment: Any, images: Path) -> None:
    table = pd.DataFrame({"path": [str(path) for path in sorted(images.rglob("*.jpg"))]})
    table["label"] = [Path(path).parent.name for path in table["path"]]
    table["patient"] = ["one" if number < 2 else "" for number in range(len(table))]
    table.to_csv(images.parent / "manifest.csv", index=False)
    outcome = run(experiment(images={"folder": images.parent / "manifest.csv"}), workers=1)
    assert "PARTLY IMAGE-LEVEL, OPTIMISTIC: 94 of 96 images have no patient" in "\n".join(outcome.protocol)


@pytest.mark.slow
def test_permuted_labels_come_out_at_chance(experiment: Any) -> None:
    outcome = run(experiment().with_permuted_labels(5), workers=1)
    assert outcome.folder.name == "trial-permuted"
    assert outcome.exit_code == 0
    board = outcome.leaderboard
    assert ((board["balanced_accuracy_low"] <= 0.25) & (board["balanced_accuracy_high"] >= 0.25)).mean() >= 0.7
    assert "PERMUTED LABELS, at chance" in "\n".join(outcome.answer.sentences)
    true, drawn = (pd.read_parquet(outcome.folder / f"{name}.parquet") for name in ("images", "folds"))
    drawn = drawn.drop_duplicates("image_id").merge(true[["image_id", "label", "patient"]], on="image_id")
    assert (drawn["label_x"] != drawn["label_y"]).any()
    assert drawn.groupby("patient")["label_x"].nunique().max() == 1


def test_labels_that_can_be_guessed_although_permuted_are_a_failure() -> None:
    answer = Answer("trial", "", (), (), None, 0, None, None, Groups("none", ""), Duplicates(0, 0, 0, 0, 0, ""), None)
    for at_chance, exit_code in ((False, 1), (True, 0)):
        chance = Chance(at_chance, 0.25, 19, 1, 0.5, "x x none x c", 0.001, 0.02, "")
        assert Outcome(FinishedRun(Path(), pd.DataFrame(), replace(answer, chance=chance))).exit_code == exit_code
    assert Outcome(FinishedRun(Path(), pd.DataFrame(), answer)).exit_code == 0


def test_the_answer_says_what_a_reader_must_know(finished_run: Outcome) -> None:
    said = "\n".join(finished_run.answer.sentences)
    assert "balanced accuracy" in said
    assert "corrected" in said
    patients = pd.read_parquet(finished_run.folder / "patients.parquet")
    assert patients["patient"].nunique() == 24
    others = finished_run.leaderboard[finished_run.leaderboard["kind"] != "combination"]
    shortcuts = ("majority class", "file facts", "border", "sharpness and noise", "all shortcuts together")
    contents = {f"content: {name}" for name in ("whole-image colour", "file bytes")}
    assert set(others["extractor"]) == {f"shortcut: {name}" for name in shortcuts} | contents
    shortcut = finished_run.answer.shortcut
    assert shortcut is not None
    assert set(shortcut.tried) == set(shortcuts)
    assert any(line.startswith("no row for the background: ") for line in finished_run.protocol)

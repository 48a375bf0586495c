"""External tests: scores against scikit-learn, a bundle against its run, copies, classes, mistakes, resuming."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn.metrics import accuracy_score, balanced_accuracy_score, log_loss, roc_auc_score

from leukobench.errors import ConfigurationError, ImagesError
from leukobench.images.synthetic import draw_smears
from leukobench.runs.external_answer import external_answers
from leukobench.serving.bundle import load
from leukobench.studies.external import Request, run_external_test
from leukobench.studies.external_images import ImageSource

from ..cli.calls import call
from ..conftest import made_once

GROUP = r"synthetic-(P\d+)"
CLASSES = ["Benign", "Early", "Pre", "Pro"]
NAMES = ("tiny_network:TINY(pooling=multilevel)", "none", "logistic_regression")


@pytest.fixture(scope="session")
def elsewhere(shared: Path) -> Path:
    """48 smears of 12 other patients."""
    return made_once(shared / "elsewhere", lambda folder: draw_smears(folder, images=48, patients=12, seed=9, size=96))


@pytest.fixture
def run(tiny_run: Path, tmp_path: Path) -> Path:
    """A copy of the run, whose images are where they were."""
    return Path(shutil.copytree(tiny_run, tmp_path / "tiny"))


@pytest.fixture
def bundle(tiny_bundle: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_bundle, tmp_path / "bundles" / "tiny"))


def source(folder: Path, **settings: Any) -> ImageSource:
    return ImageSource(folder, group=GROUP, **settings)


@pytest.mark.slow
def test_a_bundle_is_scored_as_scikit_learn_scores_its_predictions(bundle: Path, elsewhere: Path) -> None:
    test = run_external_test(Request(bundle, source(elsewhere)), workers=1)
    assert test.folder == bundle.parent / "external" / "tiny-elsewhere"
    table = pd.read_parquet(test.folder / "predictions.parquet")
    opened = load(bundle, threads=1)
    predicted = opened.predict(table["path"].tolist())
    own = np.array([[row.probabilities[name] for name in CLASSES] for row in predicted])
    shown = table[[f"p_{name}" for name in CLASSES]].to_numpy()
    assert shown == pytest.approx(own, abs=1e-6)
    board = pd.read_csv(test.folder / "leaderboard.csv").iloc[0]
    labels, answers = table["label"], [row.label for row in predicted]
    assert labels.tolist() == [Path(path).parent.name for path in table["path"]]
    assert board["accuracy"] == pytest.approx(accuracy_score(labels, answers), abs=1e-9)
    assert board["balanced_accuracy"] == pytest.approx(balanced_accuracy_score(labels, answers), abs=1e-9)
    assert board["log_loss"] == pytest.approx(log_loss(labels, shown), abs=1e-9)
    areas = [roc_auc_score(labels == name, shown[:, k]) for k, name in enumerate(CLASSES)]
    assert board["auroc"] == pytest.approx(np.mean(areas), abs=1e-9)
    answer = test.answer
    inside = [label in row.conformal_set for label, row in zip(labels, predicted, strict=True)]
    assert {one.level: one.coverage for one in answer.sets}[0.95] == pytest.approx(np.mean(inside))
    assert answer.flagged == pytest.approx(np.mean([row.ood for row in predicted]))
    assert (answer.digest, answer.images.groups, answer.images.patients) == (opened.digest, 12, True)
    assert answer.copies.left_out == 0
    confusion = pd.read_parquet(test.folder / "confusion.parquet")
    assert confusion["count"].sum() == 48
    scores = opened.facts["scores"]["balanced_accuracy"]
    assert answer.chosen is not None
    assert answer.chosen.inside == pytest.approx(scores[0], abs=1e-9)
    assert answer.chosen.gap == pytest.approx(board["balanced_accuracy"] - scores[0], abs=1e-9)
    assert answer.chosen.gap_low < answer.chosen.gap < answer.chosen.gap_high
    assert "COPIES NOT EXCLUDED" in " ".join(answer.sentences)  # the bundle lies apart from its run
    assert {one.part for one in answer.shifts} == {"colour", "sharpness", "size"}
    assert [one.label for one in answer.calibration] == CLASSES
    assert answer.recalibration
    assert all(np.isfinite(one.change) for one in answer.shares)


@pytest.mark.slow
def test_every_combination_of_a_run_is_fitted_on_all_its_images(
    run: Path, bundle: Path, elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    test = run_external_test(Request(run, source(elsewhere)), workers=1)
    board = pd.read_csv(run / "leaderboard.csv")
    ranked = board[board["rank"].notna()]
    assert len(test.answer.combinations) == len(ranked) == 6
    assert test.answer.combinations[0].names == tuple(ranked[["extractor", "selector", "classifier"]].iloc[0])
    value = {one.names: one.value for one in test.answer.combinations}
    of_bundle = run_external_test(Request(bundle, source(elsewhere), run=run), workers=1).answer
    assert of_bundle.chosen is not None
    assert value[NAMES] == pytest.approx(of_bundle.chosen.value, abs=1e-9)  # refitted in another place
    assert "COPIES NOT EXCLUDED" not in " ".join(of_bundle.sentences)
    assert "External tests" in (run / "report.html").read_text()
    fitted: list[Any] = []
    monkeypatch.setattr("leukobench.evaluation.scheduling.run_unit", lambda *unit: fitted.append(unit))
    again = run_external_test(Request(run, source(elsewhere)), workers=1)
    assert again.reused
    assert again.answer == test.answer
    (run / "external" / "elsewhere" / "answer.json").unlink()
    anew = run_external_test(Request(run, source(elsewhere)), workers=1)
    assert not fitted  # records and features were kept
    assert anew.answer.combinations == test.answer.combinations


@pytest.mark.slow
def test_copies_of_training_images_test_nothing(
    run: Path, bundle: Path, smears: Path, elsewhere: Path, tmp_path: Path
) -> None:
    copies = tmp_path / "copies"
    for name in CLASSES:
        (copies / name).mkdir(parents=True)
        first, second = sorted((smears / name).glob("*.jpg"))[:2]
        shutil.copy(first, copies / name / "synthetic-P91_9001.jpg")
        with Image.open(second) as image:
            image.transpose(Image.Transpose.ROTATE_90).save(copies / name / "synthetic-P92_9002.png")
    answer = run_external_test(Request(run, source(copies)), workers=1).answer
    assert answer.verdict == "copies"
    assert answer.sentences[0].startswith("ALL IMAGES ARE COPIES of training images (4 identical files, 4 near-dup")
    assert not answer.combinations
    table = pd.read_csv(run / "external" / "copies" / "copies.csv")
    assert len(table) == 8
    assert table["training_image"].str.contains("synthetic-P").all()
    both = shutil.copytree(copies, tmp_path / "both")
    shutil.copytree(elsewhere, both, dirs_exist_ok=True, ignore=shutil.ignore_patterns("*.txt"))
    mixed = run_external_test(Request(run, source(both)), workers=1).answer
    assert (mixed.copies.identical, mixed.copies.near, mixed.images.scored) == (4, 4, 48)
    assert any(sentence.startswith("8 images are copies of training images") for sentence in mixed.sentences)
    assert set(external_answers(run)) == {run / "external" / "copies", run / "external" / "both"}
    apart = run_external_test(Request(bundle, source(both)), workers=1).answer  # knows ids and features alone
    assert (apart.copies.identical, apart.copies.near, apart.images.scored) == (4, 0, 52)
    assert apart.copies.compared == 0
    assert "COPIES NOT EXCLUDED: none of the training images could be read" in " ".join(apart.sentences)


@pytest.mark.slow
def test_classes_of_the_images_are_those_of_the_model_by_a_map(bundle: Path, elsewhere: Path, tmp_path: Path) -> None:
    renamed = tmp_path / "two"
    for name, folder in (("Benign", "hem"), ("Early", "all"), ("Pro", "all"), ("Pre", "smudge")):
        shutil.copytree(elsewhere / name, renamed / folder, dirs_exist_ok=True)
    request = Request(bundle, source(renamed), "hem=Benign,all=Early+Pre+Pro", name="two")
    test = run_external_test(request, workers=1)
    table = pd.read_parquet(test.folder / "predictions.parquet")
    assert set(table["label"]) == {"Benign", "Early+Pre+Pro"}
    predicted = load(bundle, threads=1).predict(table["path"].tolist())
    joined = [sum(row.probabilities[name] for name in CLASSES[1:]) for row in predicted]
    assert table["p_Early+Pre+Pro"].to_numpy() == pytest.approx(joined, abs=1e-6)
    right = balanced_accuracy_score(table["label"] == "Benign", np.array(joined) < 0.5)
    assert test.answer.chosen is not None
    assert test.answer.chosen.value == pytest.approx(right, abs=1e-9)
    assert test.answer.images.unmapped == ("smudge (12)",)
    ledger = pd.read_parquet(test.folder / "ledger.parquet")
    assert ledger["reason"].str.startswith("class that the model does not have: smudge").sum() == 12
    assert json.loads((test.folder / "answer.json").read_text())["digest"] == load(bundle).digest
    lacking = run_external_test(Request(bundle, source(elsewhere, exclude_classes=["Pre"])), workers=1).answer
    assert lacking.images.absent == ("Pre",)
    assert lacking.chosen is not None
    assert lacking.chosen.value is not None


@pytest.mark.slow
def test_mistakes_end_before_any_work(bundle: Path, elsewhere: Path, tmp_path: Path) -> None:
    empty, one = tmp_path / "empty", tmp_path / "one"
    empty.mkdir()
    for name in CLASSES[:2]:
        (one / name).mkdir(parents=True)
        for number, file in enumerate(sorted((elsewhere / name).glob("*.jpg"))[:3]):
            shutil.copy(file, one / name / f"synthetic-P1_{number}.jpg")
    others = shutil.copytree(elsewhere, tmp_path / "others")
    for name in CLASSES:
        (others / name).rename(others / f"other {name}")
    for folder, settings, error, words in (
        (empty, {}, ImagesError, "(?i)no"),
        (tmp_path / "absent", {}, ImagesError, "There are no images"),
        (one, {}, ImagesError, "all of one patient"),
        (others, {}, ConfigurationError, "No class of the images is a class of the model"),
        (elsewhere, {"class_map": "blast=Pre"}, ConfigurationError, "class that the images do not have"),
        (elsewhere, {"class_map": "Pre=blast"}, ConfigurationError, "class that the model does not have"),
        (elsewhere, {"run": tmp_path}, ConfigurationError, "no finished run"),
        (elsewhere, {"name": "../../x"}, ConfigurationError, "name of the test is invalid"),
    ):
        with pytest.raises(error, match=words) as raised:
            run_external_test(Request(bundle, source(folder), **settings), workers=1)
        assert "expected:" in str(raised.value)
        assert "received:" in str(raised.value)
    assert not (bundle.parent / "external").exists()


def test_what_is_neither_a_run_nor_a_bundle_is_a_message(tmp_path: Path) -> None:
    code, shown = call("external", str(tmp_path), str(tmp_path))
    assert code == 2
    assert "neither a run nor a bundle" in shown
    assert "expected:" in shown
    assert list(tmp_path.iterdir()) == []

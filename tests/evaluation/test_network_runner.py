"""Networks trained end to end in a run: on the same folds, with the same records, resume and failure rules."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from leukobench.errors import ConfigurationError
from leukobench.images.reading import read_resized
from leukobench.pipeline import Outcome, run
from leukobench.runs.progress import on_screen
from leukobench.studies.holdout import unseal
from leukobench.studies.leakage import measure_leakage

from ..conftest import small_experiment
from .small_networks import TINY, of_networks, only


def row(outcome: Outcome, extractor: str = "pixels") -> pd.Series:
    table = outcome.leaderboard
    return table[table["extractor"] == extractor].iloc[0]


@pytest.fixture(scope="module")
def scored(smears: Path, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """A run over the smears with one cheap combination and one network of the plug-in, for tests that only read it."""
    return run(small_experiment(smears, tmp_path_factory.mktemp("scored"), **only("example_plugin")), workers=1)


@pytest.mark.slow
def test_a_network_is_scored_on_the_folds_of_all(scored: Outcome) -> None:
    outcome, found = scored, row(scored)
    assert (found["selector"], found["classifier"]) == ("none", "example_plugin:PixelMeans")
    assert (found["features"], found["status"], found["folds"]) == (8 * 8 * 3, "ok", 3)
    # The same by hand, from the files.
    folds = pd.read_parquet(outcome.folder / "folds.parquet").set_index("image_id")
    files = pd.read_parquet(outcome.folder / "images.parquet").set_index("image_id")
    colours = {name: read_resized(path, (8, 8)).mean(axis=(0, 1)) for name, path in files["path"].items()}
    predicted = of_networks(outcome).set_index("image_id")
    for number in range(3):
        train, test = folds[folds["fold"] != number], folds[folds["fold"] == number]
        classes = sorted(train["label"].unique())
        means = np.stack([np.mean([colours[i] for i in train.index[train["label"] == c]], axis=0) for c in classes])
        for name in test.index:
            near = np.exp(-np.linalg.norm(colours[name] - means, axis=1) / 10)
            own = predicted.loc[name, [f"p_{c}" for c in classes]].to_numpy(float)
            np.testing.assert_allclose(own, near / near.sum(), atol=1e-9)
    assert not list((outcome.folder / "records").glob("*.npz"))
    assert not list((outcome.folder / "records").glob("*.json"))
    assert not (outcome.folder / "features").exists()
    assert "pixels x example_plugin:PixelMeans: trained from scratch" in outcome.protocol


@pytest.mark.slow
def test_renaming_and_other_workers_change_nothing_and_a_rerun_trains_nothing(
    scored: Outcome,
    experiment: Any,
    plugin: str,
    images: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("FIT_FILE", str(tmp_path / "fits"))
    for path in sorted(images.rglob("*.jpg"))[::3]:
        path.rename(path.with_name(path.name.replace("_0", "_9")))
    second = run(experiment(**only(plugin), name="again"), workers=2)
    before, after = (
        of_networks(one).drop(columns="path").sort_values("row", ignore_index=True) for one in (scored, second)
    )
    pd.testing.assert_frame_equal(before, after)
    assert len((tmp_path / "fits").read_text()) == 3
    assert run(experiment(**only(plugin), name="again"), workers=1).reused
    more = only(plugin) | {"classifiers": ["naive_bayes", "lda"]}
    run(experiment(**more, name="again"), workers=1)
    assert len((tmp_path / "fits").read_text()) == 3


@pytest.mark.slow
def test_a_network_that_fails_or_dies_fails_alone(
    experiment: Any, plugin: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = only(plugin) | {"evaluation": {"folds": 2}}
    ends = {"raise": "this network fails on demand", "kill": "The process that trained this died"}
    settings["cnns"] = [*({f"{plugin}:PixelMeans": {"end": end}} for end in ends), f"{plugin}:PixelMeans"]
    outcome = run(experiment(**settings), workers=1)
    table = outcome.leaderboard.set_index("classifier")
    assert table.loc[[f"{plugin}:PixelMeans", "naive_bayes"], "status"].tolist() == ["ok", "ok"]
    for end, said in ends.items():
        assert table.loc[f"{plugin}:PixelMeans(end={end})", "status"] == "failed in 2 of 2 folds"
        assert pd.read_csv(outcome.folder / "notes.csv")["text"].str.contains(said).sum() == 2
    monkeypatch.setenv("FIT_FILE", str(tmp_path / "fits"))
    run(experiment(**settings), workers=1)
    assert len((tmp_path / "fits").read_text()) == 4


@pytest.mark.thorough
def test_progress_says_where_the_training_is(experiment: Any, plugin: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("leukobench.runs.progress._FIRST_LINE_S", 0.0)
    monkeypatch.setattr("leukobench.runs.progress._NEXT_LINES_S", 0.0)
    stream = io.StringIO()
    run(experiment(**only(plugin, end="slowly")), workers=1, progress=on_screen(stream))
    lines = [line for line in stream.getvalue().splitlines() if line.startswith("training networks")]
    assert any(
        "1/3, about" in line and "PixelMeans(end=slowly), fold 1, looking, epoch 2/4, loss 0.500" in line
        for line in lines
    )


@pytest.mark.slow
def test_calibration_takes_grouped_inner_folds_of_pixels(scored: Outcome, experiment: Any, plugin: str) -> None:
    evaluation = {"folds": 3, "calibration": "sigmoid"}
    calibrated = run(experiment(**only(plugin), evaluation=evaluation, name="calibrated"), workers=1)
    assert row(calibrated)["status"] == "ok"
    assert row(calibrated)["ece"] != row(scored)["ece"]


@pytest.mark.slow
@pytest.mark.parametrize("evaluation", [{"calibration": "sigmoid"}, {"tuning": "grid"}])
def test_classifiers_that_split_once_more_get_groups(evaluation: Any, experiment: Any, plugin: str) -> None:
    searched = {"var_smoothing": {"search": [1e-9, 1e-3]}} if "tuning" in evaluation else {}
    choice = {f"{plugin}:NeedsGroups": searched}
    outcome = run(experiment(classifiers=[choice], evaluation={"folds": 2, **evaluation}), workers=1)
    assert set(outcome.leaderboard["status"]) == {"ok"}


@pytest.mark.thorough
def test_the_holdout_is_opened_for_a_network_too(experiment: Any, plugin: str) -> None:
    outcome = run(experiment(**only(plugin), extractors=[], evaluation={"folds": 3, "holdout": 0.25}), workers=1)
    lines = unseal(outcome.folder, workers=1)
    assert any(line.startswith(f"pixels x none x {plugin}:PixelMeans: balanced accuracy") for line in lines)


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"cnns": ["custom_cn"]}, "did you mean custom_cnn"),
        ({"cnns": [{"custom_cnn": {"epoch": 3}}]}, "did you mean epochs"),
        ({"cnns": [{"custom_cnn": {"epochs": {"search": [1, 2]}}}]}, "only selectors and classifiers can be tuned"),
        ({"cnns": ["custom_cnn", "custom_cnn"]}, "listed twice: custom_cnn"),
        ({"extractors": []}, "name at least one extractor, or one of the cnns"),
        (
            {"cnns": ["binary_cnn"]},
            "(?s)binary_cnn is for 2 classes.*received: 4 classes: Benign, Early, Pre, Pro",
        ),
        ({"cnns": [{"mobilenetv2_head": {"weights": "nowhere.h5"}}]}, "weights file of MobileNetV2 does not exist"),
        pytest.param(
            {"cnns": [{"transfer": {"unfreeze_from": "blok8"}}]}, "has no layer 'blok8'", marks=pytest.mark.slow
        ),
        ({"cnns": ["example_plugin:Votes"]}, "does not declare its input size"),
        (
            {"cnns": ["example_plugin:PixelMeans"], "evaluation": {"balance": "smote"}},
            "does not support oversampling",
        ),
        ({"cnns": [{"custom_cnn": {"class_weight": {"Bening": 2.0}}}]}, "no class 'Bening'; there are Benign, Early"),
    ],
)
def test_mistakes_stop_before_any_work(said: dict[str, Any], message: str, experiment: Any, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError if "does not exist" not in message else Exception, match=message):
        run(experiment(**said), workers=1)
    assert not (tmp_path / "seen").exists()


@pytest.mark.slow
def test_class_weights_by_name_weigh(experiment: Any) -> None:
    choices = [{"logistic_regression": {"class_weight": weight}} for weight in ({"Benign": 1000.0}, {"Pre": 1000.0})]
    outcome = run(experiment(selectors=["none"], classifiers=choices, evaluation={"folds": 2}), workers=1)
    table = pd.read_parquet(outcome.folder / "predictions.parquet")
    for name, other in (("Benign", "Pre"), ("Pre", "Benign")):
        shares = [
            (table.loc[table["classifier"].str.contains(f"'{weighted}'"), "predicted"] == name).mean()
            for weighted in (name, other)
        ]
        assert shares[0] > shares[1] + 0.1


@pytest.mark.thorough
def test_pixels_are_read_anew_after_a_change_of_how(
    experiment: Any, plugin: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("FIT_FILE", str(tmp_path / "fits"))
    settings = only(plugin) | {"evaluation": {"folds": 2}, "extractors": []}
    run(experiment(**settings), workers=1)
    monkeypatch.setattr("leukobench.steps.write_pixels._reading", lambda: ["another way"])
    monkeypatch.setattr("leukobench.runs.identity.code_digest", lambda *modules: "another code")
    run(experiment(**settings), workers=1)
    assert len((tmp_path / "fits").read_text()) == 4


@pytest.mark.thorough
def test_calibrated_networks_keep_their_costs_and_curves(experiment: Any) -> None:
    evaluation = {"folds": 2, "calibration": "temperature"}
    settings = {"selectors": ["none"], "classifiers": ["naive_bayes"], "cnns": [{"custom_cnn": TINY}]}
    outcome = run(experiment(**settings, evaluation=evaluation), workers=2)
    found = row(outcome)
    assert (found["status"], found["parameters"], found["model_bytes"]) == ("ok", 552, 4 * 552)
    assert len(pd.read_csv(outcome.folder / "learning_curves.csv")) == 2 * TINY["epochs"]
    assert not [path for path in (outcome.folder / "records").iterdir() if path.suffix != ".parquet"]


@pytest.mark.slow
def test_networks_alone_are_a_run_which_nothing_that_a_plug_in_reports_can_stop(experiment: Any, plugin: str) -> None:
    networks = [{f"{plugin}:PixelMeans": {"end": end}} for end in ("no done", "odd loss", "odd curve")]
    outcome = run(experiment(cnns=networks, extractors=[], evaluation={"folds": 2}), workers=1)
    combinations = outcome.leaderboard[outcome.leaderboard["kind"] == "combination"]
    assert combinations["status"].tolist() == ["ok"] * 3
    assert outcome.answer.best.extractor == "pixels"


def test_leaks_are_not_measured_on_networks(experiment: Any, plugin: str) -> None:
    with pytest.raises(ConfigurationError, match="received: cnns"):
        measure_leakage(experiment(**only(plugin)), [None])


@pytest.mark.thorough
def test_networks_beside_combinations_with_their_costs_and_curves(experiment: Any) -> None:
    networks = [{"custom_cnn": TINY}, {"custom_cnn": TINY | {"learning_rate": 1e30, "dropout": 0.0}}]
    settings = {"selectors": ["none"], "classifiers": ["dense_head", "naive_bayes"], "cnns": networks}
    outcome = run(experiment(**settings, evaluation={"folds": 2, "balance": "smote"}), workers=2)
    table = outcome.leaderboard.set_index(["extractor", "classifier"])
    good = next(name for name in table.index if name[0] == "pixels" and "learning_rate" not in name[1])
    bad = next(name for name in table.index if "learning_rate" in name[1])
    assert table.loc[bad, "status"] == "failed in 2 of 2 folds"
    assert table.loc[good, "status"] == "ok"
    # 3x3x3x4 + 4x4 (normalisation), 3x3x4x8 + 8x4, 8x8 + 8, 8x4 + 4
    assert table.loc[good, "parameters"] == 108 + 16 + 288 + 32 + 72 + 36
    assert table.loc[good, "model_bytes"] == 4 * 552
    head = ("example_plugin:Colours", "dense_head")
    assert table.loc[head, "parameters"] == 6 * 128 + 128 + 128 * 4 + 4
    assert 0 < table.loc[("example_plugin:Colours", "naive_bayes"), "model_bytes"] < 10_000
    curves = pd.read_csv(outcome.folder / "learning_curves.csv")
    assert set(curves["phase"]) == {"from scratch", "head"}
    assert curves.groupby(["classifier", "fold"])["epoch"].max().min() >= 4
    notes = pd.read_csv(outcome.folder / "notes.csv")
    assert notes["text"].str.contains("lower learning_rate").sum() == 2


@pytest.mark.thorough
def test_binary_cnn_on_drawn_c_nmc_files_keeps_subjects_apart(smears: Path, tmp_path: Path, experiment: Any) -> None:
    from PIL import Image

    made = tmp_path / "c-nmc" / "fold_0"
    for number, path in enumerate(sorted(smears.rglob("*.jpg"))):
        kind = "hem" if path.parent.name == "Benign" else "all"
        patient = int(path.stem.partition("-P")[2].partition("_")[0])
        name = f"UID_{'H' * (kind == 'hem')}{patient}_{number}_1_{kind}.bmp"
        (made / kind).mkdir(parents=True, exist_ok=True)
        Image.open(path).save(made / kind / name)
    settings = {"selectors": ["none"], "classifiers": ["naive_bayes"], "cnns": [{"binary_cnn": TINY}]}
    said = experiment(**settings, evaluation={"folds": 3, "balance": "class_weight", "rank_by": "f1_weighted"})
    cnmc = said.model_copy(update={"images": said.images.model_copy(update={"folder": made.parent, "layout": "cnmc"})})
    outcome = run(cnmc, workers=2)
    assert row(outcome)["status"] == "ok"
    assert "patient-level: 24 patients" in "\n".join(outcome.protocol)
    patients = pd.read_parquet(outcome.folder / "images.parquet").drop_duplicates("image_id")
    folds = pd.read_parquet(outcome.folder / "folds.parquet").merge(patients[["image_id", "patient"]], on="image_id")
    assert folds.groupby("patient")["fold"].nunique().max() == 1
    assert sorted(of_networks(outcome).filter(like="p_").columns) == ["p_all", "p_hem"]

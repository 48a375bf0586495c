from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from leukobench.bundling.fit import fit
from leukobench.bundling.fit_features import with_one
from leukobench.bundling.model_card import flagged_words
from leukobench.config.experiment_file import for_folder
from leukobench.errors import BundleError, ConfigurationError, ImagesChangedError, StorageError
from leukobench.evaluation.combination_names import short_name
from leukobench.images.synthetic import draw_smears
from leukobench.pipeline import run
from leukobench.runs.folder import RunFolder
from leukobench.serving.bundle import load
from leukobench.serving.container import read_bundle
from leukobench.steps.choose_methods import make_methods

TINY = "tiny_network:TINY(pooling=multilevel)"


def test_the_winner_lands_in_the_run_with_scores_and_verdicts(tiny_run: Path) -> None:
    bundle = fit(tiny_run, workers=1)
    assert bundle.path == tiny_run / "model"
    assert bundle.digest in repr(bundle)
    assert bundle.title in bundle._repr_html_()
    best = json.loads((tiny_run / "answer.json").read_text())["best"]
    assert bundle.title == f"{best['extractor']} x {best['selector']} x {best['classifier']}"
    facts = read_bundle(bundle.path, bundle.digest).manifest
    row = pd.read_csv(tiny_run / "leaderboard.csv").iloc[0]
    assert facts["scores"]["balanced_accuracy"] == pytest.approx(
        [row["balanced_accuracy"], row["balanced_accuracy_low"], row["balanced_accuracy_high"]]
    )
    assert facts["corrected"] == [best["metric"], best["corrected"], best["corrected_low"], best["corrected_high"]]
    assert facts["images"] == {"count": 96, "groups": 24, "classes": facts["images"]["classes"]}
    assert facts["patients"] == "patients"
    assert facts["agreement"] == {"images": 8, "largest": pytest.approx(0, abs=1e-6)}
    card = (bundle.path / "model_card.md").read_text()
    expected = ("not a medical device", "24 patients", "RANDOM", "worst class", "corrected for selecting the best of")
    expected += ("1 % of the images of new patients like these are flagged", "for images of new patients like those")
    assert [words for words in expected if words not in card] == []


def test_methods_that_a_bundle_does_not_need_are_not_made(tmp_path: Path) -> None:
    experiment = for_folder(tmp_path, classifiers=["lda", "mine:Unknown"], selectors=["none", "mine:Other"])
    selectors, classifiers = make_methods(with_one(experiment, ("efficientnet_lite0", "none", "lda")))
    assert [one.label for one in [*selectors, *classifiers]] == ["none", "lda"]


@pytest.mark.parametrize("kind", ["none", "partly", "pseudo"])
def test_where_patients_are_not_known_the_card_promises_nothing_for_new_ones(kind: str) -> None:
    words = flagged_words(kind)
    assert "further images of the same patients" in words
    assert "ordinary images of new patients may be flagged far more often, and covered less often" in words
    assert "new patients like these" not in words


def test_nothing_in_a_bundle_says_where_it_was_made_or_who_the_patients_are(
    tiny_run: Path, tiny_bundle: Path, smears: Path
) -> None:
    text = b"".join(path.read_bytes() for path in tiny_bundle.iterdir())
    patients = pd.read_parquet(tiny_run / "images.parquet")["patient"].unique()
    assert len(patients) == 24
    for secret in (str(smears), str(tiny_run.parent), *(f'"{name}"' for name in patients)):
        assert secret.encode() not in text


def test_coverage_that_the_card_states_is_that_of_the_out_of_fold_predictions(
    tiny_run: Path, tiny_bundle: Path
) -> None:
    from leukobench.serving.conformal import ConformalScores, prediction_sets

    facts = read_bundle(tiny_bundle).manifest
    predictions = pd.read_parquet(tiny_run / "predictions.parquet")
    predictions = predictions[
        (predictions["classifier"] == "logistic_regression") & (predictions["selector"] == "none")
    ]
    groups = pd.read_parquet(tiny_run / "images.parquet")["group"].to_numpy()[predictions["row"]]
    probabilities = predictions[[f"p_{name}" for name in facts["classes"]]].to_numpy() ** (
        1 / facts["temperature"]["value"]
    )
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    labels = predictions["label"].map({name: k for k, name in enumerate(facts["classes"])}).to_numpy()
    scores = 1 - probabilities[np.arange(len(labels)), labels]
    folds, held = predictions["fold"].to_numpy(), np.zeros(len(predictions), dtype=bool)
    for fold in range(3):
        own, rest = folds == fold, folds != fold
        limits = ConformalScores(scores[rest], labels[rest], groups[rest], 4).thresholds(0.8)
        held[own] = prediction_sets(probabilities[own], limits)[np.arange(own.sum()), labels[own]]
    assert facts["coverage"][0]["coverage"] == pytest.approx(held.mean())


def test_a_combination_by_its_names(tiny_run: Path, tmp_path: Path) -> None:
    short = (short_name(TINY), "anova·n_features=20", "svm_linear")  # as a narrow terminal shows them
    bundle = fit(tiny_run, short, tmp_path / "named.zip", workers=1)
    assert bundle.title.endswith("x anova(n_features=20) x svm_linear")
    opened = load(bundle.path, bundle.digest)
    assert opened.facts["corrected"] is None
    assert "chosen by name" in opened.card
    assert "example" not in opened.card


@pytest.mark.parametrize(
    ("names", "message"),
    [((TINY, "none", "lda"), "no scored combination"), (("pixels", "none", "custom_cnn"), "no scored combination")],
)
def test_a_combination_that_was_not_run_lists_those_that_were(
    names: tuple[str, str, str], message: str, tiny_run: Path
) -> None:
    with pytest.raises(ConfigurationError, match=message) as caught:
        fit(tiny_run, names, workers=1)
    assert "logistic_regression" in str(caught.value)


def test_a_run_that_is_not_there_or_not_finished_is_a_message(tmp_path: Path) -> None:
    for folder in (tmp_path / "absent", tmp_path):
        with pytest.raises(ConfigurationError, match="no finished run"):
            fit(folder, workers=1)
    assert not (tmp_path / "absent").exists()


def test_what_lies_in_the_way_is_reported_before_any_work(tiny_run: Path, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(BundleError, match="already exists"):
        fit(tiny_run, out=tmp_path, workers=1)
    assert not (tiny_run / "features").exists()


def test_a_run_that_lacks_a_part_is_a_message(tiny_run: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(tiny_run, tmp_path / "copy"))
    (copy / "images.parquet").unlink()
    with pytest.raises(StorageError, match="is not complete"):
        fit(copy, workers=1)
    assert not (copy / "features").exists()


def test_another_extractor_than_the_run_had_is_refused(tiny_run: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(tiny_run, tmp_path / "copy"))
    text = (copy / "experiment.yaml").read_text()
    (copy / "experiment.yaml").write_text(text.replace("weights: random-he-seed0", "weights: random-he-seed1"))
    RunFolder(copy).refresh()
    with pytest.raises(ConfigurationError, match="has changed since the run"):
        fit(copy, workers=1)


@pytest.mark.slow
def test_permuted_labels_are_not_fitted(tiny_experiment: Any) -> None:
    settings = {"name": "shuffled", "classifiers": ["naive_bayes"], "selectors": ["none"]}
    folder = run(tiny_experiment(**settings).with_permuted_labels(5), workers=1).folder
    with pytest.raises(ConfigurationError, match="permuted"):
        fit(folder, workers=1)


@pytest.mark.slow
def test_images_that_changed_since_the_run_stop_a_fit_that_has_to_read_them(
    tiny_experiment: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw_smears(tmp_path / "images", images=40, patients=20, seed=3, size=64)
    experiment = tiny_experiment(tmp_path / "images", name="changed", classifiers=["naive_bayes"], selectors=["none"])
    folder = run(experiment, workers=1).folder
    first = sorted((tmp_path / "images").rglob("*.jpg"))[0]
    first.write_bytes(first.read_bytes() + b"\0")
    assert fit(folder, workers=1).path.exists()  # all that is needed is cached
    monkeypatch.setenv("LEUKOBENCH_CACHE", str(tmp_path / "cache"))
    with pytest.raises(ImagesChangedError, match="changed or became unreadable"):
        fit(folder, workers=1)

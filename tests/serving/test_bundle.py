from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import leukobench
from leukobench.bundling.fit import fit
from leukobench.bundling.writing import write_bundle
from leukobench.config.experiment_file import for_folder
from leukobench.errors import BundleError, ConfigurationError, LeukobenchError, UnreadableImageError
from leukobench.pipeline import run
from leukobench.serving.bundle import Bundle, load
from leukobench.serving.container import read_bundle
from leukobench.serving.image_input import Upload

KEPT = Path(__file__).parent / "bundle-format-1.zip"


@pytest.fixture(scope="module")
def bundle(tiny_bundle: Path) -> Bundle:
    return load(tiny_bundle, threads=2)


@pytest.fixture(scope="module")
def paths(smears: Path) -> list[Path]:
    return sorted(smears.rglob("*.jpg"))


def numbers(predictions: Any) -> np.ndarray:
    return np.array([list(row.probabilities.values()) for row in predictions])


@pytest.mark.slow
@pytest.mark.parametrize("classifier", ["logistic_regression", "naive_bayes"])
def test_a_new_image_gets_the_numbers_of_the_benchmark(
    classifier: str, tiny_experiment: Any, tiny_run: Path, tmp_path: Path
) -> None:
    """Fitted on the training part of a fold alone, a bundle predicts for the test part what the run predicted."""
    images = pd.read_parquet(tiny_run / "images.parquet")
    out_of_fold = pd.read_parquet(tiny_run / "predictions.parquet")
    out_of_fold = out_of_fold[
        (out_of_fold["classifier"] == classifier) & (out_of_fold["selector"] == "none") & (out_of_fold["fold"] == 0)
    ]
    held = images["image_id"].isin(out_of_fold["image_id"])
    table = images[~held][["path", "label", "patient"]]
    table.to_csv(tmp_path / "training.csv", index=False)
    experiment = tiny_experiment(
        tmp_path / "training.csv", name=f"part-{classifier}", images={}, classifiers=[classifier], selectors=["none"]
    )
    bundle = fit(run(experiment, workers=1).folder, workers=1)
    predictions = load(bundle.path).predict(images[held]["path"].tolist(), calibrated=False)
    expected = out_of_fold.set_index("image_id")[[f"p_{name}" for name in predictions.classes]]
    assert len(predictions) == len(expected)
    assert np.abs(numbers(predictions) - expected.loc[[row.image_id for row in predictions]].to_numpy()).max() < 1e-6
    assert not any(row.trained_on for row in predictions)


def test_images_in_memory_are_predicted_as_their_files(bundle: Bundle, paths: list[Path], tmp_path: Path) -> None:
    picture = Image.open(paths[0])
    picture.save(tmp_path / "first.png")
    pixels = np.asarray(picture)
    in_memory = bundle.predict([tmp_path / "first.png", pixels, picture, (tmp_path / "first.png").read_bytes()])
    assert [row.image for row in in_memory][1:] == ["image 2", "image 3", "image 4"]
    assert np.array_equal(numbers(in_memory), numbers(in_memory[:1] * 4))
    assert bundle.predict_proba(pixels) == pytest.approx(numbers(in_memory)[:1], rel=1e-9)
    assert bundle.predict_proba([]).shape == (0, len(bundle.classes))
    assert bundle.explain(pixels).prediction.probabilities == pytest.approx(in_memory[0].probabilities, rel=1e-9)
    with pytest.raises(UnreadableImageError, match="image 1"):
        bundle.predict_proba(b"no image")


def test_a_notebook_shows_it(bundle: Bundle, paths: list[Path]) -> None:
    assert bundle.title in repr(bundle)
    assert "not a medical device" in bundle._repr_html_()
    predictions = bundle.predict(paths[:2])
    assert "prediction set {" in repr(predictions)
    assert predictions._repr_html_().count("<tr") == 3
    assert "data:image/png;base64," in bundle.explain(paths[0])._repr_html_()


def test_predictions_say_all_that_is_known(bundle: Bundle, paths: list[Path]) -> None:
    predictions = bundle.predict(paths)
    table = predictions.table()
    assert table["image"].tolist() == [str(path) for path in paths]
    assert table[[f"p_{name}" for name in bundle.classes]].sum(axis=1).to_numpy() == pytest.approx(np.ones(len(paths)))
    assert (table["label"] == [path.parent.name for path in paths]).mean() > 0.8
    assert table["trained_on"].all()
    assert (table["error"] == "").all()
    assert all(row.label in row.conformal_set for row in predictions)
    assert np.median(table["ood_score"]) == pytest.approx(1, abs=0.5)


def test_the_order_and_the_company_of_images_change_nothing(bundle: Bundle, paths: list[Path]) -> None:
    whole = bundle.predict(paths)
    backwards = bundle.predict(paths[::-1])
    assert np.abs(numbers(whole) - numbers(backwards)[::-1]).max() < 1e-12
    alone = bundle.predict([paths[7]])[0]
    assert alone.probabilities == pytest.approx(whole[7].probabilities, abs=1e-9)
    renamed = bundle.predict([Upload("other.png", paths[7].read_bytes())])[0]
    assert renamed.probabilities == alone.probabilities
    assert renamed.image_id == alone.image_id


def test_bad_images_have_their_reason_and_stop_nothing(bundle: Bundle, paths: list[Path], tmp_path: Path) -> None:
    (tmp_path / "text.jpg").write_text("no picture")
    (tmp_path / "cut.jpg").write_bytes(paths[0].read_bytes()[:-400])
    (tmp_path / "empty.png").write_bytes(b"")
    os.mkfifo(tmp_path / "pipe.png")
    with (tmp_path / "giant.tif").open("wb") as giant:
        giant.truncate(2**33)  # a sparse file: it takes no room
    bad = [tmp_path / name for name in ("text.jpg", "cut.jpg", "empty.png", "absent.jpg", "pipe.png", "giant.tif", "")]
    mixed = [paths[0], *bad, Upload("bytes", b"\xff\xd8\xff"), "nul\0byte", paths[1]]
    predictions = bundle.predict(mixed)
    assert [bool(row.error) for row in predictions] == [False, *[True] * 9, False]
    assert [row.label is None for row in predictions] == [bool(row.error) for row in predictions]
    assert "truncated" in predictions[2].error or "decode" in predictions[2].error
    text = json.dumps(predictions.to_json(), allow_nan=False)
    assert json.loads(text)["images"][1]["ood_score"] is None
    with pytest.raises(UnreadableImageError):
        bundle.read(tmp_path / "text.jpg")


def test_patients_get_the_mean_of_their_images(bundle: Bundle, paths: list[Path], tmp_path: Path) -> None:
    images = [*paths[:4], tmp_path / "absent.jpg"]
    predictions = bundle.predict(images, groups=["a", "b", "a", "", "b"])
    first, second = predictions.patients()
    assert (first.group, first.images, first.unreadable) == ("a", 2, 0)
    assert (second.images, second.unreadable) == (1, 1)
    mean = {
        name: (predictions[0].probabilities[name] + predictions[2].probabilities[name]) / 2 for name in bundle.classes
    }
    assert first.probabilities == pytest.approx(mean)
    assert first.label == max(mean, key=lambda name: mean[name])
    assert predictions.patient_table()["group"].tolist() == ["a", "b"]
    with pytest.raises(ConfigurationError, match="Every image needs a group"):
        bundle.predict(paths[:2], groups=["a"])


@pytest.mark.parametrize("level", [0, 1, -0.1, 95, float("nan"), "0.9"])
def test_impossible_levels_are_refused(bundle: Bundle, level: Any) -> None:
    with pytest.raises(ConfigurationError, match="level"):
        bundle.predict([], level=level)


def test_sets_grow_with_the_level(bundle: Bundle, paths: list[Path]) -> None:
    small, large = (bundle.predict(paths, level=level) for level in (0.6, 0.99))
    assert all(set(a.conformal_set) <= set(b.conformal_set) for a, b in zip(small, large, strict=True))


@pytest.mark.slow
def test_many_threads_get_their_own_answers(bundle: Bundle, paths: list[Path]) -> None:
    expected = numbers(bundle.predict(paths))

    def ask(position: int) -> float:
        rows = [(position + step) % len(paths) for step in range(12)]
        return float(np.abs(numbers(bundle.predict([paths[row] for row in rows])) - expected[rows]).max())

    with ThreadPoolExecutor(8) as pool:
        assert max(pool.map(ask, range(48))) < 1e-9


def test_a_zip_and_a_folder_say_the_same(bundle: Bundle, tiny_bundle: Path, paths: list[Path], tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as archive:
        for file in tiny_bundle.iterdir():
            archive.write(file, file.name)
    packed = leukobench.load(tmp_path / "b.zip", digest=bundle.digest)
    assert packed.digest == bundle.digest
    assert numbers(packed.predict(paths[:5])) == pytest.approx(numbers(bundle.predict(paths[:5])), abs=1e-12)


@pytest.mark.slow
def test_neither_tensorflow_nor_the_cache_is_needed(tiny_bundle: Path, paths: list[Path], tmp_path: Path) -> None:
    code = (
        "import sys, leukobench\n"
        f"predictions = leukobench.load({str(tiny_bundle)!r}).predict([{str(paths[0])!r}])\n"
        "assert predictions[0].label, predictions[0]\n"
        "print(*{name.partition('.')[0] for name in sys.modules})"
    )
    lonely = {"HOME": str(tmp_path), "LEUKOBENCH_CACHE": str(tmp_path / "cache"), "PATH": ""}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=lonely)
    assert not {"tensorflow", "keras", "jax", "torch", "tiny_network"} & set(done.stdout.split())
    assert not (tmp_path / "cache").exists()


def test_a_bundle_that_computes_other_numbers_here_is_refused(tiny_bundle: Path, tmp_path: Path) -> None:
    contents = read_bundle(tiny_bundle)
    files = files_of(contents)
    weights = np.frombuffer(files["network.bin"], dtype=np.float32).copy()
    weights[: len(weights) // 2] *= 1.01
    write_bundle(tmp_path / "other", contents.manifest, files | {"network.bin": weights.tobytes()})
    with pytest.raises(BundleError, match="different numbers on this machine"):
        load(tmp_path / "other")


def files_of(contents: Any) -> dict[str, bytes]:
    return {name: data for name, data in contents.files.items() if name != "manifest.json"}


def npz(**arrays: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.savez(stream, **arrays)
    return stream.getvalue()


@pytest.mark.parametrize("kind", ["pickled", "compressed", "other lengths", "other classes", "empty", "no distances"])
def test_made_up_arrays_are_refused_without_a_crash(kind: str, tiny_bundle: Path, tmp_path: Path) -> None:
    contents = read_bundle(tiny_bundle)
    name = "reference.npz" if kind == "no distances" else "calibration.npz"
    with np.load(io.BytesIO(contents.file(name))) as stored:
        stored_arrays = {key: stored[key] for key in stored.files}
    changes: dict[str, dict[str, Any]] = {
        "pickled": {"groups": np.array([{}], dtype=object)},
        "other lengths": {"labels": stored_arrays.get("labels", np.ones(1))[:5]},
        "other classes": {"labels": np.full_like(stored_arrays["labels"], 99)},
        "empty": {key: np.empty(0, dtype=np.int64) for key in ("scores", "labels", "groups")},
        "no distances": {"distances": np.zeros(96)},
    }
    data = npz(**(stored_arrays | changes.get(kind, {})))
    if kind == "compressed":
        stream = io.BytesIO()
        np.savez_compressed(stream, **stored_arrays)
        data = stream.getvalue()
    write_bundle(tmp_path / "made-up", contents.manifest, files_of(contents) | {name: data})
    with pytest.raises(BundleError, match="cannot be used"):
        load(tmp_path / "made-up")


@pytest.mark.parametrize("xml", [b"", b"\x08\x01onnx", b"<html/>", b"<?xml version='1.0'?><net/>"])
def test_a_network_in_another_format_is_refused(
    xml: bytes, tiny_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tiny_bundle)  # with a network.xml that must not be read
    contents = read_bundle(tiny_bundle)
    write_bundle(tmp_path / "made-up", contents.manifest, files_of(contents) | {"network.xml": xml})
    with pytest.raises(LeukobenchError):
        load(tmp_path / "made-up")


def test_a_bundle_of_this_format_is_read_for_ever(paths: list[Path]) -> None:
    """Made by version 0.1.0; its probabilities of one drawn image stand in the file beside it."""
    expected = json.loads(KEPT.with_suffix(".json").read_text())
    kept = load(KEPT, digest=expected["digest"])
    prediction = kept.predict([KEPT.with_name("bundle-format-1.jpg")])[0]
    assert prediction.label == expected["label"]
    assert prediction.probabilities == pytest.approx(expected["probabilities"], abs=1e-6)
    assert prediction.ood == expected["ood"]
    assert prediction.conformal_set == tuple(expected["conformal_set"])


@pytest.mark.thorough
@pytest.mark.real
def test_the_real_network_on_real_images(real_images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """40 images a class: what is predicted from files is what the features say, and other pictures are flagged."""
    monkeypatch.setenv("LEUKOBENCH_CACHE", str(tmp_path / "cache"))
    for label in ("Benign", "Early", "Pre", "Pro"):
        (tmp_path / "images" / label).mkdir(parents=True)
        for path in sorted((real_images / label).iterdir())[:50]:
            shutil.copy(path, tmp_path / "images" / label)
    experiment = for_folder(
        tmp_path / "images",
        results=tmp_path / "results",
        extractors=[{"efficientnet_lite0": {"pooling": "multilevel"}}],
        selectors=["none"],
        classifiers=["logistic_regression"],
        evaluation={"resamples": 100, "controls": "off"},
    )
    bundle = load(fit(run(experiment).folder).path)
    unseen = [path for label in bundle.classes for path in sorted((real_images / label).iterdir())[60:85]]
    predictions = bundle.predict(unseen)
    assert np.mean([row.label == path.parent.name for row, path in zip(predictions, unseen, strict=True)]) > 0.9
    noise = np.random.default_rng(0).integers(0, 256, (20, 224, 224, 3), dtype=np.uint8)
    from PIL import Image

    for number, pixels in enumerate(noise):
        Image.fromarray(pixels).save(tmp_path / f"noise-{number}.png")
    flagged = bundle.predict(sorted(tmp_path.glob("noise-*.png")))
    assert all(row.ood for row in flagged)
    assert np.mean([row.ood for row in predictions]) < 0.2

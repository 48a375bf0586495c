"""A network in an ONNX file from the run to the bundle: numpy and scikit-learn give the same numbers."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn.naive_bayes import GaussianNB

from leukobench.bundling.fit import fit
from leukobench.pipeline import run

from .. import onnx_models

ALONE = """
import sys

class Absent:
    def find_spec(self, name, *_):
        if name.partition(".")[0] in ("keras", "onnx", "tensorflow", "torch"):
            raise ImportError(f"{name} is absent")

sys.meta_path.insert(0, Absent())
from leukobench.serving.bundle import load

print(load(sys.argv[1]).predict_proba(sys.argv[2:]).tolist())
"""
SIDE = 32  # small smears are decoded at a half for smaller ones
CLASSIFIER = "sklearn.naive_bayes.GaussianNB"


@pytest.fixture(scope="module")
def outcome(smears: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    from ..conftest import small_experiment

    folder = tmp_path_factory.mktemp("onnx")
    file = onnx_models.save(folder / "toy.onnx", external=True, side=SIDE)
    choices = [{"onnx": {"file": str(file), **more}} for more in ({}, {"output": "maps"})]
    experiment = small_experiment(
        smears, folder / "results", extractors=choices, selectors=["none"], classifiers=[CLASSIFIER]
    )
    return run(experiment, workers=1)


def features(paths: pd.Series, output: str) -> np.ndarray:
    """What the network gives, in numpy."""
    pixels = [np.asarray(Image.open(path).resize((SIDE, SIDE), Image.Resampling.BILINEAR)) for path in paths]
    if output:
        return onnx_models.maps(np.stack(pixels)).mean(axis=(1, 2))
    return onnx_models.vector(np.stack(pixels))


@pytest.mark.slow
def test_every_prediction_is_that_of_scikit_learn_on_the_numbers_of_numpy(outcome: Any) -> None:
    folder = outcome.folder
    images, predictions = (pd.read_parquet(folder / f"{name}.parquet") for name in ("images", "predictions"))
    labels = images["label"].to_numpy()
    columns = [f"p_{name}" for name in sorted(set(labels))]
    for extractor, table in predictions[predictions["classifier"] == CLASSIFIER].groupby("extractor"):
        x = features(images["path"], "maps" if "maps" in str(extractor) else "")
        for _, part in table.groupby("fold"):
            test = part["row"].to_numpy()
            training = np.setdiff1d(np.arange(len(images)), test)
            expected = GaussianNB().fit(x[training], labels[training]).predict_proba(x[test])
            np.testing.assert_allclose(part[columns].to_numpy(), expected, atol=1e-3)
    assert {"onnx(file=toy.onnx)", "onnx(file=toy.onnx, output=maps)"} <= set(predictions["extractor"])


@pytest.mark.slow
def test_its_bundle_answers_where_neither_onnx_nor_a_framework_is_installed(outcome: Any, smears: Path) -> None:
    names = "onnx(file=toy.onnx, output=maps)", "none", CLASSIFIER
    bundle = fit(outcome.folder, combination=names, workers=1)
    manifest = (bundle.path / "manifest.json").read_text()
    assert "toy.onnx" in manifest
    assert str(outcome.folder.parent.parent) not in manifest
    paths = sorted(smears.rglob("*.jpg"))[:4]
    answer = subprocess.run(
        [sys.executable, "-c", ALONE, str(bundle.path), *map(str, paths)], check=True, capture_output=True, text=True
    )
    images = pd.read_parquet(outcome.folder / "images.parquet")
    model = GaussianNB().fit(features(images["path"], "maps"), images["label"])
    temperature = json.loads(manifest)["temperature"]["value"]
    probabilities = model.predict_proba(features(pd.Series(paths), "maps"))
    logits = np.log(np.maximum(probabilities, 1e-6)) / temperature  # the bundle takes no smaller one
    expected = np.exp(logits - logits.max(axis=1, keepdims=True))
    expected /= expected.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(json.loads(answer.stdout.splitlines()[-1]), expected, atol=1e-3)

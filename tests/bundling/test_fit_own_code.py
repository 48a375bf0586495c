"""Bundles of selectors and classifiers of the user's own, and of scikit-learn."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from leukobench.bundling.fit import fit
from leukobench.errors import BundleError
from leukobench.pipeline import run
from leukobench.serving.bundle import load
from leukobench.serving.container import read_bundle
from leukobench.serving.request import find_images

pytestmark = pytest.mark.slow
OWN = ("example_plugin:First(n=20)", "example_plugin:OnlyPredicts")
EXTRACTOR = "tiny_network:TINY(pooling=multilevel)"
MLP = "sklearn.neural_network.MLPClassifier(hidden_layer_sizes=8, max_iter=300)"


@pytest.fixture(scope="module")
def own_run(tiny_experiment: Any) -> Path:
    """A run with methods of the user's own."""
    settings: dict[str, Any] = {"selectors": [{"example_plugin:First": {"n": 20}}]}
    settings["evaluation"] = {"folds": 2, "resamples": 100, "views": "off", "controls": "off"}
    settings["classifiers"] = [OWN[1], {MLP.partition("(")[0]: {"hidden_layer_sizes": 8, "max_iter": 300}}]
    return run(tiny_experiment(name="own code", **settings), workers=1).folder


def predict(bundle: Path, images: Path, folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """``leukobench predict`` in a process of its own that stands in a folder."""
    command = [sys.executable, "-m", "leukobench", "predict", str(bundle), str(images), "--workers", "1", *options]
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH",)}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_own_code_is_named_and_refused_unless_it_is_allowed(own_run: Path, smears: Path, tmp_path: Path) -> None:
    bundle = fit(own_run, (EXTRACTOR, *OWN), tmp_path / "bundle", workers=1)
    (code,) = read_bundle(bundle.path).manifest["code"]
    assert code["module"] == "example_plugin"
    card = (bundle.path / "model_card.md").read_text()
    assert code["digest"] in card
    assert "--allow-code example_plugin" in card
    assert [one.to_mapping() for one in bundle.code] == [code]
    with pytest.raises(BundleError, match="needs code that it does not contain"):
        load(bundle.path)
    image = next(smears.rglob("*.jpg"))
    expected = load(bundle.path, allow_code="example_plugin").predict([image])[0]
    source = Path(sys.modules["example_plugin"].__file__ or "")
    (tmp_path / "code").mkdir()
    for file in source.parent.glob("*.py"):
        (tmp_path / "code" / file.name).write_text(file.read_text())
    answer = predict(bundle.path, image, tmp_path, "--allow-code", "code/example_plugin.py")
    assert (answer.returncode, expected.label in answer.stdout) == (0, True), answer.stderr
    with (tmp_path / "code" / "example_plugin.py").open("a") as file:
        file.write("print('imported')\n")
    edited = predict(bundle.path, image, tmp_path / "code", "--allow-code", "example_plugin")
    assert (edited.returncode, "not the one" in edited.stderr, "imported" in edited.stdout) == (2, True, False)


@pytest.mark.filterwarnings("ignore:Stochastic Optimizer")
def test_a_network_of_scikit_learn_is_kept_without_any_code(own_run: Path, smears: Path, tmp_path: Path) -> None:
    bundle = fit(own_run, (EXTRACTOR, OWN[0], MLP), tmp_path / "bundle", workers=1)
    opened = load(bundle.path, allow_code="example_plugin")  # of the selector
    images = list(find_images([smears])[0])[:5]
    rows = opened.predict(images)
    assert np.allclose([sum(row.probabilities.values()) for row in rows], 1)
    assert opened.explain(images[0], method="occlusion") is not None


def test_an_extractor_of_ones_own_is_named(experiment: Any, images: Path, tmp_path: Path) -> None:
    colours = {"example_plugin:Colours": {"scale": 2.0}}
    folder = run(experiment(extractors=[colours], selectors=["none"], classifiers=["lda"]), workers=1).folder
    bundle = fit(folder, out=tmp_path / "bundle", workers=1)
    facts = read_bundle(bundle.path).manifest
    assert [code["module"] for code in facts["code"]] == ["example_plugin"]
    assert not (bundle.path / "network.bin").exists()
    with pytest.raises(BundleError, match="needs code that it does not contain"):
        load(bundle.path)
    opened = load(bundle.path, allow_code=["example_plugin"])
    paths = sorted(images.rglob("*.png"))[:6] or sorted(images.rglob("*.jpg"))[:6]
    expected = np.stack([np.concatenate([p.mean(axis=(0, 1)), p.std(axis=(0, 1))]) for p in map(pixels, paths)])
    received = opened.probabilities(2 * expected.astype(np.float32))
    rows = opened.predict(paths)
    assert np.allclose([list(row.probabilities.values()) for row in rows], received, atol=1e-6)
    assert opened.explain(paths[0]).heat.shape == pixels(paths[0]).shape[:2]


def pixels(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path).convert("RGB"))

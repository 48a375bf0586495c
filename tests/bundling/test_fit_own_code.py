"""Bundles of selectors and classifiers of the user's own, and of scikit-learn."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from leukobench.bundling.fit import fit
from leukobench.errors import BundleError
from leukobench.pipeline import run
from leukobench.serving.bundle import load
from leukobench.serving.container import read_bundle
from leukobench.serving.request import find_images

pytestmark = pytest.mark.slow
OWN = ("example_plugin:best_two(k=20)", "example_plugin:OnlyPredicts")
MLP = "sklearn.neural_network.MLPClassifier(hidden_layer_sizes=8, max_iter=300)"


@pytest.fixture(scope="module")
def own_run(tiny_experiment: Any) -> Path:
    """A run with methods of the user's own."""
    settings: dict[str, Any] = {"selectors": [{"example_plugin:best_two": {"k": 20}}]}
    settings["classifiers"] = [OWN[1], {MLP.partition("(")[0]: {"hidden_layer_sizes": 8, "max_iter": 300}}]
    return run(tiny_experiment(name="own code", **settings), workers=1).folder


def extractor(folder: Path) -> str:
    from leukobench.runs.finished import FinishedRun

    return str(FinishedRun.open(folder).leaderboard["extractor"].iloc[0])


def predict(bundle: Path, images: Path, folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """``leukobench predict`` in a process of its own that stands in a folder."""
    command = [sys.executable, "-m", "leukobench", "predict", str(bundle), str(images), "--workers", "1", *options]
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH",)}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_own_code_is_named_and_refused_unless_it_is_allowed(own_run: Path, smears: Path, tmp_path: Path) -> None:
    bundle = fit(own_run, (extractor(own_run), *OWN), tmp_path / "bundle", workers=1)
    (code,) = read_bundle(bundle.path).manifest["code"]
    assert code["module"] == "example_plugin"
    card = (bundle.path / "model_card.md").read_text()
    assert code["digest"] in card
    assert "--allow-code example_plugin" in card
    assert [code["digest"] in line for line in bundle.code_lines()] == [True]
    with pytest.raises(BundleError, match="needs code that it does not contain"):
        load(bundle.path)
    image = next(smears.rglob("*.jpg"))
    expected = load(bundle.path, allow_code="example_plugin").predict([image])[0]
    source = Path(sys.modules["example_plugin"].__file__ or "")
    (tmp_path / "code").mkdir()
    for file in source.parent.glob("*.py"):
        (tmp_path / "code" / file.name).write_text(file.read_text())
    refused = predict(bundle.path, image, tmp_path)
    assert (refused.returncode, "--allow-code example_plugin" in refused.stderr) == (2, True), refused.stderr
    absent = predict(bundle.path, image, tmp_path, "--allow-code", "example_plugin")
    assert (absent.returncode, "is not here" in absent.stderr) == (2, True), absent.stderr
    for where, name in ((tmp_path / "code", "example_plugin"), (tmp_path, "code/example_plugin.py")):
        answer = predict(bundle.path, image, where, "--allow-code", name)
        assert (answer.returncode, expected.label in answer.stdout) == (0, True), answer.stderr
    with (tmp_path / "code" / "example_plugin.py").open("a") as file:
        file.write("print('imported')\n")
    edited = predict(bundle.path, image, tmp_path / "code", "--allow-code", "example_plugin")
    assert (edited.returncode, "not the one" in edited.stderr, "imported" in edited.stdout) == (2, True, False)


def test_a_network_of_scikit_learn_is_kept_without_any_code(own_run: Path, smears: Path, tmp_path: Path) -> None:
    pytest.importorskip("sklearn")
    bundle = fit(own_run, (extractor(own_run), OWN[0], MLP), tmp_path / "bundle", workers=1)
    opened = load(bundle.path, allow_code="example_plugin")  # of the selector
    images = list(find_images([smears])[0])[:5]
    rows = opened.predict(images)
    assert np.allclose([sum(row.probabilities.values()) for row in rows], 1)
    assert opened.explain(images[0], method="occlusion") is not None

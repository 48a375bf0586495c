"""Bundles of networks that were trained end to end: the numbers of Keras, without Keras."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from leukobench.bundling.fit import fit
from leukobench.bundling.fit_network import choose_network, fit_network
from leukobench.config.experiment_file import for_folder
from leukobench.errors import BundleError, ImagesChangedError
from leukobench.evaluation.task import Task
from leukobench.runs.folder import RunFolder
from leukobench.runs.workspace import Workspace
from leukobench.serving.bundle import load
from leukobench.serving.estimators import from_bytes
from leukobench.serving.stored_estimators import to_bytes
from leukobench.steps.choose_methods import make_networks
from leukobench.storage import file_digest

from ..conftest import NETWORK as TINY

LABEL = "custom_cnn(size=16, filters=[4, 8], hidden=8, epochs=12, learning_rate=0.01)"

WITHOUT_AND_WITH_KERAS = """
import sys
sys.modules["tensorflow"] = sys.modules["keras"] = None
import numpy as np, pandas as pd
from leukobench.serving.bundle import load
images = pd.read_parquet(sys.argv[1])
rows = load(sys.argv[2], threads=1).predict(images["path"].tolist(), calibrated=False)
own = [list(row.probabilities.values()) for row in rows]
del sys.modules["tensorflow"], sys.modules["keras"]
from leukobench.classifiers.cnns.scratch import CustomCNN
network = CustomCNN(**eval(sys.argv[3]), n_jobs=1, random_state=0)
network.fit(images["path"].tolist(), images["label"], groups=images["group"])
np.savez(sys.argv[4], own=own, keras=network.predict_proba(images["path"].tolist()))
"""


def table(smears: Path, classes: int = 4) -> pd.DataFrame:
    """The smears of the first few classes, with the number of the patient as group."""
    paths = sorted(smears.rglob("*.jpg"))
    rows = [(file_digest(path), path.parent.name, int(path.name[11:13]), str(path)) for path in paths]
    images = pd.DataFrame(rows, columns=["image_id", "label", "group", "path"])
    return images[images["label"].isin(sorted(images["label"].unique())[:classes])].reset_index(drop=True)


def task_of(images: pd.DataFrame) -> Task:
    return Task.of(images["image_id"].tolist(), images["label"].tolist(), images["group"].tolist(), {})


def test_images_that_changed_are_not_trained_on(images: Path, tmp_path: Path) -> None:
    images, experiment = table(images), for_folder(images, cnns=[{"custom_cnn": TINY}])
    with open(images["path"][5], "ab") as stream:
        stream.write(b"\0")
    Path(images["path"][7]).unlink()
    (method,) = make_networks(experiment)
    with pytest.raises(ImagesChangedError, match="2 images changed"):
        fit_network(method, experiment, images, task_of(images), Workspace(RunFolder(tmp_path / "run"), 1))
    assert not (tmp_path / "run").exists()


class RecordedProgress:
    """Progress that remembers titles and words."""

    def __init__(self) -> None:
        self.titles: list[str] = []
        self.words: list[str] = []

    @contextmanager
    def __call__(self, title: str, total: int) -> Iterator[Any]:
        self.titles.append(title)
        yield lambda done, words="": self.words.append(words)

    def epochs(self) -> list[int]:
        return [int(match[1]) for words in self.words if (match := re.search(r"epoch (\d+)/", words))]


def killed_after_a_few_epochs(run_folder: Path) -> int:
    """Kill a fit that trains; epochs that its checkpoint holds."""
    names = ("--combination", "pixels", "none", LABEL)
    command = [sys.executable, "-m", "leukobench", "fit", str(run_folder), *names, "--workers", "1"]
    process = subprocess.Popen(command, start_new_session=True, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 120
    while not (kept := list((run_folder / "records").glob("fit.*.npz"))):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    with np.load(kept[0]) as stored:
        return int(json.loads(bytes(stored["header"]).decode())["state"]["epoch"])


@pytest.mark.thorough
def test_a_fit_that_was_killed_ends_as_the_network_that_keras_trains(network_run: Path, tmp_path: Path) -> None:
    reached, progress = killed_after_a_few_epochs(network_run), RecordedProgress()
    bundle = fit(network_run, ("pixels", "none", LABEL), tmp_path / "model", workers=1, progress=progress)
    assert reached > 0
    assert min(progress.epochs(), default=99) > reached
    assert not list((network_run / "records").glob("fit.*"))
    assert not (network_run / "features").exists()
    arguments = [network_run / "images.parquet", bundle.path, repr(TINY), tmp_path / "numbers.npz"]
    subprocess.run([sys.executable, "-c", WITHOUT_AND_WITH_KERAS, *map(str, arguments)], check=True)
    with np.load(tmp_path / "numbers.npz") as numbers:
        np.testing.assert_allclose(numbers["own"], numbers["keras"], atol=1e-6)
        assert numbers["own"].std(axis=0).max() > 0.05
    card = (bundle.path / "model_card.md").read_text()
    assert f"Network: {LABEL}, trained end to end on pixels, from scratch; weights SHA-256" in card
    assert f"- pixels x {LABEL}: trained from scratch" in card
    assert "from those of Keras by" in card
    opened = load(bundle.path, bundle.digest, threads=1)
    path = pd.read_parquet(network_run / "images.parquet")["path"][0]
    (answer,) = opened.predict([path])
    assert answer.trained_on
    assert 0 < answer.ood_p <= 1
    assert opened.explain(path).method == "occlusion"


@pytest.mark.slow
def test_a_network_of_ones_own_is_refused_before_any_work(network_run: Path) -> None:
    progress = RecordedProgress()
    with pytest.raises(BundleError, match="your own code"):
        fit(network_run, ("pixels", "none", "example_plugin:PixelMeans"), workers=1, progress=progress)
    assert not progress.titles
    assert not (network_run / "model").exists()


CASES = {
    "a head on a frozen network, calibrated": (4, {"transfer": {"network": "tiny_network:SPEC", "epochs": 2}}),
    "one output": (2, {"binary_cnn": TINY | {"epochs": 2}}),
}


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_other_networks_give_the_numbers_of_keras(case: str, smears: Path, tmp_path: Path) -> None:
    classes, choice = CASES[case]
    calibration = "temperature" if "calibrated" in case else "as_needed"
    experiment = for_folder(smears, cnns=[choice], evaluation={"calibration": calibration})
    images = table(smears, classes)
    method = choose_network(experiment, experiment.cnns[0].label)
    fitted = fit_network(method, experiment, images, task_of(images), Workspace(RunFolder(tmp_path), 1))
    assert fitted.agreement.probabilities < 1e-6
    assert fitted.features.shape == (24 * classes, 128 + 4 if classes == 4 else 8 + 1)
    stored = from_bytes(to_bytes(fitted.fitted.classifier, "classifier"), "classifier")
    probabilities = stored.predict_proba(fitted.fitted.selector.transform(fitted.features.astype(np.float64)))
    assert probabilities.shape == (24 * classes, classes)
    assert probabilities.sum(axis=1) == pytest.approx(1, abs=1e-6)
    start = "RANDOM (seed 0) weights" if classes == 4 else "scratch"
    assert fitted.origin.description.endswith(f"from {start}")

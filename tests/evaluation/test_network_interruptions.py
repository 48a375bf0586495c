"""A training that is killed or interrupted: nothing goes on by itself, and the same command goes on to the same end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import psutil
import pytest
import yaml

from leukobench.pipeline import run

from .small_networks import TINY, of_networks, only


def start(said: Any, folder: Path) -> subprocess.Popen[str]:
    file = folder / "experiment.yaml"
    file.write_text(yaml.safe_dump(said.to_mapping()))
    command = [sys.executable, "-m", "leukobench", "run", str(file), "--workers", "1"]
    return subprocess.Popen(command, start_new_session=True, stderr=subprocess.PIPE, text=True)


def wait_for(found: Any, process: subprocess.Popen[str], seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not found():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.slow
def test_where_the_run_is_killed_its_training_process_ends_too(experiment: Any, plugin: str, tmp_path: Path) -> None:
    """At once, not at its next report."""
    process = start(experiment(**only(plugin, end="never")), tmp_path)
    records = tmp_path / "results" / "trial" / "records"
    wait_for(lambda: any("waiting" in path.read_text() for path in records.glob("[!.]*.json")), process)
    children = psutil.Process(process.pid).children(recursive=True)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    _, left = psutil.wait_procs(children, timeout=10)
    assert not [one for one in left if "resource_tracker" not in " ".join(one.cmdline())]


@pytest.mark.slow
def test_interrupting_says_that_the_same_command_goes_on(experiment: Any, plugin: str, tmp_path: Path) -> None:
    process = start(experiment(**only(plugin, end="wait")), tmp_path)
    records = tmp_path / "results" / "trial" / "records"
    wait_for(lambda: any("waiting" in path.read_text() for path in records.glob("[!.]*.json")), process)
    os.killpg(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=120)
    assert process.returncode == 130
    assert "run the same command again" in said
    assert "Traceback" not in said


def newer(records: Path, begun: float) -> bool:
    """Whether a checkpoint was written since."""
    return any(path.stat().st_mtime > begun for path in records.glob("*.npz"))


@pytest.mark.thorough
def test_a_training_that_was_killed_goes_on_to_the_same_end(experiment: Any, tmp_path: Path) -> None:
    long = {"selectors": ["none"], "classifiers": ["naive_bayes"], "cnns": [{"custom_cnn": TINY | {"epochs": 60}}]}
    whole = run(experiment(**long, name="whole"), workers=1)
    records = tmp_path / "results" / "trial" / "records"
    for _ in range(2):
        process = start(experiment(**long), tmp_path)
        begun = time.time()
        wait_for(partial(newer, records, begun), process)
        time.sleep(0.3)
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
    resumed = run(experiment(**long), workers=1)
    columns = ["extractor", "classifier", "repeat", "fold", "phase", "epoch", "loss", "validation_loss"]
    curves = [pd.read_csv(one.folder / "learning_curves.csv")[columns] for one in (whole, resumed)]
    pd.testing.assert_frame_equal(curves[0], curves[1])
    pd.testing.assert_frame_equal(of_networks(whole), of_networks(resumed))

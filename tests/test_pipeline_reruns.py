"""Runs again: after a kill, an interruption, damage or a change, only what is missing is computed."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pandas as pd
import psutil
import pytest
import yaml

from leukobench.config.experiment import Experiment
from leukobench.errors import BusyError
from leukobench.pipeline import Outcome, run
from leukobench.storage import process_table

from .conftest import PLUGIN

CLASSIFIERS = ["naive_bayes", "lda"]
SHORTCUTS = 7


def predictions(outcome: Outcome) -> pd.DataFrame:
    return pd.read_parquet(outcome.folder / "predictions.parquet")


def same(first: Outcome, second: Outcome) -> None:
    """Equal in everything but the time that it took."""
    timed = ["selector_s", "fit_s", "predict_s"]
    pd.testing.assert_frame_equal(first.leaderboard.drop(columns=timed), second.leaderboard.drop(columns=timed))


def test_a_finished_run_computes_nothing(experiment: Any, tmp_path: Path) -> None:
    first = run(experiment(), workers=1)
    records = {path: path.stat().st_mtime_ns for path in (first.folder / "records").iterdir()}
    again = run(experiment(), workers=1)
    assert again.reused
    same(first, again)
    assert {path: path.stat().st_mtime_ns for path in (first.folder / "records").iterdir()} == records
    assert len((tmp_path / "seen").read_text()) == 96


@pytest.mark.slow
def test_adding_a_classifier_and_images_computes_only_theirs(experiment: Any, images: Path, tmp_path: Path) -> None:
    first = run(experiment(classifiers=CLASSIFIERS[:1]), workers=1)
    before = {path.name: path.stat().st_mtime_ns for path in (first.folder / "records").iterdir()}
    second = run(experiment(), workers=1)
    after = {path.name: path.stat().st_mtime_ns for path in (second.folder / "records").iterdir()}
    assert len(after) - len(before) == 2 * 3
    assert before.items() <= after.items()
    from leukobench.images.synthetic import draw_smears

    more = draw_smears(tmp_path / "more", images=110, patients=24, seed=1, size=96)
    new = [path for path in more.rglob("*.jpg") if not (images / path.relative_to(more)).exists()]
    for path in new:
        shutil.copy(path, images / path.relative_to(more))
    third = run(experiment(), workers=1)
    assert len(new) == 14
    assert len((tmp_path / "seen").read_text()) == 96 + 14
    assert len(predictions(third)) == 110 * (4 + SHORTCUTS)


@pytest.mark.slow
def test_renaming_and_moving_files_changes_no_result(experiment: Any, images: Path, tmp_path: Path) -> None:
    first = run(experiment(), workers=1)
    for number, path in enumerate(sorted(images.rglob("*.jpg"), reverse=True)):
        path.rename(path.with_name(path.name.replace("_", f"_9{number:03d}")))
    again = run(experiment(name="renamed"), workers=1)
    assert not again.reused
    same(first, again)
    assert len((tmp_path / "seen").read_text()) == 96


def start(experiment: Experiment, tmp_path: Path) -> subprocess.Popen[str]:
    path = tmp_path / "trial.yaml"
    path.write_text(yaml.safe_dump(experiment.to_mapping()))
    command = [sys.executable, "-m", "leukobench", "run", str(path), "--workers", "2"]
    pipes: dict[str, Any] = {"stderr": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    return subprocess.Popen(command, start_new_session=True, **pipes)


def wait_for_records(folder: Path, process: subprocess.Popen[str], count: int) -> None:
    deadline = time.monotonic() + 180
    while len(list(folder.glob("[!.]*.parquet"))) < count:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.slow
def test_a_killed_run_goes_on_and_ends_with_the_same_results(experiment: Any, plugin: str, tmp_path: Path) -> None:
    slow = [f"{plugin}:Slow", "naive_bayes"]
    whole = run(experiment(classifiers=slow, name="whole"), workers=1)
    records = tmp_path / "results" / "trial" / "records"
    process = start(experiment(classifiers=slow), tmp_path)
    wait_for_records(records, process, 5)
    os.killpg(process.pid, signal.SIGKILL)  # of all, so that nothing is left to clear up behind them
    process.communicate()
    unfinished = records / f".part-{process_table()}.{process.pid}-x"
    unfinished.touch()
    survived = {path.name: path.stat().st_mtime_ns for path in records.glob("[!.]*.parquet")}
    assert 5 <= len(survived) < 3 * (4 + SHORTCUTS)
    resumed = run(experiment(classifiers=slow), workers=1)
    same(whole, resumed)
    now = {path.name: path.stat().st_mtime_ns for path in records.glob("*.parquet")}
    assert survived.items() <= now.items()
    assert not unfinished.exists()
    assert not list(Path("/dev/shm").glob(f"*[-_]{process.pid}[-_]*"))


@pytest.mark.slow
@pytest.mark.parametrize(("number", "end"), [(signal.SIGINT, os.killpg), (signal.SIGTERM, os.kill)])
def test_interrupting_keeps_what_was_finished(
    number: signal.Signals, end: Any, experiment: Any, plugin: str, tmp_path: Path
) -> None:
    slow = [f"{plugin}:Slow"]
    process = start(experiment(classifiers=slow), tmp_path)
    wait_for_records(tmp_path / "results" / "trial" / "records", process, 1)
    workers = psutil.Process(process.pid).children(recursive=True)
    end(process.pid, number)
    _, said = process.communicate(timeout=20)
    assert process.returncode == 128 + number
    assert "run the same command again" in said
    assert "Traceback" not in said
    assert not psutil.wait_procs(workers, timeout=3)[1]


@pytest.mark.slow
def test_two_runs_of_one_name_do_not_mix(experiment: Any, plugin: str, tmp_path: Path) -> None:
    slow = [f"{plugin}:Slow"]
    process = start(experiment(classifiers=slow), tmp_path)
    wait_for_records(tmp_path / "results" / "trial" / "records", process, 1)
    with pytest.raises(BusyError, match="Another process is running 'trial'"):
        run(experiment(classifiers=slow))
    process.communicate(timeout=180)
    assert process.returncode == 0


@pytest.mark.slow
def test_a_damaged_table_of_a_finished_run_is_made_again(experiment: Any) -> None:
    first = run(experiment(), workers=1)
    board = first.folder / "leaderboard.csv"
    for damage in ("\n".join(board.read_text().splitlines()[:3]), ""):
        board.write_text(damage)
        again = run(experiment(), workers=1)
        assert not again.reused
        same(first, again)
    for text in ("[]", "not json"):
        (first.folder / "predictions.parquet").unlink()
        (first.folder / "state.json").write_text(text)
        same(first, run(experiment(), workers=1))


@pytest.mark.slow
def test_a_plug_in_that_was_edited_is_not_taken_for_the_old_one(experiment: Any, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "edited_constants.py").write_text("SMOOTHING = 1e-9\n")
    (folder / "edited_plugin.py").write_text(
        "from sklearn.naive_bayes import GaussianNB\nfrom leukobench.registry import declares\n"
        "import edited_constants\n\n\n@declares(search_space={})\n"
        "def bayes():\n    return GaussianNB(var_smoothing=edited_constants.SMOOTHING)\n"
    )
    said = experiment(classifiers=["edited_plugin:bayes"], plugins=[PLUGIN, folder])
    run(said, workers=1)
    assert run(said, workers=1).reused
    (folder / "edited_constants.py").write_text("SMOOTHING = 1e-1\n")
    assert not run(said, workers=1).reused

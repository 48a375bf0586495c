"""Benchmarks as processes of their own: started, found again, stopped, killed, resumed."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import filelock
import psutil
import pytest

from leukobench.app import processes as benchmarks
from leukobench.app.processes import Benchmark
from leukobench.config.experiment import Experiment
from leukobench.config.experiment_file import for_folder
from leukobench.errors import BusyError, ConfigurationError

from ..conftest import PLUGIN


def started(results: Path, name: str, pid: int, console: str) -> None:
    """Leave what a benchmark leaves beside the runs."""
    folder = results / ".started"
    folder.mkdir(parents=True, exist_ok=True)
    created = psutil.Process(pid).create_time() if psutil.pid_exists(pid) else 0.0
    (folder / f"{name}.yaml").write_text("images: somewhere")
    (folder / f"{name}.json").write_text(json.dumps({"pid": pid, "created": created}))
    (folder / f"{name}.log").write_text(console)


def until(results: Path, reached: Callable[[Benchmark], bool], seconds: float = 60.0) -> Benchmark:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = benchmarks.find(results)[0]
        if reached(found):
            return found
        time.sleep(0.1)
    raise AssertionError(benchmarks.find(results))


def test_progress_is_the_last_line_that_counts(tmp_path: Path) -> None:
    lines = "Found 96 images.\nfitting combinations: 1,203/4,812, about 2 min 5 s left\nsome warning\n"
    started(tmp_path, "grid", os.getpid(), lines)
    words = "Fitting combinations: 1,203 of 4,812, about 2 min 5 s left"
    assert benchmarks.find(tmp_path) == [Benchmark("grid", tmp_path / "grid", "running", words, 0.25, True, True)]
    started(tmp_path, "grid", os.getpid(), "Found 96 images.\n")
    assert benchmarks.find(tmp_path)[0].words == "Found 96 images."
    log = tmp_path / ".started" / "grid.log"
    log.write_text(lines)
    os.utime(log, (time.time() - 30, time.time() - 30))
    stale = benchmarks.find(tmp_path)[0]
    assert re.fullmatch("Fitting combinations: 1,203 of 4,812 3[0-9] s ago", stale.words)  # and no time left
    started(tmp_path, "grid", os.getpid(), "fitting: 1/4; fold 3\n")
    assert benchmarks.find(tmp_path)[0].words == "Fitting: 1 of 4"


def test_a_process_that_took_over_the_number_is_not_it(tmp_path: Path) -> None:
    started(tmp_path, "grid", os.getpid(), "")
    file = tmp_path / ".started" / "grid.json"
    file.write_text(json.dumps({"pid": os.getpid(), "created": 1.0}))
    assert benchmarks.find(tmp_path)[0].state == "ended"
    file.write_text(json.dumps({"pid": os.getpid(), "created": psutil.Process().create_time() + 1.0}))
    assert benchmarks.find(tmp_path)[0].state == "running"  # the clock was set


@pytest.fixture(scope="module")
def gone() -> int:
    """The number of a process that has ended."""
    done = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True)
    return int(done.stdout)


def test_a_crash_is_told_from_a_stop_by_hand(tmp_path: Path, gone: int) -> None:
    started(tmp_path, "grid", gone, "Reading.\nMemoryError: no room\n\n")
    found = benchmarks.find(tmp_path)[0]
    assert (found.state, found.words) == ("ended", "MemoryError: no room\nFinished work is kept.")
    heard = {"preexec_fn": lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)}  # even where these tests ignore it
    with subprocess.Popen(["sleep", "60"], start_new_session=True, **heard) as process:
        started(tmp_path, "grid", process.pid, "Reading.\n")
        benchmarks.stop(tmp_path, "grid")
        assert process.wait(10) == -signal.SIGINT
    found = benchmarks.find(tmp_path)[0]
    assert (found.state, found.words) == ("stopped", "Finished work is kept.")


def test_no_module_of_the_current_folder_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started(tmp_path, "grid", os.getpid(), "")
    (tmp_path / "yaml.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PYTHONSAFEPATH", raising=False)
    benchmarks._launch(tmp_path, "grid", tmp_path / "none.yaml")
    assert until(tmp_path, lambda found: found.state != "running").state == "failed"  # there is no such file
    assert not (tmp_path / "ran").exists()


def test_what_leukobench_refused_is_said(tmp_path: Path, gone: int) -> None:
    refusal = "leukobench: There are no images.\n  expected: a folder a class\n"
    started(tmp_path, "grid", gone, "Reading.\n" + refusal)
    found = benchmarks.find(tmp_path)[0]
    assert (found.state, found.resumable) == ("failed", True)
    assert found.words == "There are no images.\n  expected: a folder a class"


def test_a_run_of_the_command_line_is_known_by_its_lock(
    results: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(benchmarks, "_LOOK_S", 60.0)
    run = tmp_path / "mine"
    run.mkdir()
    (run / "experiment.yaml").write_text("name: mine")
    (run / "run.log").write_text('cut off", "message": "a"}\n{"message": "Found 96 images."}\n')
    with filelock.FileLock(run / ".lock"):
        (found,) = benchmarks.find(tmp_path)
        assert (found.state, found.stoppable, found.words) == ("running", False, "Found 96 images.")
        with pytest.raises(BusyError):
            benchmarks.resume(tmp_path, "mine")
    assert benchmarks.find(tmp_path)[0].state == "running"  # nobody looks twice within a second: a run could need it
    monkeypatch.setattr(benchmarks, "_LOOK_S", 0.0)
    assert benchmarks.find(tmp_path) == [Benchmark("mine", run, "stopped", "Finished work is kept.", None, True)]
    assert [(found.name, found.state) for found in benchmarks.find(results)] == [("small", "finished")]


@pytest.mark.parametrize("name", ["../../etc/passwd", "nobody", "", ".", "a\0b"])
def test_only_names_that_are_there_can_be_resumed(name: str, tmp_path: Path) -> None:
    with pytest.raises((ConfigurationError, ValueError)):
        benchmarks.resume(tmp_path, name)
    assert not (tmp_path / ".started").exists()


def test_a_benchmark_may_be_called_experiment(tmp_path: Path, gone: int) -> None:
    started(tmp_path, "experiment", gone, "")
    assert [found.name for found in benchmarks.find(tmp_path)] == ["experiment"]


def test_a_name_that_is_taken_starts_nothing(smears: Path, tmp_path: Path, gone: int) -> None:
    started(tmp_path, "Grid", gone, "")
    (tmp_path / "folder").mkdir()
    before = sorted(tmp_path.rglob("*"))
    for name in ("Grid", "gRID", "folder"):
        with pytest.raises(ConfigurationError, match="is taken"):
            benchmarks.start(for_folder(smears, name=name, results=tmp_path))
    assert set(tmp_path.rglob("*")) - set(before) <= {tmp_path / ".started" / ".lock"}


def test_a_second_one_waits_for_the_first(smears: Path, tmp_path: Path, gone: int) -> None:
    started(tmp_path, "first", os.getpid(), "")
    started(tmp_path, "old", gone, "")
    with pytest.raises(BusyError, match="'first' is running"):
        benchmarks.start(for_folder(smears, name="second", results=tmp_path))
    with pytest.raises(BusyError, match="'first' is running"):
        benchmarks.resume(tmp_path, "old")


def test_two_servers_start_one_at_a_time(tmp_path: Path, gone: int, monkeypatch: pytest.MonkeyPatch) -> None:
    started(tmp_path, "old", gone, "")
    monkeypatch.setattr(benchmarks, "_PATIENCE_S", 0.1)
    with filelock.FileLock(tmp_path / ".started" / ".lock"), pytest.raises(BusyError, match="starting a benchmark"):
        benchmarks.resume(tmp_path, "old")


@pytest.fixture
def asked(smears: Path, tmp_path: Path, install: Any) -> Iterator[Experiment]:
    """A benchmark of a few seconds, on an installed plug-in; whatever still works at the end is killed."""
    source = (PLUGIN / "example_plugin.py").read_text(encoding="utf-8")
    install("installed_plugin", source, {"leukobench.extractors": {"colours": "installed_plugin:Colours"}})
    yield for_folder(
        smears,
        name="grid one",
        results=tmp_path / "results",
        extractors=["colours"],
        selectors=["none"],
        classifiers=["naive_bayes", "lda"],
        evaluation={"folds": 3, "resamples": 100, "controls": "off"},
    )
    for child in psutil.Process().children():
        with contextlib.suppress(psutil.ZombieProcess):
            if any("leukobench" in part for part in child.cmdline()):
                os.killpg(child.pid, signal.SIGKILL)
                child.wait(10)


@pytest.mark.slow
def test_a_benchmark_is_started_killed_resumed_and_stopped(asked: Experiment) -> None:
    results, name = asked.results, asked.name
    benchmarks.start(asked)
    with pytest.raises(BusyError, match="is running"):
        benchmarks.start(asked)
    with pytest.raises(BusyError, match="is running"):
        benchmarks.resume(results, name)
    until(results, lambda found: found.words.startswith("Found"))
    seen = "import sys; from pathlib import Path; from leukobench.app import processes as b; "
    other = [sys.executable, "-c", seen + "print(b.find(Path(sys.argv[1]))[0].state)", str(results)]
    assert subprocess.run(other, capture_output=True, text=True, check=True).stdout == "running\n"
    pid = json.loads((results / ".started" / f"{name}.json").read_text())["pid"]
    os.killpg(pid, signal.SIGKILL)
    assert until(results, lambda found: found.state != "running").state == "ended"
    benchmarks.resume(results, name)
    until(results, lambda found: found.words.startswith("Found"))
    benchmarks.stop(results, name)
    assert until(results, lambda found: found.state != "running").state == "stopped"
    benchmarks.stop(results, name)  # of what has ended, nothing happens
    assert benchmarks.find(results)[0].state == "stopped"  # a test in the browser sees one finish


def test_a_leakage_study_is_not_resumed_as_a_benchmark(tmp_path: Path) -> None:
    study = tmp_path / "mine-leakage"
    study.mkdir()
    (study / "experiment.yaml").write_text("name: mine")
    (study / ".lock").touch()
    benchmark = benchmarks.find(tmp_path)[0]
    assert (benchmark.kind, benchmark.state, benchmark.resumable) == ("Leakage study", "stopped", False)
    with pytest.raises(ConfigurationError, match="no benchmark called 'mine-leakage'"):
        benchmarks.resume(tmp_path, "mine-leakage")
    (study / "summary.csv").touch()
    assert benchmarks.find(tmp_path)[0].state == "finished"

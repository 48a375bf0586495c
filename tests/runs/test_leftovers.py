"""Leftovers in shared memory: those of killed runs go, those of anything else stay."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from leukobench.runs import leftovers
from leukobench.storage import process_table


def test_only_what_noted_runs_left_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEUKOBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(leftovers, "_SHARED_MEMORY", tmp_path)
    ended = [subprocess.Popen([sys.executable, "-c", ""]) for _ in range(2)]
    for process in ended:
        process.wait()
    noted, foreign = (process.pid for process in ended)
    (tmp_path / "cache" / "started").mkdir(parents=True)
    (tmp_path / "cache" / "started" / f"{process_table()}.{noted}").touch()
    for number in (noted, foreign, os.getpid()):
        (tmp_path / f"sem.loky-{number}-abc").touch()
        (tmp_path / f"joblib_memmapping_folder_{number}_a_b").mkdir()
    started = tmp_path / "cache" / "started"
    with leftovers.cleared_leftovers():
        left = [path.name for path in tmp_path.iterdir() if path.name != "cache"]
        assert [path.name for path in started.iterdir()] == [f"{process_table()}.{os.getpid()}"]
    expected = [f"sem.loky-{number}-abc" for number in (foreign, os.getpid())]
    expected += [f"joblib_memmapping_folder_{number}_a_b" for number in (foreign, os.getpid())]
    assert sorted(left) == sorted(expected)
    assert not list(started.iterdir())

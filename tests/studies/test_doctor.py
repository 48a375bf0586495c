"""The doctor: what it finds has a remedy, what it deletes nobody reads."""

from __future__ import annotations

import importlib.metadata
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import filelock
import numpy as np
import pytest

from leukobench.errors import WeightsError
from leukobench.features.cache import FeatureCache
from leukobench.storage import cache_folder, process_table
from leukobench.studies import cache_check, doctor

from ..cli.calls import call


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LEUKOBENCH_CACHE", str(tmp_path / "cache"))
    for name in doctor._THREADS:
        monkeypatch.delenv(name, raising=False)
    return cache_folder()


def found(results: Path, subject: str) -> list[doctor.Finding]:
    return [one for one in doctor.examine(results)[0] if one.subject == subject]


def test_whatever_is_not_well_has_a_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "many")
    findings, state = doctor.examine(tmp_path / "results")
    assert {one.subject for one in findings} >= {"versions", "engines", "processor", "bfloat16", "GPU", "memory"}
    assert {one.subject for one in findings} >= {"disk", "permissions", "threads", "locks", "weights", "cache"}
    assert all(one.fix for one in findings if one.level != "ok")
    assert [one.level for one in findings if one.subject == "threads"] == ["note"]
    assert state.unused == []


def test_requirements_that_are_not_met_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = ["numpy>=99", "no-such-package>=1", "pillow>=1", 'nobody; extra == "cpu"', 'xgboost<0; extra == "none"']
    monkeypatch.setattr(doctor, "requires", lambda name: wanted)
    (one,) = found(tmp_path, "versions")
    assert one.level == "problem"
    assert one.fix == "pip install 'numpy>=99' 'no-such-package>=1'"
    assert f"numpy>=99 is required, found: {importlib.metadata.version('numpy')}" in one.words


def test_little_room_and_missing_weights_are_problems(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = doctor.shutil.disk_usage(tmp_path)
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda path: usage._replace(free=10**8))

    def absent(network: Any) -> None:
        raise WeightsError("They are not installed.", fix="install them.")

    monkeypatch.setattr(doctor, "locate", absent)
    assert [one.level for one in found(tmp_path, "disk")] == ["problem"] * 3
    assert next((one.level, one.fix) for one in found(tmp_path, "weights")) == ("problem", "install them.")


@pytest.mark.parametrize(("package", "level"), [("2.20", "note"), ("", "ok")])
def test_a_gpu_that_the_installed_keras_cannot_use_is_told(
    package: str, level: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "has_gpu", lambda: True)
    monkeypatch.setattr(doctor.frameworks, "configured_backend", lambda: "tensorflow")
    monkeypatch.setattr(doctor.frameworks, "package_version", lambda name: package)
    assert [one.level for one in found(tmp_path, "GPU")] == [level]


def test_a_folder_that_cannot_be_written_is_a_problem(tmp_path: Path, cache: Path) -> None:
    cache.write_text("a file")
    (one,) = found(tmp_path, "permissions")
    assert (one.level, one.fix) == ("problem", "set LEUKOBENCH_CACHE to a folder that you may write to")


def test_locks_say_who_works(tmp_path: Path) -> None:
    for name in ("mine", "idle"):
        (tmp_path / name).mkdir()
        (tmp_path / name / ".lock").touch()
    (tmp_path / "idle" / ".lock.held").touch()
    with filelock.FileLock(tmp_path / "mine" / ".lock"):
        held, last = found(tmp_path, "locks")
    assert last.words == "at work: mine"
    assert (held.level, str(tmp_path / "idle" / ".lock.held") in held.fix) == ("note", True)


def test_cleaning_leaves_what_runs_read(tmp_path: Path, cache: Path) -> None:
    features = FeatureCache.shared({"name": "net"})
    features.append(["a", "b"], np.ones((2, 2), np.float32), ["x", "y"])
    (good,) = features.folder.glob("part-*")
    (damaged := features.folder / "part-0.parquet").write_bytes(b"PAR1" + bytes(90))
    kept, old = cache_check.kept_folder(), cache / "comparisons" / "0123"
    network = cache / "networks" / "abc"
    gone = int(subprocess.check_output([sys.executable, "-c", "import os; print(os.getpid())"]))
    leftover, own = (cache / f".part-{process_table()}.{number}-x" for number in (gone, os.getpid()))
    for folder in (kept, old, network):
        folder.mkdir(parents=True)
    for path in (leftover, own):
        path.touch()
    assert {one.path for one in cache_check.look_into_cache().unused} == {damaged, old, network, leftover}
    code, text = call("doctor", str(tmp_path), "--clean")
    assert "Deleted from the cache" in text
    assert "unused" not in text
    assert (code == 1) == ("problem " in text.replace("0 problems", ""))
    assert [path.exists() for path in (good, kept, own)] == [True] * 3
    assert not any(path.exists() for path in (damaged, old, network, leftover))

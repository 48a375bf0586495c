"""A run's folder is copied while it works, and another machine goes on from the copy."""

from __future__ import annotations

import json
import os
import shutil
import time
from pathlib import Path
from typing import Any

import pytest

from leukobench.errors import StorageError
from leukobench.pipeline import run
from leukobench.remote.path import any_path
from leukobench.runs import checkpoint as module
from leukobench.runs.checkpoint import MANIFEST, Checkpoint

from ..conftest import small_experiment


@pytest.fixture(params=["folder", pytest.param("store", marks=pytest.mark.s3)])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Where copies go: a folder that other machines see, or an object store."""
    if request.param == "folder":
        return tmp_path / "shared"
    return any_path(f"s3://{request.getfixturevalue('bucket')}/runs")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Of a run that works."""
    folder = tmp_path / "here" / "trial"
    for name in ("records/a.parquet", "records/b.parquet", "experiment.yaml", ".lock", "features/x.npy", ".part-1-x"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    return folder


def finish(folder: Path, text: str = "done") -> None:
    (folder / "state.json").write_text(text)


def contents(folder: Path) -> dict[str, str]:
    return {path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*") if path.is_file()}


def elsewhere(tmp_path: Path, place: Path) -> tuple[Path, str]:
    """A folder of another machine after it fetched, and what was said."""
    other = tmp_path / "there" / "trial"
    return other, Checkpoint(other, place / "trial").fetch()


def test_only_what_changed_is_copied(folder: Path, place: Path) -> None:
    checkpoint = Checkpoint(folder, place / "trial")
    assert checkpoint.fetch() == ""
    assert (checkpoint.copy(), checkpoint.copy()) == (3, 0)
    (folder / "records/c.parquet").write_text("c")
    (folder / "experiment.yaml").write_text("other")
    (folder / "records/a.parquet").unlink()
    assert checkpoint.copy() == 2
    listed = json.loads((place / "trial" / MANIFEST).read_bytes())["files"]
    assert sorted(listed) == ["experiment.yaml", "records/b.parquet", "records/c.parquet"]
    assert not (place / "trial" / "records" / "a.parquet").exists()
    os.utime(folder / "experiment.yaml")  # written again, with the same content
    assert checkpoint.copy() == 0


def test_an_absent_run_is_taken_whole(folder: Path, place: Path, tmp_path: Path) -> None:
    Checkpoint(folder, place / "trial").copy()
    other, words = elsewhere(tmp_path, place)
    assert sorted(contents(other)) == ["experiment.yaml", "records/a.parquet", "records/b.parquet"]
    assert "3 files of the unfinished run of" in words


def test_records_that_are_missing_are_added_to_an_unfinished_run(folder: Path, place: Path, tmp_path: Path) -> None:
    Checkpoint(folder, place / "trial").copy()
    other = tmp_path / "there" / "trial"
    other.mkdir(parents=True)
    (other / "experiment.yaml").write_text("of this machine")
    elsewhere(tmp_path, place)
    assert contents(other)["experiment.yaml"] == "of this machine"
    assert len(contents(other)) == 3
    assert "it is kept" in Checkpoint(other, place / "trial").fetch()


def test_the_newer_finished_run_wins(folder: Path, place: Path, tmp_path: Path) -> None:
    other, _ = elsewhere(tmp_path, place)
    other.mkdir(parents=True)
    (other / "experiment.yaml").write_text("older")
    finish(other, "older")
    os.utime(other / "state.json", (time.time() - 100,) * 2)
    finish(folder)
    Checkpoint(folder, place / "trial").copy()
    _, words = elsewhere(tmp_path, place)
    assert "of the finished run" in words
    assert (contents(other)["state.json"], contents(other)["experiment.yaml"]) == ("done", "experiment.yaml")
    assert "it is kept" in elsewhere(tmp_path, place)[1]  # now it is no older
    os.utime(other / "state.json")
    (other / "experiment.yaml").write_text("newer")
    assert "it is kept" in elsewhere(tmp_path, place)[1]
    assert contents(other)["experiment.yaml"] == "newer"


def test_what_is_damaged_is_not_taken_and_nothing_is_finished_then(folder: Path, place: Path, tmp_path: Path) -> None:
    finish(folder)
    Checkpoint(folder, place / "trial").copy()
    module._write(place / "trial" / "records" / "b.parquet", b"torn")
    other, words = elsewhere(tmp_path, place)
    assert sorted(contents(other)) == ["experiment.yaml", "records/a.parquet"]
    assert "1 others are not as they were written" in words


@pytest.mark.parametrize("text", ["no json", "{}", '{"format": 1, "files": {"../x": "0"}, "finished": 0}'])
def test_a_manifest_that_is_none_stops(folder: Path, tmp_path: Path, text: str) -> None:
    (tmp_path / "shared" / "trial").mkdir(parents=True)
    (tmp_path / "shared" / "trial" / MANIFEST).write_text(text)
    with pytest.raises(StorageError, match="cannot be read"):
        Checkpoint(folder, tmp_path / "shared" / "trial").fetch()


def test_a_failure_on_the_way_is_tried_again_and_one_at_the_end_is_said(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setattr(module, "_EVERY_S", 0.01)
    checkpoint = Checkpoint(folder, tmp_path / "file" / "trial")
    with pytest.raises(StorageError), checkpoint.kept_up():
        while "tried again" not in caplog.text:
            time.sleep(0.01)
    with pytest.raises(KeyError), checkpoint.kept_up():  # what stopped the run is not hidden
        raise KeyError


@pytest.mark.slow
@pytest.mark.s3
@pytest.mark.parametrize("place", ["store"], indirect=True)
def test_a_lost_machine_is_replaced(smears: Path, place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEUKOBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("FIT_FILE", str(tmp_path / "fits"))
    settings: dict[str, Any] = {"selectors": ["example_plugin:best_two"], "checkpoint": place}
    first = run(small_experiment(smears, tmp_path / "first", **settings), workers=1)
    fits = (tmp_path / "fits").stat().st_size
    leaderboard = (first.folder / "leaderboard.csv").read_bytes()
    second = run(small_experiment(smears, tmp_path / "second", **settings), workers=1)
    assert second.reused
    assert (second.folder / "leaderboard.csv").read_bytes() == leaderboard
    assert "files of the finished run of" in (second.folder / "run.log").read_text()
    shutil.rmtree(tmp_path / "second")
    for name in ("state.json", "leaderboard.csv"):  # as of a machine that was lost before it had finished
        (first.folder / name).unlink()
    Checkpoint(first.folder, place / "trial").copy()
    third = run(small_experiment(smears, tmp_path / "third", **settings), workers=1)
    assert not third.reused
    assert (tmp_path / "fits").stat().st_size == fits
    assert (third.folder / "predictions.parquet").read_bytes() == (first.folder / "predictions.parquet").read_bytes()

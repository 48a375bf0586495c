"""``leukobench audit``."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from leukobench import pipeline
from leukobench.reporting.run_view import load_results

from .calls import call


def test_audit_names_what_it_found_and_where(smears: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEUKOBENCH_CACHE", str(tmp_path / "cache"))
    images = Path(shutil.copytree(smears, tmp_path / "images"))
    first, second, *_ = sorted(images.rglob("*.jpg"))
    shutil.copy(first, first.with_name("synthetic-P01_9998.jpg"))
    shutil.copy(second, images / "Pro" / "synthetic-P99_9999.jpg")
    code, said = call("audit", str(images), "--results", str(tmp_path / "out"), "--workers", "1")
    assert code == 0, said
    assert "2 identical" in said
    assert "more than one label" in said
    folder = tmp_path / "out" / "images-audit"
    assert len(pd.read_parquet(folder / "audit" / "copies.parquet")) == 2
    assert (folder / "audit" / "sheets" / "copies-1.png").exists()
    assert len(pd.read_parquet(folder / "images.parquet")) == 96
    reasons = pd.read_parquet(folder / "ledger.parquet")["reason"]
    assert reasons.str.startswith("copies of one image under several labels").sum() == 2
    assert "The 2 files of images under more than one label are left out" in said
    code, said = call("audit", str(tmp_path / "absent"), "--results", str(tmp_path / "out"))
    assert code == 2
    assert "absent" in said


@pytest.mark.slow
@pytest.mark.parametrize("first", ["audit", "run"])
def test_an_audit_and_a_run_of_one_name_leave_each_other_alone(first: str, experiment: Any, images: Path) -> None:
    named = ["audit", str(images), "--name", "trial", "--results", str(experiment().results), "--workers", "1"]
    if first == "run":
        pipeline.run(experiment(), 1)
    assert call(*named)[0] == 0
    outcome = pipeline.run(experiment(), 1)
    assert outcome.reused == (first == "run")
    assert call(*named)[0] == 0
    load_results(outcome.folder)
    assert pipeline.run(experiment(), 1).reused
    assert (experiment().results / "trial-audit" / "audit" / "differences.csv").exists()


@pytest.mark.parametrize("command", ["audit", "leakage"])
def test_only_a_run_writes_into_the_folder_of_a_run(
    command: str, finished_run: Any, images: Path, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(finished_run.folder, tmp_path / f"trial-{command}"))
    code, words = call(command, str(images), "--name", "trial", "--results", str(tmp_path))
    assert code == 2
    assert "holds a run" in words
    load_results(folder)


def test_copies_are_followed_from_the_command_line(images: Path, tmp_path: Path) -> None:
    first = min(images.rglob("*.jpg"))
    shutil.copy(first, first.with_name("synthetic-P01_9998.jpg"))
    command = ["audit", str(images), "--results", str(tmp_path), "--workers", "1", "--copies"]
    code, words = call(*command, "off")
    assert (code, "others not looked for" in words) == (0, True)
    table = tmp_path / "images-audit" / "audit" / "copies.csv"
    assert f"--copies {table}" in words
    assert call(*command, str(table))[0] == 0
    for wrong in ("none", "absent.csv"):
        code, words = call(*command, wrong)
        assert code == 2
        assert wrong in words
        assert "Traceback" not in words
    for arguments in (["run", "x.yaml"], ["leakage", "x.yaml"]):
        code, words = call(*arguments, "--copies", "list")
        assert (code, "--copies" in words) == (2, True)

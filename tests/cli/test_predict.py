"""``leukobench predict``, on a bundle of ``leukobench fit``."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from ..conftest import PLUGIN
from .calls import call_apart


@pytest.mark.slow
def test_the_command_line_from_an_experiment_to_patients(
    smears: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine.yaml").write_text(
        f"images: {{folder: {smears}, group: 'synthetic-(P\\d+)'}}\nresults: out\n"
        f"plugins: [{PLUGIN}]\n"
        "extractors: [{'tiny_network:TINY': {pooling: multilevel}}]\nselectors: [none]\nclassifiers: [naive_bayes]\n"
        "evaluation: {folds: 3, resamples: 100, controls: off}\n"
    )
    code, output, _ = call_apart("fit", tmp_path / "mine.yaml", "--out", tmp_path / "b.zip", "--workers", 1)
    assert code == 0, output
    digest = output.split("SHA-256: ")[1].split()[0]
    (tmp_path / "more").mkdir()
    for path in sorted(smears.rglob("*.jpg"))[:3]:
        shutil.copy(path, tmp_path / "more")
    (tmp_path / "more" / "notes.txt").write_text("none")
    code, output, errors = call_apart(
        "predict", tmp_path / "b.zip", tmp_path / "more", "--digest", digest, "--group", r"^\w+-(P\d+)_"
    )
    assert code == 0, errors
    assert "3 images" in output
    assert "patient P" in output
    assert "Files that are not images: 1" in output
    assert "not a medical device" in output
    (tmp_path / "more" / "bad.jpg").write_text("none")
    out = tmp_path / "predictions.parquet"
    code, output, errors = call_apart("predict", tmp_path / "b.zip", tmp_path / "more", "--json", "--out", out)
    assert code == 1
    images = json.loads(output)["images"]
    assert [bool(row["error"]) for row in images] == [row["image"].endswith("bad.jpg") for row in images]
    assert len(pd.read_parquet(out)) == 4
    code, output, errors = call_apart(
        "predict", tmp_path / "b.zip", tmp_path / "more", "--out", tmp_path / "x.csv", "--group", r"(P\d+)_"
    )
    assert (tmp_path / "x.patients.csv").exists()
    assert "NOT READ" in output


@pytest.mark.slow
def test_the_process_ends_as_it_should(tiny_bundle: Path, smears: Path, tmp_path: Path) -> None:
    """It leaves without taking its libraries down: all is written before, and the exit status is the command's."""
    (tmp_path / "bad.jpg").write_text("none")
    command = [sys.executable, "-m", "leukobench", "predict", str(tiny_bundle), str(next(smears.rglob("*.jpg")))]
    done = subprocess.run([*command, str(tmp_path / "bad.jpg"), "--json"], capture_output=True, check=False)
    assert done.returncode == 1
    assert len(json.loads(done.stdout)["images"]) == 2
    with open("/dev/full", "w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, check=False)
    assert done.returncode == 2
    assert b"could not be written: No space left" in done.stderr
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("absent.zip", "image.jpg"),
        ("BUNDLE", "absent.jpg"),
        ("BUNDLE", "EMPTY"),
        ("BUNDLE", "IMAGE", "--level", "2"),
        ("BUNDLE", "IMAGE", "--out", "predictions.docx"),
        ("BUNDLE", "IMAGE", "--digest", "0" * 64),
        ("BUNDLE", "IMAGE", "--group", "no-group"),
        ("BUNDLE", "IMAGE", "--out", "BUNDLE/predictions.json"),
    ],
)
def test_mistakes_are_messages(arguments: tuple[str, ...], tiny_bundle: Path, smears: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    places = {"BUNDLE": tiny_bundle, "IMAGE": next(smears.rglob("*.jpg")), "EMPTY": tmp_path / "empty"}
    code, _, output = call_apart(
        "predict", *(places.get(part, part.replace("BUNDLE", str(tiny_bundle))) for part in arguments)
    )
    assert code == 2
    assert output.startswith("leukobench: ")
    assert "Traceback" not in output

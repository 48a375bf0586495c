"""The options that messages print are options that work; what leukobench wrote is not read as data."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from click.testing import CliRunner

from leukobench import pipeline
from leukobench.cli import cli
from leukobench.errors import ImagesError, StorageError
from leukobench.images.index import index_images
from leukobench.runs.folder import RunFolder
from leukobench.runs.progress import silent
from leukobench.runs.workspace import Workspace
from leukobench.steps.prepare_run import PreparedRun, prepare_run
from leukobench.storage import OUTPUT_MARKER, mark_output

from ..images.trees import write_image
from .calls import call, call_apart


@pytest.fixture
def audit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("LEUKOBENCH_CACHE", str(tmp_path / "cache"))
    common = ["--results", str(tmp_path / "results"), "--workers", "1"]
    return lambda folder, *options: call_apart("audit", folder, *options, *common)


def test_the_first_printed_reading_works_on_the_command_line(audit: Any, tmp_path: Path) -> None:
    folder = tmp_path / "raabin"
    for number, top in enumerate(["Train", "TestA", "TestB"]):
        for name in ("Lymphocyte", "Neutrophil"):
            write_image(folder / top / name / "0.jpg", 10 * number + len(name))
    code, _, words = audit(folder)
    assert code == 2
    readings = re.findall(r"^ +(--layout \S+)", words, re.MULTILINE)
    assert len(readings) == 4
    assert audit(folder, *shlex.split(readings[0]))[0] == 0
    images = pd.read_parquet(tmp_path / "results" / "raabin-audit" / "images.parquet")
    assert sorted(images["split"].unique()) == ["TestA", "TestB", "Train"]
    assert sorted(images["label"].unique()) == ["Lymphocyte", "Neutrophil"]


def test_warnings_are_the_first_lines(audit: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for number, name in enumerate(["Eosinophil", "EOSINOPHIL", "Other"]):
        write_image(tmp_path / "data" / name / f"{number}.png", number)
    (tmp_path / "data" / "notes.txt").touch()
    assert audit(tmp_path / "data")[0] == 0
    assert caplog.messages[0].startswith(
        "The classes 'EOSINOPHIL' and 'Eosinophil' differ only in how they are written."
    )


def test_a_class_of_one_image_is_left_out_by_what_the_message_says(experiment: Any, images: Path) -> None:
    write_image(images / "Rare" / "synthetic-P99_0001.jpg", 1)

    def prepare(**settings: Any) -> PreparedRun:
        chosen = experiment(**settings)
        return prepare_run(chosen, Workspace.of(RunFolder(chosen.folder), 1, silent))

    with pytest.raises(ImagesError, match="too small for 3 folds: Rare") as caught:
        prepare()
    assert caught.value.fix.startswith("leave it out with --exclude-class Rare (`images: {exclude_classes: [Rare]}`")
    index = prepare(images={"exclude_classes": ["Rare"]}).index
    assert "Rare" not in index.classes()
    assert "excluded class: Rare" in set(index.ledger["reason"])


def test_options_of_images_go_with_a_folder(tmp_path: Path) -> None:
    result = CliRunner().invoke(cli, ["run", str(tmp_path / "x.yaml"), "--exclude-class", "a"])
    assert result.exit_code == 2
    assert "--exclude-class" in result.output


def test_what_leukobench_wrote_is_not_data(
    tiny_bundle: Path, finished_run: Any, smears: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = Path(shutil.copytree(smears, tmp_path / "data"))
    before = index_images(data)
    monkeypatch.chdir(data)
    picture = next(data.rglob("*.jpg"))
    assert call("explain", str(tiny_bundle), str(picture))[0] == 0
    shutil.copytree(finished_run.folder, data / "results" / "trial")
    shutil.copytree(tiny_bundle, data / "bundle")
    mark_output(data / "results" / "comparison")
    write_image(data / "results" / "comparison" / "extractors.png")
    index = index_images(".")
    assert index.classes() == before.classes()
    written = index.ledger[index.ledger["reason"] == "written by leukobench"]["path"]
    assert {Path(path).relative_to(data).as_posix() for path in written} == {
        "bundle", "explanations", "results/comparison", "results/trial"
    }  # fmt: skip
    assert index.digest() == before.digest()


def test_results_are_not_written_among_images(tiny_bundle: Path, images: Path, experiment: Any) -> None:
    picture = next(images.rglob("Pro/*.jpg"))
    code, words = call("explain", str(tiny_bundle), str(picture), "--out", str(picture.parent))
    assert code == 2
    assert "holds images, and would be filled with results" in words
    with pytest.raises(StorageError, match="holds images"):
        pipeline.run(experiment(name="Pro", results=images), 1)
    mark_output(picture.parent)
    assert not (picture.parent / OUTPUT_MARKER).exists()


def test_a_refusal_of_own_code_ends_with_the_command_that_works(
    tmp_path: Path, smears: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "refused_layout.py").write_text("class Layout:\n    pass\n")
    words = ["audit", str(smears), "--layout", "refused_layout:Layout", "--results", str(tmp_path / "my results")]
    refusal = CliRunner().invoke(cli, words)
    (fix,) = re.findall(r"fix: read the code, then: leukobench (.*)", refusal.output)
    assert shlex.split(fix)[:-2] == words
    assert "is not a layout" in CliRunner().invoke(cli, shlex.split(fix)).output, "it was imported"

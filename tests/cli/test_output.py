"""Names come through whatever the locale, the terminal and the home folder are, and none acts on the terminal."""

from __future__ import annotations

import json
import logging
import os
import shutil
import subprocess
import sys
from pathlib import Path

import click
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from leukobench.cli import output
from leukobench.cli.commands import COMMANDS
from leukobench.images.index import index_images
from leukobench.serving.output import lines as lines_of
from leukobench.serving.prediction import Prediction, Predictions

from .calls import call_apart

ASCII = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
LABELS = """
from leukobench.cli.output import echo, read_names_as_utf8, show_every_sign
read_names_as_utf8()
show_every_sign()
import sys
from leukobench.images.index import index_images
echo(" ".join(index_images(sys.argv[1]).classes()))
"""


def folders(root: Path, *labels: str) -> Path:
    for number, label in enumerate(labels):
        (root / label).mkdir(parents=True)
        for image in range(3):
            pixels = np.random.default_rng(9 * number + image).integers(0, 255, (24, 24, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(root / label / f"{image}.png")
    return root


def apart(*arguments: str | Path, **environment: str) -> tuple[int, str, str]:
    """Exit status and output of Python in a process with exactly this environment, and the path."""
    known = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
    done = subprocess.run([sys.executable, *arguments], env=known | environment, capture_output=True, check=False)
    return done.returncode, done.stdout.decode("latin-1"), done.stderr.decode("latin-1")


def test_a_locale_renames_no_class_and_ends_nothing(tmp_path: Path) -> None:
    images = folders(tmp_path / "images", "Gutartig ä", "良性")
    code, text, errors = apart("-c", LABELS, images, **ASCII, PYTHONIOENCODING="latin-1")
    assert (code, text.strip(), errors) == (0, r"Gutartig ä \u826f\u6027", "")


@pytest.mark.slow
def test_where_python_cannot_start_again_other_names_than_ascii_are_refused(tmp_path: Path) -> None:
    images = folders(tmp_path / "images", "Gutartig ä", "Early")
    code, _, errors = apart("-X", "utf8=0", "-m", "leukobench", "audit", images, **ASCII)
    assert code == 2
    assert "set PYTHONUTF8=1" in errors
    assert "Traceback" not in errors


@pytest.mark.slow
@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_an_audit_and_its_tables_are_the_same_under_every_encoding(tmp_path: Path, encoding: str) -> None:
    images = folders(tmp_path / "images", "Gutartig ä", "良性")
    environment = {**ASCII, "PYTHONIOENCODING": encoding, "LEUKOBENCH_CACHE": str(tmp_path / "cache")}
    code, _, errors = apart("-m", "leukobench", "audit", images, "--results", tmp_path / "out", **environment)
    assert code == 0, errors
    labels = pd.read_parquet(tmp_path / "out" / "images-audit" / "images.parquet")["label"]
    assert sorted(set(labels)) == ["Gutartig ä", "良性"]


def test_a_home_that_cannot_be_written_is_no_riddle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    images = folders(tmp_path / "images", "a", "b")
    (tmp_path / "home").touch()
    monkeypatch.delenv("LEUKOBENCH_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home" / "cache"))
    code, _, errors = call_apart("audit", images, "--results", tmp_path / "out")
    assert code == 2
    assert "LEUKOBENCH_CACHE (or XDG_CACHE_HOME)" in errors


def test_the_name_of_the_folder_may_be_of_any_bytes_but_is_then_refused(tmp_path: Path) -> None:
    images = folders(tmp_path / os.fsdecode(b"Bilder_\xe4"), "a", "b")
    code, _, errors = call_apart("audit", images, "--results", tmp_path / "out")
    assert code == 2
    assert r"Bilder_\xe4" in errors
    (tmp_path / "link").symlink_to(images)
    assert index_images(tmp_path / "link").classes() == ["a", "b"]


def test_escapes_in_names_are_shown_and_not_sent(tmp_path: Path) -> None:
    images = folders(tmp_path / "images", "Red \x1b[31m", "two\nleukobench: lines")
    (images / "two\nleukobench: lines" / "3\x1b[2J.png").write_text("none")
    code, text, errors = call_apart("audit", images, "--results", tmp_path / "out")
    assert code == 0
    code, text, errors = call_apart("audit", images / "absent \x1b[2J\nleukobench: well", "--results", tmp_path / "out")
    assert code == 2
    assert "\x1b" not in text + errors
    assert sum(line.startswith("leukobench: ") for line in errors.splitlines()) == 1
    labels = pd.read_parquet(tmp_path / "out" / "images-audit" / "images.parquet")["label"]
    assert sorted(set(labels)) == [r"Red \x1b[31m", r"two\nleukobench: lines"]


def test_a_message_of_the_log_is_shown_in_the_same_way() -> None:
    record = logging.LogRecord("x", logging.INFO, "", 0, "class %s", ("\x1b[31m",), None)
    assert output.VisibleFormatter().format(record) == r"class \x1b[31m"


def test_classes_of_a_bundle_are_shown_and_not_sent() -> None:
    label = "Early\x1b[2J\nleukobench: well"
    row = Prediction("a.png", "00", label, {label: 1.0}, (label,), group=label)
    lines = list(lines_of(Predictions([row, Prediction("b\x1b.png", error="\x1b")], [label], 0.95, {})))
    assert len(lines) == 5
    assert all(line.isprintable() for line in lines)


def test_a_bundle_that_is_a_device_is_refused() -> None:
    code, _, errors = call_apart("predict", "/dev/zero", "/dev/zero")
    assert code == 2
    assert "no regular file" in errors


def test_what_the_system_refuses_is_a_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object) -> None:
        raise PermissionError(13, "Permission denied", "results")

    monkeypatch.setattr("leukobench.pipeline.audit_images", refuse)
    code, _, errors = call_apart("audit", tmp_path)
    assert (code, errors) == (2, "leukobench: results: Permission denied.\n")


@pytest.mark.slow
def test_a_class_that_is_a_formula_goes_through_a_run(experiment, images: Path) -> None:
    from leukobench.pipeline import run

    shutil.move(min(path for path in images.iterdir() if path.is_dir()), images / "=1+1")
    outcome = run(experiment(), workers=1)
    assert "'=1+1" in (outcome.folder / "classes.csv").read_text()
    assert "=1+1" in set(outcome.results.table("classes.csv")["label"])
    assert "=1+1" in outcome.results.table("audit/differences.csv")
    assert "=1+1" in set(outcome.results.images["label"])


@pytest.mark.parametrize("name", [name for name in COMMANDS.names() if name != "app"])
def test_every_command_with_an_answer_gives_it_as_json(name: str) -> None:
    command = COMMANDS.get(name)
    assert isinstance(command, click.Command)
    assert any("--json" in option.opts for option in command.params)


def test_json_is_all_of_standard_output_and_people_read_the_rest(tmp_path: Path) -> None:
    images, out = folders(tmp_path / "images", "a", "b"), tmp_path / "out"
    code, text, errors = call_apart("audit", images, "--results", out, "--json")
    facts = json.loads(text)
    assert (code, facts["folder"]) == (0, str(out / "images-audit"))
    assert facts["summary"]["lines"][0] in errors
    assert call_apart("audit", images, "--results", out)[1].startswith(facts["summary"]["lines"][0])


@pytest.mark.parametrize(
    ("arguments", "key"),
    [(("list",), "classifiers"), (("list", "selectors"), "rfe"), (("list", "extractors", "--all"), "extractors")],
)
def test_lists_as_json(arguments: tuple[str, ...], key: str) -> None:
    code, text, _ = call_apart(*arguments, "--json")
    assert code == 0
    assert json.loads(text)[key]


def test_what_is_no_number_is_null_in_json(capsys: pytest.CaptureFixture[str]) -> None:
    @click.command()
    @output.json_option
    def command() -> None:
        table = pd.DataFrame({"name": ["a"], "value": [np.nan]})
        output.answer(["words"], {"path": Path("x"), "none": float("nan"), "rows": output.records_of(table)})

    command.main(["--json"], standalone_mode=False)
    text, errors = capsys.readouterr()
    assert (json.loads(text), errors) == (
        {"path": "x", "none": None, "rows": [{"name": "a", "value": None}]},
        "words\n",
    )

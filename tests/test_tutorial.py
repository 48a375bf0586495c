"""The tutorial and the notebook are run as their readers run them, and show what they say that they show."""

from __future__ import annotations

import os
import re
import sys
from difflib import SequenceMatcher
from pathlib import Path

import numpy as np
import pytest

from .test_reference import package

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
_NUMBER = re.compile(r"(?<![\w.])[-+]?\d[\d,]*(?:\.\d+)?(?![\w])")
_DIGITS_MOVE = 2.0
"""Points by which another processor's rounding may move a score."""
_WORDS_ALIKE = 0.95
"""Share of the words that are the same: two rows that are nearly tied may change places on another processor."""


def words_and_numbers(text: str) -> tuple[list[str], list[float]]:
    numbers = [float(number.replace(",", "")) for number in _NUMBER.findall(text)]
    return _NUMBER.sub("#", text).replace("─", "").split(), numbers


def test_what_is_shown_is_compared_word_by_word() -> None:
    words, numbers = words_and_numbers(" 1 =  lite0  80.83 % [-0.5 to 1,234]\n────\n")
    assert words == ["#", "=", "lite0", "#", "%", "[#", "to", "#]"]
    assert numbers == [1, 80.83, -0.5, 1234]


def test_every_output_of_the_tutorial_is_published() -> None:
    tutorial = package("tutorial")
    names = re.findall(r"<!-- reference: screen (\w+)", tutorial.PAGE.read_text(encoding="utf-8"))
    published = {path.stem for path in (tutorial.ROOT / "results" / "reference" / "tutorial").glob("*.txt")}
    assert published == {*names, "quickstart"}


def test_pictures_that_explain_are_drawn_by_the_script_that_is_named() -> None:
    for figure in package("lessons").lessons():
        path = DOCS / "pictures" / f"{figure.name}.svg"
        assert words_and_numbers(re.sub(r"<[^>]*>", " ", path.read_text())) == words_and_numbers(
            re.sub(r"<[^>]*>", " ", figure.svgs[0])
        ), f"{path}: make reference ONLY=lessons"
        assert f"pictures/{path.name}" in (DOCS / "statistics.md").read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_tutorial_shows_what_its_commands_show(tmp_path: Path) -> None:
    tutorial = package("tutorial")
    for name, text in tutorial.follow(tutorial.PAGE.read_text(encoding="utf-8"), tmp_path):
        published = (ROOT / "results" / "reference" / "tutorial" / f"{name}.txt").read_text(encoding="utf-8")
        words, numbers = words_and_numbers(text.replace(f"{tmp_path}/", ""))
        expected, values = words_and_numbers(published)
        alike = SequenceMatcher(None, words, expected, autojunk=False).ratio()
        assert alike >= _WORDS_ALIKE, f"{name}: make reference ONLY=tutorial\n{text}"
        if words == expected:
            assert np.allclose(numbers, values, atol=_DIGITS_MOVE), f"{name}: make reference ONLY=tutorial\n{text}"


@pytest.mark.slow
def test_the_notebook_runs_and_its_tables_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nbformat, nbclient = pytest.importorskip("nbformat"), pytest.importorskip("nbclient")
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    committed = nbformat.read(DOCS / "notebook.ipynb", 4)
    executed = nbformat.from_dict(committed)
    client = nbclient.NotebookClient(executed, timeout=300, resources={"metadata": {"path": str(tmp_path)}})
    client.execute()
    for before, after in zip(committed.cells, client.nb.cells, strict=True):
        for old, new in zip(before.get("outputs", ()), after.get("outputs", ()), strict=True):
            alike = SequenceMatcher(None, shown(new), shown(old), autojunk=False).ratio()
            assert alike >= _WORDS_ALIKE, f"{before['source']}\n{shown(new)}"


def shown(output: dict[str, object]) -> list[str]:
    """The words of an output, without its numbers."""
    data = output.get("data")
    text = output.get("text") or (data.get("text/plain") if isinstance(data, dict) else "")
    return words_and_numbers(str(text))[0]


def test_readme_names_every_file_of_a_run() -> None:
    outputs, readme = ((ROOT / name).read_text(encoding="utf-8") for name in ("docs/outputs.md", "README.md"))
    section = re.split(r"^## ", outputs.partition("\n## A run\n")[2], maxsplit=1, flags=re.MULTILINE)[0]
    files = [
        name for line in re.findall(r"^### (.+)$", section, re.MULTILINE) for name in re.findall(r"`([^`]+)`", line)
    ]
    assert len(files) > 20
    missing = [name for name in files if name not in readme and f"`{name.split('/')[0]}/`" not in readme]
    assert not missing, "README's table of what a run writes"


def test_scores_with_intervals_are_written_not_typed() -> None:
    for path in [ROOT / "README.md", *DOCS.glob("*.md")]:
        text = re.sub(r"<!-- reference:.*?<!-- end of reference -->", "", path.read_text(encoding="utf-8"), flags=re.S)
        assert not re.findall(r"\[[-+]?\d[\d.]* to [-+]?\d[\d.]*\]", text), f"{path}: put it between markers"

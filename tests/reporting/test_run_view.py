"""A run at a glance, in a notebook."""

from __future__ import annotations

import json
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

import leukobench
from leukobench.reporting.run_view import load_results, run_view
from leukobench.runs.control_answer import Control
from leukobench.runs.folder import RunFolder

VOID = {"img"}


class Tree(HTMLParser):
    """Tags that are open, and the text; fails where they do not close in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.words: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.append(tag)
        self.open += [] if tag in VOID else [tag]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.words.append(data)


@pytest.fixture
def copy(finished_run: Any, tmp_path: Path) -> Path:
    return Path(shutil.copytree(finished_run.folder, tmp_path / "trial"))


def test_verdicts_sentences_best_rows_figure_and_files_are_there(finished_run: Any) -> None:
    run = leukobench.load_results(finished_run.folder)
    html = run._repr_html_()
    tree = Tree(html)
    words = " ".join(tree.words)
    assert not tree.open
    assert run.answer.sentences[0] in words
    assert all(about in words for about in ("Evidence", "Patients", "Copies", "Shortcuts"))
    best = run.answer.best
    assert best is not None
    assert best.low is not None
    assert f"{100 * best.value:.2f} % [{100 * best.low:.2f} to" in words
    assert str(run.folder / "report.html") in words
    assert tree.tags.count("tr") == 1 + 4 + 1  # head, combinations, strongest shortcut
    assert "data:image/svg+xml;base64," in html
    assert finished_run._repr_html_() == html


def test_nothing_is_loaded_from_elsewhere_and_text_has_the_colour_of_the_page(finished_run: Any) -> None:
    html = run_view(finished_run.results)
    assert not re.findall(r"https?://", html)
    assert "script" not in Tree(html).tags
    assert not re.findall(r"[^-]color: #", html)


def test_a_control_that_is_not_beaten_has_a_badge(copy: Path) -> None:
    control = Control("RANDOM net", 0.8, 0.7, 0.9, 0.03, -0.01, 0.05, 0.9, 0.8, 0.99)
    answer = json.loads((copy / "answer.json").read_text()) | {"controls": [control.to_json()]}
    (copy / "answer.json").write_text(json.dumps(answer))
    RunFolder(copy).refresh()
    run = load_results(copy)
    assert "<small>Controls</small><b>Not better than a random network</b>" in run._repr_html_()
    assert " Not better than RANDOM net." in repr(run)


def test_names_cannot_be_markup(copy: Path) -> None:
    answer = json.loads((copy / "answer.json").read_text())
    answer["sentences"][0] = "a < b <script>alert(1)</script>"
    (copy / "answer.json").write_text(json.dumps(answer | {"name": "<b>bold</b>"}))
    RunFolder(copy).refresh()
    html = load_results(copy)._repr_html_()
    assert "<script" not in html
    assert "&lt;b&gt;bold" in html


def test_a_run_without_scores_or_figures_is_shown_too(copy: Path) -> None:
    shutil.rmtree(copy / "figures")
    (copy / "state.json").write_text('{"state": "x", "files": {}}')
    answer = json.loads((copy / "answer.json").read_text()) | {"best": None, "shortcut": None}
    (copy / "answer.json").write_text(json.dumps(answer))
    board = (copy / "leaderboard.csv").read_text().splitlines()
    (copy / "leaderboard.csv").write_text(f"{board[0]}\n")
    tree = Tree(load_results(copy)._repr_html_())
    assert not tree.open
    assert not {"img", "table"} & set(tree.tags)

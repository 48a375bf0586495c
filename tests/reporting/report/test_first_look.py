"""What a reader sees first: verdicts as badges, the best combination by what it recognises, and folds below."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from leukobench.reporting.report.sections.verdicts import needs_in_words, verdicts
from leukobench.runs.answer import Chance
from leukobench.runs.control_answer import Control
from leukobench.runs.view_answer import ShortcutNeed, Views

from .drawn_run import SENTENCES, Page, html_of, page, read_answer, write_answer


def test_the_verdicts_come_first_then_the_best_then_the_answer_in_full(written: Path) -> None:
    text = Page(html_of(written)).text
    badges = ["Best is among 4", "Image-level, optimistic", "1 under more than one label", "Confounded", "None yet"]
    places = [text.index(word) for word in [*badges, "Best of 49 combinations", *SENTENCES]]
    assert places == sorted(places)
    assert places[-1] < text.index("IMAGE-LEVEL, OPTIMISTIC: no patients known")
    assert "Research use only, not a medical device" in text


def test_everything_but_the_answer_is_folded(written: Path) -> None:
    html = html_of(written)
    answer, *folds = html.split('<details class="fold">')
    assert 'class="verdicts"' in answer
    assert 'id="winner"' in answer
    titles = [re.findall(r"<summary><h3>(.*?)</h3>", fold)[0] for fold in folds]
    assert len(titles) > 10
    assert "49 combinations; with 95 % confidence the best is among 4; 1 without a score" in html


def test_the_best_is_described_by_what_it_recognises(written: Path) -> None:
    text = Page(html_of(written)).text
    row = pd.read_csv(written / "leaderboard.csv").iloc[0]
    value, low, high = (row[f"sensitivity[Benign]{end}"] for end in ("", "_low", "_high"))
    assert value < 1
    among = re.search(
        r"Benign of ([\d,]+) images about ([\d,]+) are recognised \((\d+) to ([\d,]+)\); the others", text
    )
    assert among is not None
    out_of, *numbers = (int(number.replace(",", "")) for number in among.groups())
    assert numbers == [round(out_of * share) for share in (value, low, high)]


def test_every_setting_is_there_and_says_whether_it_is_the_default(written: Path) -> None:
    text = Page(html_of(written)).text
    assert "name trial <&> own" not in text
    assert re.search(r"images\.folder \S+ own", text)
    assert "leukobench external . FOLDER-OF-IMAGES" in text


@pytest.mark.parametrize(
    ("verdict", "word"),
    [
        ("better", "Better than the shortcuts tried"),
        ("confounded", "Confounded"),
        ("partly confounded", "Partly confounded"),
        ("not better", "Not better than a shortcut"),
    ],
)
def test_the_shortcut_verdict_is_said_in_words(folder: Path, verdict: str, word: str) -> None:
    answer = read_answer(folder)
    assert answer.shortcut is not None
    shortcut = replace(answer.shortcut, verdict=verdict)
    chance = Chance(verdict == "better", 0.25, 19, 1, 0.3, "", 0.5, 0.02, "PERMUTED LABELS")
    write_answer(folder, replace(answer, shortcut=shortcut, chance=chance))
    text = page(folder).text
    assert word in text
    assert ("Above chance" in text) == (verdict != "better")


def test_the_methods_paragraph_numbers_its_references(written: Path) -> None:
    text = Page(html_of(written)).text.partition("Methods, and how to cite")[2]
    numbers = re.findall(r"\[(\d+)\]", text.partition("Please cite")[0])
    assert re.search(r"compared with leukobench 0\.1\.0 \[\d+\]", text)
    assert sorted(set(map(int, numbers))) == list(range(1, text.count(" title = {") + 1))
    assert "@misc{leukobench," in text
    assert "methods.bib" in text


@pytest.mark.parametrize(
    ("needs", "words"),
    [
        ({"border": "not needed", "colour": "not needed"}, "none of them"),
        ({"border": "not needed"}, "border: not needed"),
        ({"border": "needed", "colour": "undecided"}, "border: needed; colour: undecided"),
        ({"file facts": "untestable"}, "file facts: cannot be tested"),
        ({}, ""),
    ],
)
def test_what_is_needed_is_said_no_stronger_than_it_is(needs: dict[str, str], words: str) -> None:
    shortcuts = tuple(ShortcutNeed(name, 0.9, verdict) for name, verdict in needs.items())
    assert needs_in_words(Views("balanced_accuracy", 500, 400, 0.9, 0.05, 0.1, shortcuts=shortcuts)) == words


@pytest.mark.parametrize(
    ("change", "word", "state"),
    [
        ({"label_conflicts": 1}, "1 under more than one label", "bad"),
        ({"label_conflicts": 1, "left_out": 2}, "1 under more than one label", "warn"),
        ({"label_conflicts": 0}, "2 pairs kept together", "note"),
        ({"label_conflicts": 0, "setting": "list"}, "2 pairs not grouped", "warn"),
        ({"label_conflicts": 0, "setting": "off"}, "Not looked for", "warn"),
        ({"label_conflicts": 0, "identical_files": 0, "near_duplicates": 0}, "None found", "good"),
        ({"label_conflicts": 0, "identical_files": 0, "near_duplicates": 0, "looks_alike": 3}, "3 pairs look", "note"),
    ],
)
def test_copies_are_good_only_where_they_were_looked_for(
    change: dict[str, object], word: str, state: str, written: Path
) -> None:
    answer = read_answer(written)
    duplicates = replace(answer.duplicates, **change)  # type: ignore[arg-type]
    (badge,) = (one for one in verdicts(replace(answer, duplicates=duplicates)) if one["about"] == "Copies")
    assert badge["word"].startswith(word)
    assert badge["state"] == state
    assert ("its files, 2 in all, are left out of training and scores" in badge["text"]) == ("left_out" in change)


@pytest.mark.parametrize(
    ("lead_low", "share_low", "state", "words"),
    [
        (-0.02, 0.8, "warn", "Not better than a random network"),
        (0.01, 0.8, "note", "90 % [80 to 99] of the way from guessing needs no more"),
        (0.01, None, "note", "Better than the controls tried"),
    ],
)
def test_a_control_has_a_badge_beside_that_of_the_shortcuts(
    folder: Path, lead_low: float, share_low: float | None, state: str, words: str
) -> None:
    answer = read_answer(folder)
    assert answer.best is not None
    control = Control("RANDOM net", 0.8, 0.7, 0.9, 0.03, lead_low, 0.05, 0.9, share_low, 0.99)
    answer = replace(answer, controls=(control,))
    write_answer(folder, answer)
    *_, shortcuts, badge = verdicts(answer)
    assert (shortcuts["about"], badge["about"], badge["state"]) == ("Shortcuts", "Controls", state)
    best = f"the best combination {100 * answer.best.value:.2f} %"
    assert f"A network that was never trained reaches 80.00 %, {best}" in badge["text"].replace("\xa0", " ")
    text = page(folder).text.replace("\xa0", " ")
    assert words in text
    assert text.index(badge["word"]) < text.index("Best of 49 combinations")

"""What a paper takes from a run: sentences that say what it did, entries for all that they cite, tables."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from leukobench.reporting.methods import methods_sentences, write_paper
from leukobench.reporting.references import CITED, REFERENCES, bibtex, cited_by
from leukobench.runs.finished import FinishedRun


@pytest.fixture
def run(drawn: Path, tmp_path: Path) -> FinishedRun:
    return FinishedRun.open(shutil.copytree(drawn, tmp_path / "run"), ended=False)


def test_the_paragraph_says_what_the_run_did(run: FinishedRun) -> None:
    text = " ".join(methods_sentences(run))
    combinations = run.leaderboard[run.leaderboard["kind"] == "combination"]
    assert text.startswith(f"{len(combinations)} combinations of 2 extractors (")
    assert "5 selectors (" in text
    assert "5 classifiers (" in text
    assert "480 images in 4 classes: Benign 120." in text
    assert "IMAGE-LEVEL, OPTIMISTIC: no patients known." in text
    assert "ranked by balanced accuracy" in text
    best = run.answer.best
    assert best is not None
    assert f"selected among {best.picked_among}." in text
    assert "Shortcut baselines, which see no content, were scored in the same folds: colour, majority class." in text
    assert "Controls" not in text, "this run has none"


def test_a_name_at_the_start_of_a_sentence_stays_as_it_is(run: FinishedRun) -> None:
    board = run.leaderboard.replace({"extractor": {"mobilenetv2": "hists:Histogram"}})
    lines = ("3 folds", "hists:Histogram: an extractor of the user's own", "everything is fitted inside")
    text = " ".join(methods_sentences(replace(run, leaderboard=board, answer=replace(run.answer, protocol=lines))))
    assert " hists:Histogram: an extractor of the user's own." in text
    assert " Everything is fitted inside." in text


def test_everything_cited_has_an_entry_and_nothing_else_has(run: FinishedRun) -> None:
    write_paper(run)
    text = (run.folder / "methods.tex").read_text()
    cited = set(re.findall(r"\\cite\{([\w-]+)\}", text))
    entries = set(re.findall(r"^@\w+\{([\w-]+),", (run.folder / "methods.bib").read_text(), re.MULTILINE))
    assert cited == entries
    assert {"leukobench", "efficientnet", "mobilenetv2", "rfe", "lasso", "svm", "forest"} <= cited
    assert {"xgboost", "smote"} & cited == set()
    assert set(re.findall(r"\[@([\w-]+)\]", (run.folder / "methods.md").read_text())) == cited


def test_entries_are_whole() -> None:
    assert set(CITED.values()) <= set(REFERENCES)
    for key in REFERENCES:
        entry = bibtex([key])
        assert entry.count("{") == entry.count("}")
        assert re.search(r"year = \{\d{4}\}", entry)
    assert cited_by(["svm_rbf(C=1)", "svm_linear", "knn"]) == ["svm"]


def test_names_mean_nothing_to_latex_and_markdown(run: FinishedRun) -> None:
    board = run.leaderboard.assign(extractor=r"a_b & \evil{} `x` *y*")
    write_paper(replace(run, leaderboard=board))
    tex, md = ((run.folder / f"methods.{ending}").read_text() for ending in ("tex", "md"))
    assert r"a\_b \& \textbackslash{}evil\{\} `x` *y*" in tex
    assert r"a\_b & \\evil{} \`x\` \*y\*" in md


def test_tables_have_every_row_with_a_score(run: FinishedRun) -> None:
    write_paper(run)
    scored = int(run.leaderboard["balanced_accuracy"].notna().sum())
    md = (run.folder / "tables" / "leaderboard.md").read_text().splitlines()
    assert sum(line.startswith("| ") for line in md) == scored + 2
    tex = (run.folder / "tables" / "leaderboard.tex").read_text()
    assert tex.count(r"\\") == scored + 1
    assert r"\toprule" in tex
    best = pd.read_csv(run.folder / "leaderboard.csv").iloc[0]
    assert f"{100 * best['balanced_accuracy']:.2f} \\% [" in tex


def test_a_run_without_scores_writes_nothing(run: FinishedRun) -> None:
    write_paper(replace(run, leaderboard=run.leaderboard.assign(rank=None)))
    assert not (run.folder / "methods.md").exists()

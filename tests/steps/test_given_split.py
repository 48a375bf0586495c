"""A given split: what it cannot be stops before any work; leaks across it are named, and dropped if so wanted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from leukobench.errors import LeukobenchError
from leukobench.pipeline import Outcome, run
from leukobench.runs.folder import RunFolder
from leukobench.runs.workspace import Workspace
from leukobench.steps.prepare_run import prepare_run

from ..conftest import small_experiment


def draw(folder: Path, rows: list[dict[str, str]], **columns: list[str]) -> Path:
    """A small picture a row, and its manifest."""
    rng = np.random.default_rng(0)
    folder.mkdir()
    table = pd.DataFrame(rows).assign(**columns)
    table["path"] = [f"{number}.png" for number in range(len(table))]
    for row, path in zip(rows, table["path"], strict=True):
        level = 60 + 120 * (row["label"] == "b")
        pixels = np.clip(rng.normal(level, 60, (24, 24, 3)), 0, 255).astype(np.uint8)
        Image.fromarray(pixels).save(folder / path)
    table.to_csv(folder / "manifest.csv", index=False)
    return folder


def rows(parts: str = "train train train train test test", patients: bool = True) -> list[dict[str, str]]:
    """Two images of each of two classes a word."""
    return [
        {"label": label, "split": part, "patient": f"{label}{place}" if patients else ""}
        for place, part in enumerate(parts.split())
        for label in "ab"
        for _ in range(2)
    ]


def refuse(folder: Path, tmp_path: Path, **evaluation: Any) -> str:
    """What a run says before any work."""
    with pytest.raises(LeukobenchError) as refused:
        run(small_experiment(folder, tmp_path / "results", evaluation={"folds": 2, "split": "given"} | evaluation))
    assert not (tmp_path / "results" / "trial" / "features").exists()
    assert not (tmp_path / "results" / "trial" / "images.parquet").exists()
    return str(refused.value)


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, plugin: str) -> None:
    monkeypatch.setenv("LEUKOBENCH_CACHE", str(tmp_path / "cache"))


def test_a_split_that_cannot_be_used_stops_before_any_work(tmp_path: Path) -> None:
    no_b = [row for row in rows() if (row["label"], row["split"]) != ("b", "test")]
    message = refuse(draw(tmp_path / "no b", no_b), tmp_path)
    assert "no image of b in the given test part" in message
    assert all(words in message for words in ("expected: every class in it: a, b", "received: a 4, b 0", "fix: leave"))
    one = rows()
    for row in one:
        row["patient"] = "same" if row["split"] == "test" else row["patient"]
    assert "test part is all of one patient" in refuse(draw(tmp_path / "one", one), tmp_path)
    assert "no test part, and no folds" in refuse(draw(tmp_path / "no test", rows("train train val")), tmp_path)
    assert "A class is too small for 3 folds" in refuse(
        draw(tmp_path / "few", rows("train train test test")), tmp_path, folds=3
    )


def test_a_folder_without_a_split_is_told_so(tmp_path: Path, smears: Path) -> None:
    assert "The images have no given split." in refuse(smears, tmp_path)


def test_given_folds_replace_those_of_the_experiment(tmp_path: Path) -> None:
    folder = draw(
        tmp_path / "folds", rows("train train train train train"), fold=["uvwuv"[place // 4] for place in range(20)]
    )
    experiment = small_experiment(folder, tmp_path, evaluation={"split": "given"})
    assert prepare_run(experiment, Workspace(RunFolder(tmp_path / "trial"), 1)).experiment.evaluation.folds == 3
    assert "Given folds are the same each time" in refuse(folder, tmp_path, repeats=2)


LEAKY = [
    *rows("train train train valid"),
    *({"label": label, "split": "test", "patient": f"{label}{number}"} for label in "ab" for number in (0, 8, 9)),
]
"""Patients a0 and b0 are in training, too."""


@pytest.mark.parametrize(
    "drop", [pytest.param(False, marks=pytest.mark.thorough), pytest.param(True, marks=pytest.mark.slow)]
)
def test_patients_and_copies_across_the_split_are_counted_named_and_dropped(tmp_path: Path, drop: bool) -> None:
    folder = draw(tmp_path / "leaky", LEAKY)
    (folder / "20.png").write_bytes((folder / "5.png").read_bytes())  # a file of b1, which is in training
    table = pd.read_csv(folder / "manifest.csv")
    table.loc[20, ["label", "patient"]] = table.loc[5, ["label", "patient"]]
    table.loc[20, "patient"] = ""
    table.to_csv(folder / "manifest.csv", index=False)
    evaluation = {"folds": 2, "split": "given", "drop_leaks": drop}
    outcome = run(small_experiment(folder, tmp_path / "results", evaluation=evaluation), workers=1)
    answer, named = outcome.answer, pd.read_csv(outcome.folder / "audit" / "leaks.csv")
    assert answer.test
    assert (answer.test.leaks.patients, answer.test.leaks.copies) == (2, 1)
    assert (answer.test.leaks.test_images, answer.test.leaks.other_images) == (3, 5)
    assert sorted(named["kind"]) == ["identical file", "patient", "patient"]
    ledger, images = (pd.read_parquet(outcome.folder / f"{name}.parquet") for name in ("ledger", "images"))
    assert (len(images), answer.test.leaks.dropped) == ((11, 5) if drop else (16, 0))
    assert ledger["reason"].str.startswith("leak: ").sum() == 5 * drop
    assert ("--drop-leaks leaves them out of training" in answer.sentences[1]) != drop
    assert "LEAK: 2 patients and 1 pair of copies are in the given test part" in "\n".join(outcome.protocol)


@pytest.mark.parametrize(
    "drop", [pytest.param(False, marks=pytest.mark.slow), pytest.param(True, marks=pytest.mark.thorough)]
)
def test_given_folds_with_a_leak_run_say_so_and_can_drop_it(tmp_path: Path, drop: bool) -> None:
    folds = [("uvw"[place // 4 % 3]) for place in range(24)]
    folds[0] = "v"  # one image of patient a0 is in another fold
    folder = draw(tmp_path / "folds", rows("train train train train train train"), fold=folds)
    evaluation = {"split": "given", "drop_leaks": drop}
    outcome: Outcome = run(small_experiment(folder, tmp_path / "results", evaluation=evaluation), workers=1)
    words = "\n".join(outcome.protocol)
    assert "3 given folds" in words
    assert "2 images for training have their patient or a copy in another given fold" in words
    assert outcome.answer.test is None
    assert set(outcome.results.folds["fold"]) == {0, 1, 2}
    assert outcome.answer.groups.kind == ("patients" if drop else "none")
    assert ("OPTIMISTIC: given folds have patients or copies of 2 images on both sides" in words) != drop
    assert ("each fold leaves its own out of training" in words) == drop


def test_an_ignored_split_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder = draw(tmp_path / "ignored", rows())
    prepare_run(small_experiment(folder, tmp_path), Workspace(RunFolder(tmp_path / "trial"), 1))
    assert "GIVEN SPLIT IGNORED (test 8, train 16 images): folds are drawn over all images" in caplog.text

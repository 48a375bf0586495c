"""Verification: an honest run agrees, and whoever changes a number in it is found, though digests were made anew."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from leukobench.runs.folder import RunFolder
from leukobench.studies.verification import Verification, verify

Change = Callable[[pd.DataFrame], Any]


@pytest.fixture
def folder(finished_run: Any, tmp_path: Path) -> Path:
    """A finished run that a test may change."""
    return Path(shutil.copytree(finished_run.folder, tmp_path / "trial"))


def changed(folder: Path, name: str, change: Change, hide: bool = True) -> Verification:
    """Change a table of the run, make its digests anew, and verify it."""
    path = folder / name
    table = pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path)
    table = change(table)
    if path.suffix == ".parquet":
        table.to_parquet(path, index=False)
    else:
        table.to_csv(path, index=False)
    if hide:
        RunFolder(folder).refresh()
    return verify(folder)


def files_of(outcome: Verification) -> set[str]:
    """Files with a value that differs, of which the digests agree."""
    assert not outcome.agrees
    return {one.file for one in outcome.mismatches}


def test_an_honest_run_agrees(finished_run: Any) -> None:
    outcome = verify(finished_run.folder)
    assert outcome.agrees, outcome.lines()
    compared = {check.what: check.compared for check in outcome.checks}
    board = finished_run.leaderboard
    assert compared["leaderboard.csv, by other code"] > 20 * len(board)
    assert compared["leaderboard.csv"] > 60 * len(board)
    assert compared["scores.parquet, by other code"] > 1000
    assert {"comparisons.csv", "classes.csv", "patient_scores.csv", "answer.json, sentences"} <= set(compared)
    assert all(check.largest < 1e-12 for check in outcome.checks)
    assert any("no --images" in one.reason for one in outcome.unverified)


def swap(table: pd.DataFrame) -> pd.DataFrame:
    """Exchange one image between two combinations."""
    first, second = (
        table.index[(table["row"] == 5) & (table["classifier"] == name) & (table["selector"] == "none")][0]
        for name in ("lda", "naive_bayes")
    )
    columns = [name for name in table if name.startswith("p_") or name == "predicted"]
    table.loc[[first, second], columns] = table.loc[[second, first], columns].to_numpy()
    return table


def one_probability(table: pd.DataFrame) -> pd.DataFrame:
    """Move a thousandth of one image's probability to another class."""
    columns = [name for name in table if name.startswith("p_")]
    row = table.index[table["kind"] == "combination"][7]
    values = table.loc[row, columns].sort_values()
    table.loc[row, values.index[-1]] -= 1e-3
    table.loc[row, values.index[0]] += 1e-3
    return table


def other_fold(table: pd.DataFrame) -> pd.DataFrame:
    """Test one image of a patient in another fold than the rest."""
    table.loc[0, "fold"] = (table.loc[0, "fold"] + 1) % 3
    return table


def without(row: int) -> Change:
    return lambda table: table.drop(index=table.index[row])


def other_label(table: pd.DataFrame) -> pd.DataFrame:
    labels = table["label"].unique()
    table.loc[3, "label"] = next(label for label in labels if label != table.loc[3, "label"])
    return table


def better_by(column: str, change: float) -> Change:
    def better(table: pd.DataFrame) -> pd.DataFrame:
        table.loc[0, column] += change
        return table

    return better


@pytest.mark.parametrize(
    ("name", "change", "file"),
    [
        ("predictions.parquet", one_probability, "leaderboard.csv"),
        ("predictions.parquet", swap, "leaderboard.csv"),
        ("predictions.parquet", without(100), "predictions.parquet"),
        ("images.parquet", other_label, "folds.parquet"),
        ("folds.parquet", other_fold, "folds.parquet"),
        ("leaderboard.csv", better_by("balanced_accuracy", 1e-4), "leaderboard.csv"),
        ("leaderboard.csv", better_by("auroc_low", 1e-4), "leaderboard.csv"),
        ("comparisons.csv", better_by("low", 1e-4), "comparisons.csv"),
        ("scores.parquet", better_by("value", 1e-4), "scores.parquet"),
    ],
)  # fmt: skip
def test_a_change_is_found_though_its_digest_was_hidden(folder: Path, name: str, change: Change, file: str) -> None:
    outcome = changed(folder, name, change)
    assert not next(check.differ for check in outcome.checks if check.what == "files")
    assert file in files_of(outcome)
    assert any(line.startswith("DIFFERS: ") for line in outcome.lines())

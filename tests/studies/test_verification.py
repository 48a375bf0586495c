"""Verification: an honest run agrees, and whoever changes a number in it is found, though digests were made anew."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from leukobench.errors import ConfigurationError, StorageError
from leukobench.pipeline import run
from leukobench.runs.folder import RunFolder
from leukobench.runs.progress import silent
from leukobench.studies.stored_results import StoredResults
from leukobench.studies.verification import verify
from leukobench.studies.verified_files import check_files, check_images
from leukobench.studies.verified_grid import check_grid
from leukobench.studies.verified_rerun import check_rerun

from ..conftest import small_experiment

Change = Callable[[pd.DataFrame], Any]


@pytest.fixture
def folder(finished_run: Any, tmp_path: Path) -> Path:
    """A finished run that a test may change."""
    return Path(shutil.copytree(finished_run.folder, tmp_path / "trial"))


def change_table(folder: Path, name: str, change: Change) -> None:
    """Change a table of the run, and make its digests anew."""
    path = folder / name
    table = pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path)
    table = change(table)
    table.to_parquet(path, index=False) if path.suffix == ".parquet" else table.to_csv(path, index=False)
    RunFolder(folder).refresh()


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


def nowhere(table: pd.DataFrame) -> pd.DataFrame:
    return table.drop(columns=next(name for name in table if name.startswith("p_")))


def failed(table: pd.DataFrame) -> pd.DataFrame:
    table.loc[1, "status"] = "failed in 1 of 3 folds"
    return table


def better(column: str) -> Change:
    """Change the first number of a column in its fourth digit, or by one where it counts."""

    def change(table: pd.DataFrame) -> pd.DataFrame:
        row = table.index[table[column].notna()][0]
        table.loc[row, column] += 1 if float(table[column].max()) > 1 else 1e-4
        return table

    return change


@pytest.mark.parametrize(
    ("change", "file"),
    [
        (swap, "leaderboard.csv"),
        (nowhere, "predictions.parquet"),
        pytest.param(one_probability, "leaderboard.csv, by other code", marks=pytest.mark.slow),
        pytest.param(without(100), "predictions.parquet", marks=pytest.mark.slow),
    ],
)
def test_a_change_of_predictions_is_found_though_its_digest_was_hidden(folder: Path, change: Change, file: str) -> None:
    change_table(folder, "predictions.parquet", change)
    outcome = verify(folder)
    assert not outcome.checks[0].differ
    assert file in {check.what for check in outcome.checks if check.differ}
    assert any(line.startswith("DIFFERS: ") for line in outcome.lines())


@pytest.mark.parametrize(
    ("name", "change"), [("images.parquet", other_label), ("folds.parquet", other_fold), ("folds.parquet", without(0))]
)
def test_folds_that_leak_or_are_not_whole_end_the_verification(folder: Path, name: str, change: Change) -> None:
    change_table(folder, name, change)
    outcome = verify(folder)
    assert outcome.checks[1].differ
    assert "every number" in {one.what for one in outcome.unverified}


def test_every_number_of_every_table_is_compared(folder: Path) -> None:
    changes = [
        ("leaderboard.csv", "balanced_accuracy"), ("leaderboard.csv", "auroc_low"), ("leaderboard.csv", "rank_high"),
        ("comparisons.csv", "low"), ("scores.parquet", "value"), ("classes.csv", "tp"), ("confusion.parquet", "count"),
        ("reliability.parquet", "accuracy"), ("patients.parquet", "accuracy"), ("patient_scores.csv", "mean_accuracy"),
    ]  # fmt: skip
    for name, column in changes:
        change_table(folder, name, better(column))
    change_table(folder, "leaderboard.csv", failed)
    answer = json.loads((folder / "answer.json").read_text())
    number = answer["sentences"][0].partition(" %")[0].rpartition(" ")[2]
    answer["sentences"][0] = answer["sentences"][0].replace(number, "99.99")
    answer["best"]["corrected"] += 1e-4
    (folder / "answer.json").write_text(json.dumps(answer))
    RunFolder(folder).refresh()
    outcome = verify(folder)
    found = {(one.file, one.column) for one in outcome.mismatches}
    assert found >= {*changes, ("leaderboard.csv", "status")}
    assert found >= {("answer.json", "sentences[0]"), ("answer.json", "best.corrected")}
    assert outcome.differ <= 2 * len(changes) + 4  # nothing else


def test_a_shortcut_or_combination_that_is_left_out_is_missed(folder: Path) -> None:
    change_table(folder, "leaderboard.csv", lambda table: table[~table["extractor"].str.contains("together")])
    change_table(folder, "leaderboard.csv", lambda table: table[table["classifier"] != "lda"])
    found = check_grid(StoredResults.open(folder))
    assert {one.row.partition(" x ")[0] for one in found.mismatches} == {
        "example_plugin:Colours", "shortcut: all shortcuts together",
    }  # fmt: skip
    assert found.differ == 3


def test_a_file_without_a_digest_differs(folder: Path) -> None:
    state = json.loads((folder / "state.json").read_text())
    (folder / "state.json").write_text(json.dumps(state | {"files": {}}))
    files = check_files(folder)
    assert files.differ == files.compared > 5
    (folder / "state.json").write_text(json.dumps(state))
    assert not check_files(folder).differ
    (folder / "scores.parquet").unlink()
    assert [one.file for one in check_files(folder).mismatches] == ["scores.parquet"]


def test_a_damaged_table_differs_where_its_digest_does(folder: Path) -> None:
    (folder / "predictions.parquet").write_bytes(b"no table")
    outcome = verify(folder)
    assert not outcome.agrees
    assert "predictions.parquet" in {one.file for one in outcome.mismatches}


def test_images_are_compared_byte_by_byte(finished_run: Any, images: Path) -> None:
    stored = StoredResults.open(finished_run.folder)
    assert not check_images(stored, images, silent).differ
    changed, absent = sorted(images.rglob("*.jpg"))[:2]
    changed.write_bytes(changed.read_bytes() + b" ")
    absent.unlink()
    found = check_images(stored, images, silent)
    assert (found.compared, found.differ) == (96, 2)
    assert {one.column for one in found.mismatches} == {changed.name, absent.name}


def test_predictions_are_compared_with_those_of_a_second_run(folder: Path, finished_run: Any) -> None:
    assert not check_rerun(StoredResults.open(folder), finished_run.folder).differ
    change_table(folder, "predictions.parquet", swap)
    found = check_rerun(StoredResults.open(folder), finished_run.folder)
    assert 1 <= found.differ <= 8
    assert 0.001 < found.largest <= 1
    change_table(folder, "images.parquet", without(-1))
    with pytest.raises(ConfigurationError, match="no second run"):
        verify(folder, rerun=finished_run.folder)


def test_tables_that_do_not_fit_one_another_are_a_message(folder: Path) -> None:
    change_table(folder, "scores.parquet", lambda table: table.drop(columns="metric"))
    with pytest.raises(StorageError, match="do not fit one another"):
        verify(folder)


@pytest.mark.slow
def test_a_given_test_part_is_computed_again(smears: Path, tmp_path: Path, plugin: str) -> None:
    for image in sorted(smears.rglob("*.jpg")):
        patient = int(image.name.partition("-P")[2][:2])
        target = tmp_path / "images" / ("test" if (patient - 1) // 4 % 3 == 0 else "train") / image.parent.name
        target.mkdir(parents=True, exist_ok=True)
        shutil.copy(image, target)
    settings = {"images": {"layout": "split/class"}, "evaluation": {"folds": 2, "split": "given"}}
    folder = run(small_experiment(tmp_path / "images", tmp_path / "results", **settings), workers=1).folder
    outcome = verify(folder)
    assert outcome.agrees, outcome.lines()
    assert outcome.checks[-1].compared > 1000
    change_table(folder, "test/predictions.parquet", one_probability)
    answer = json.loads((folder / "answer.json").read_text())
    answer["test"]["unbeaten"] = ["nothing"]
    (folder / "answer.json").write_text(json.dumps(answer))
    RunFolder(folder).refresh()
    found = {(one.file, one.column) for one in verify(folder).checks[-1].mismatches}
    assert {"test/leaderboard.csv"} <= {file for file, _ in found}

"""A finished run is opened once, with types, and refuses what is no finished run."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest

import leukobench
from leukobench.errors import ConfigurationError, StorageError
from leukobench.runs.finished import FinishedRun, read_table
from leukobench.runs.folder import RunFolder


@pytest.fixture
def copy(tiny_run: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_run, tmp_path / "tiny"))


def test_a_run_is_opened_with_its_types(tiny_run: Path) -> None:
    run = leukobench.load_results(tiny_run)
    assert (run.name, run.metric) == ("tiny", "balanced_accuracy")
    assert run.answer.best is not None
    assert run.leaderboard["rank"].dtype == "Int64"
    assert [row["kind"] for row in run.ranked] == ["combination"] * 6
    assert run.ranked[0]["rank"] == 1
    assert run.experiment.evaluation.folds == 3
    assert set(run.resolved) >= {"extractors", "images", "software"}
    assert len(run.task) == len(run.images) == 96
    assert set(run.scores["metric"]) >= {"accuracy", "mcc", "fit_s"}
    assert len(run.predictions) == 96 * len(run.leaderboard)
    assert len(run.table("confusion.parquet"))
    assert not len(run.table("learning_curves.csv").columns)


def test_predictions_of_one_combination(tiny_run: Path) -> None:
    run = FinishedRun.open(tiny_run)
    assert run.answer.best is not None
    best = run.predictions_of(run.answer.best.names, repeat=0)
    assert len(best) == 96
    assert set(best["classifier"]) == {run.answer.best.classifier}


def test_a_terminal_shows_the_best_and_the_verdict_in_three_lines(tiny_run: Path) -> None:
    run = FinishedRun.open(tiny_run)
    lines = repr(run).splitlines()
    assert lines[:2] == [f"FinishedRun({str(tiny_run)!r})", run.answer.sentences[0]]
    assert run.answer.shortcut is not None
    assert lines[2].startswith(f"Shortcuts: {run.answer.shortcut.verdict}.")
    assert len(lines) == 3


def test_names_that_look_like_numbers_or_like_nothing_stay_names(tmp_path: Path) -> None:
    pd.DataFrame({"label": ["NA", "01", "None"], "tp": [1, 2, 3]}).to_csv(tmp_path / "classes.csv", index=False)
    assert read_table(tmp_path / "classes.csv")["label"].tolist() == ["NA", "01", "None"]
    (tmp_path / "audit").mkdir()
    table = pd.DataFrame({"fact": ["width"], "rank": ["224 px"], "NA": ["01"], "separation": [0.5], "verdict": ["NA"]})
    table.to_csv(tmp_path / "audit" / "differences.csv", index=False)
    assert read_table(tmp_path / "audit" / "differences.csv").to_dict("records") == table.to_dict("records")


def test_formulas_of_a_csv_come_back_as_the_names_that_they_were(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    classes = pd.DataFrame({"label": ["=1+1", "-1", "'=x"], "tp": [1, -2, 3]})
    differences = pd.DataFrame({"fact": ["width"], "=1+1": ["@"], "separation": [-0.5], "verdict": ["-"]})
    for name, table in {"classes.csv": classes, "audit/differences.csv": differences}.items():
        folder.write_table(name, table)
        assert "'=1+1" in (tmp_path / name).read_text()
        assert read_table(tmp_path / name).to_dict("records") == table.to_dict("records")


def test_what_is_no_finished_run_is_refused(copy: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no such folder"):
        FinishedRun.open(tmp_path / "nothing")
    (copy / "state.json").unlink()
    assert FinishedRun.open(copy, ended=False).name == "tiny"
    with pytest.raises(ConfigurationError, match=r"no state\.json"):
        FinishedRun.open(copy)
    (copy / "leaderboard.csv").unlink()
    with pytest.raises(ConfigurationError, match=r"no leaderboard\.csv"):
        FinishedRun.open(copy, ended=False)


def test_damage_and_older_versions_are_named(copy: Path) -> None:
    (copy / "scores.parquet").unlink()
    with pytest.raises(StorageError, match="not complete"):
        _ = FinishedRun.open(copy).scores
    (copy / "predictions.parquet").write_bytes(b"PAR1 torn")
    RunFolder(copy).refresh()
    with pytest.raises(StorageError, match="cannot be read"):
        _ = FinishedRun.open(copy).predictions
    answer = json.loads((copy / "answer.json").read_text())
    (copy / "answer.json").write_text(json.dumps({key: answer[key] for key in answer if key != "schema"}))
    RunFolder(copy).refresh()
    with pytest.raises(ConfigurationError, match="an older version"):
        FinishedRun.open(copy)
    for torn in ('{"best": ', "7", json.dumps({"schema": answer["schema"]})):
        (copy / "answer.json").write_text(torn)
        RunFolder(copy).refresh()
        with pytest.raises(StorageError, match=r"answer\.json is damaged"):
            FinishedRun.open(copy)


@pytest.mark.parametrize("name", ["leaderboard.csv", "answer.json", "experiment.yaml", "predictions.parquet"])
def test_a_changed_bit_is_never_read_as_another_number(copy: Path, name: str) -> None:
    data = bytearray((copy / name).read_bytes())
    data[len(data) // 2] ^= 1
    (copy / name).write_bytes(data)
    with pytest.raises(StorageError, match="has changed since the run wrote it"):
        _ = FinishedRun.open(copy).predictions

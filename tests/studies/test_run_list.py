"""The list of runs, against what lies in their folders."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import leukobench
from leukobench.errors import ConfigurationError
from leukobench.runs.folder import RunFolder
from leukobench.studies.best_run import best_of
from leukobench.studies.run_list import Entry, Query, list_runs, select, since


@pytest.fixture(scope="module")
def results(finished_run: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two finished runs on the same images, the second with another seed and older, and one that was stopped."""
    folder = tmp_path_factory.mktemp("runs")
    shutil.copytree(finished_run.folder, folder / "trial")
    shutil.copytree(finished_run.folder, folder / "earlier")
    (folder / "stopped").mkdir()
    shutil.copy(finished_run.folder / "experiment.yaml", folder / "stopped")
    answer = json.loads((folder / "earlier" / "answer.json").read_text())
    moment = datetime.fromisoformat(answer["time"]) - timedelta(days=30)
    (folder / "earlier" / "answer.json").write_text(json.dumps(answer | {"time": moment.isoformat()}))
    RunFolder(folder / "earlier").refresh()
    return folder


def entries(results: Path) -> list[Entry]:
    return [Entry.of(results / name, "Benchmark", "finished") for name in ("earlier", "trial")]


def names(found: list[Entry]) -> list[str]:
    return [one.name for one in found]


def test_the_table_holds_what_the_run_says_of_its_best(results: Path) -> None:
    table = leukobench.list_runs(results).set_index("name")
    run = leukobench.load_results(results / "trial")
    best, shortcut = run.answer.best, run.answer.shortcut
    assert best is not None
    assert shortcut is not None
    assert table.index.tolist() == ["stopped", "trial", "earlier"]
    assert table["state"].tolist() == ["unfinished", "finished", "finished"]
    row = table.loc["trial"]
    assert (row["extractor"], row["selector"], row["classifier"]) == best.names
    assert [row["value"], row["low"], row["high"]] == [best.value, best.low, best.high]
    assert (row["corrected"], row["verdict"], row["images"]) == (best.corrected, shortcut.verdict, len(run.images))
    assert row["controls"] == ("" if not run.answer.controls else "better" if all(
        one.beaten for one in run.answer.controls) else "not better")  # fmt: skip


def test_a_condition_on_a_name_shows_the_best_with_it(results: Path) -> None:
    board = pd.read_csv(results / "trial" / "leaderboard.csv")
    board = board[board["kind"] == "combination"]
    for classifier in ("lda", "naive_bayes"):
        table = list_runs(results, where={"classifier": classifier})
        best = board.loc[board["classifier"] == classifier, "balanced_accuracy"].max()
        assert table["classifier"].tolist() == [classifier, classifier]
        assert table["value"].tolist() == pytest.approx([best, best])
    corrected = list_runs(results, where={"selector": "anova"})["corrected"]
    assert corrected.isna().all() == (board["selector"].iloc[0] == "none")
    assert list_runs(results, where={"classifier": "xgboost"}).empty


def test_a_condition_on_the_experiment_and_on_the_state(results: Path) -> None:
    assert len(list_runs(results, where={"evaluation.folds": "3"})) == 2
    assert list_runs(results, where={"evaluation.folds": "4"}).empty
    assert list_runs(results, where={"state": "unfinished"})["name"].tolist() == ["stopped"]
    with pytest.raises(ConfigurationError, match=r"did you mean evaluation\.folds"):
        list_runs(results, where={"evaluation.fold": "3"})


def test_text_images_and_moment_narrow_and_sort_orders(results: Path) -> None:
    both = entries(results)
    assert names(select(both, Query(("TRI",)))) == ["trial"]
    assert names(select(both, Query(("tri", "earlier")))) == []
    assert names(select(both, Query(images="synthetic"))) == ["trial", "earlier"]
    assert names(select(both, Query(images="elsewhere"))) == []
    written = both[1].facts.time
    assert written is not None
    assert names(select(both, Query(since=written - timedelta(days=1)))) == ["trial"]
    assert names(select(both, Query(sort="name"))) == ["earlier", "trial"]


def test_moments_are_dates_or_times_ago() -> None:
    now = datetime(2026, 1, 31, 12, tzinfo=UTC)
    assert since("2026-01-05") == datetime(2026, 1, 5, tzinfo=UTC)
    assert since("7d", now) == datetime(2026, 1, 24, 12, tzinfo=UTC)
    assert since("36h", now) == datetime(2026, 1, 30, tzinfo=UTC)
    with pytest.raises(ValueError, match="expected a date"):
        since("soon")


def test_the_best_is_named_with_its_verdict_and_what_is_as_good(results: Path) -> None:
    ranked = best_of(entries(results))
    words = "\n".join(ranked.sentences())
    shortcut = leukobench.load_results(results / "trial").answer.shortcut
    assert shortcut is not None
    assert ranked.combinations == 8
    assert "Best of 8 combinations in 2 runs on the same 96 images and folds" in words
    assert shortcut.words in words
    assert "Inside its interval lies the best score of: trial." in words
    assert f"leukobench compare {results / 'trial'} {results / 'earlier'}" in words


@pytest.mark.parametrize(
    ("table", "change", "reason"),
    [
        ("folds.parquet", lambda t: t.assign(fold=(t["fold"] + t["row"]) % 3), "the folds of"),
        ("images.parquet", lambda t: t.iloc[:-1], "the images differ: 96 and 95, of which 95 are in both"),
        ("images.parquet", lambda t: t.replace({"label": {"Pro": "Late"}}), "the classes differ"),
    ],
)
def test_runs_of_other_images_or_folds_are_not_ranked(
    results: Path, tmp_path: Path, table: str, change: Any, reason: str
) -> None:
    for name in ("earlier", "trial"):
        shutil.copytree(results / name, tmp_path / name)
    file = tmp_path / "trial" / table
    change(pd.read_parquet(file)).to_parquet(file)
    RunFolder(tmp_path / "trial").refresh()
    with pytest.raises(ConfigurationError, match="cannot be ranked") as caught:
        best_of(entries(tmp_path))
    assert reason in caught.value.received


def test_nothing_to_rank_is_a_message(results: Path) -> None:
    with pytest.raises(ConfigurationError, match="No finished run"):
        best_of([Entry.of(results / "stopped", "Benchmark", "stopped")])
    with pytest.raises(ConfigurationError, match="no such folder"):
        list_runs(results / "absent")

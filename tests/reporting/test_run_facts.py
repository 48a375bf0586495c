"""What the list of runs says of each folder, against what lies in it."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from leukobench.reporting.controls import controls_verdict
from leukobench.reporting.run_facts import BENCHMARK, COMPARISON, RunFacts, facts_of, folder_names, is_finished, kind_of
from leukobench.reporting.verdicts import VERDICTS
from leukobench.runs.answer import Winner
from leukobench.runs.control_answer import Control
from leukobench.storage import mark_output


def folder_of(results: Path, name: str, *files: str, experiment: str = "") -> Path:
    folder = results / name
    mark_output(folder)
    for file in files:
        (folder / file).write_text("")
    if experiment:
        (folder / "experiment.yaml").write_text(f"name: {experiment}\n")
    return folder


def test_a_study_is_no_benchmark_whatever_it_wrote_so_far(tmp_path: Path) -> None:
    folder_of(tmp_path, "a-leakage", experiment="a")
    folder_of(tmp_path, "b-leakage", "summary.csv", "leakage.png", experiment="b")
    folder_of(tmp_path, "c-leakage", experiment="c-leakage")  # somebody's benchmark
    folder_of(tmp_path, "d-learning-curve", "crossings.csv")
    folder_of(tmp_path, "e-audit")
    folder_of(tmp_path, "f", "same_images.csv")
    folder_of(tmp_path, "overlays")
    (tmp_path / "photographs").mkdir()
    kinds = {name: kind_of(tmp_path / name) for name in sorted(folder_names(tmp_path))}
    assert kinds == {
        "a-leakage": "Leakage study",
        "b-leakage": "Leakage study",
        "c-leakage": BENCHMARK,
        "d-learning-curve": "Learning curve",
        "e-audit": "Audit",
        "f": COMPARISON,
    }
    ended = {name for name, kind in kinds.items() if is_finished(tmp_path / name, kind)}
    assert ended == {"b-leakage", "d-learning-curve", "f"}
    assert facts_of(tmp_path / "b-leakage", "Leakage study").picture == tmp_path / "b-leakage" / "leakage.png"


def test_a_finished_run_is_said_in_a_line(finished_run: Any) -> None:
    run = finished_run.folder
    facts = facts_of(run, kind_of(run))
    best = pd.read_csv(run / "leaderboard.csv").iloc[0]
    seconds = json.loads((run / "costs.json").read_text())["seconds"]
    when, images, took, score = facts.line().replace("\N{NO-BREAK SPACE}", " ").split(" · ")[:4]
    assert when.endswith("UTC")
    assert images == "96 images"
    assert took == f"took {seconds:.0f} s"
    assert score.startswith(f"best balanced accuracy {100 * best['balanced_accuracy']:.2f} % [")
    assert best["classifier"] in facts.line()
    assert (facts.failure, facts.all_failed) == ("", False)
    shortcut = json.loads((run / "answer.json").read_text())["shortcut"]
    assert (facts.verdict, facts.badge()) == (shortcut["verdict"], VERDICTS[shortcut["verdict"]].title)


def test_a_control_that_is_not_beaten_stands_beside_the_verdict_on_shortcuts() -> None:
    control = Control("RANDOM net", 0.8, 0.7, 0.9, 0.03, -0.01, 0.05, 0.9, 0.8, 0.99)
    names = {"extractor": "net", "selector": "none", "classifier": "lda"}
    best = Winner.from_json(dict.fromkeys(Winner.__dataclass_fields__) | {"metric": "accuracy", "value": 0.8} | names)
    facts = RunFacts(best=best, verdict="better", control=controls_verdict([control]))
    assert facts.badge() == "Better than the shortcuts tried; not better than a random network"
    assert facts.line().endswith(f" · {facts.badge()}")
    beaten = replace(facts, control=controls_verdict([replace(control, lead_low=0.01)]))
    assert beaten.badge() == "Better than the shortcuts tried"


@pytest.mark.parametrize(("count", "words"), [(1, "1 of 4 combinations failed: "), (4, "All 4 combinations failed: ")])
def test_what_failed_is_said_with_the_reason(finished_run: Any, tmp_path: Path, count: int, words: str) -> None:
    run = Path(shutil.copytree(finished_run.folder, tmp_path / "small"))
    (run / "state.json").write_text('{"state": "", "files": {}}')  # any bytes are as it wrote them
    board = pd.read_csv(run / "leaderboard.csv").astype({"status": "object"})
    rows = board.index[board["kind"] == "combination"][-count:]
    board.loc[rows, "status"] = "failed in 3 of 3 folds"
    board.to_csv(run / "leaderboard.csv", index=False)
    note = dict.fromkeys(["extractor", "selector", "classifier"], "x") | {"kind": "error", "text": "ValueError: few"}
    pd.DataFrame([note]).to_csv(run / "notes.csv", index=False)
    if count == 4:
        answer = json.loads((run / "answer.json").read_text()) | {"best": None}
        (run / "answer.json").write_text(json.dumps(answer))
    facts = facts_of(run, BENCHMARK)
    assert facts.failure == f"{words}ValueError: few."
    assert facts.all_failed == (count == 4)
    board.loc[rows, "status"] = "not reached: 1 of 3 folds"
    board.to_csv(run / "leaderboard.csv", index=False)
    assert facts_of(run, BENCHMARK).failure == f"{count} of 4 combinations were not reached in the time."
    (run / "answer.json").write_text("{}")
    assert "older version" in facts_of(run, BENCHMARK).failure

"""``leukobench runs``."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from leukobench.runs.control_answer import Control
from leukobench.runs.folder import RunFolder

from .calls import call, call_apart


@pytest.fixture
def results(finished_run: Any, tmp_path: Path) -> Path:
    shutil.copytree(finished_run.folder, tmp_path / "trial")
    (tmp_path / "half").mkdir()
    shutil.copy(finished_run.folder / "experiment.yaml", tmp_path / "half")
    return tmp_path


def test_every_run_has_a_line_with_score_and_verdict(results: Path) -> None:
    code, words = call("runs", "--results", str(results))
    answer = json.loads((results / "trial" / "answer.json").read_text())
    lines = {line.split()[0]: line for line in words.splitlines()}
    assert code == 0
    assert f"{100 * answer['best']['value']:.2f} % [" in lines["trial"]
    assert answer["shortcut"]["verdict"] in lines["trial"]
    assert "stopped: Finished work is kept." in lines["half"]
    assert "balanced accuracy" in lines["run"]


def test_a_control_that_is_not_beaten_has_its_word(results: Path) -> None:
    file = results / "trial" / "answer.json"
    control = Control("RANDOM net", 0.8, 0.7, 0.9, 0.03, -0.01, 0.05, 0.9, 0.8, 0.99)
    file.write_text(json.dumps(json.loads(file.read_text()) | {"controls": [control.to_json()]}))
    RunFolder(results / "trial").refresh()
    words = call("runs", "--results", str(results), "--where", "controls=not better")[1]
    head, _, line = words.splitlines()
    assert line[head.index("controls") :].startswith("not better  ")
    assert "NOT BETTER THAN A CONTROL: RANDOM net" in call("runs", "--results", str(results), "--best")[1]
    assert "None of 2 runs" in call("runs", "--results", str(results), "--where", "controls=better")[1]


def test_filters_and_json(results: Path) -> None:
    code, text, _ = call_apart("runs", "--results", results, "--where", "classifier=lda", "--json")
    rows = json.loads(text)["runs"]
    assert (code, [(row["name"], row["classifier"]) for row in rows]) == (0, [("trial", "lda")])
    assert "None of 2 runs" in call("runs", "nothing", "--results", str(results))[1]
    assert (
        "are on the best combination of each run"
        in call("runs", "--results", str(results), "--where", "selector=none")[1]
    )
    for wrong in (("--where", "classifier"), ("--since", "soon"), ("--results", str(results / "absent"))):
        code, words = call("runs", "--results", str(results), *wrong)
        assert (code, "Traceback" in words) == (2, False)


def test_the_best_is_in_sentences_and_as_json(results: Path) -> None:
    code, words = call("runs", "--results", str(results), "--best")
    assert (code, words.startswith("Best of 4 combinations in 1 run on the same 96 images")) == (0, True)
    facts = json.loads(call_apart("runs", "--results", results, "--best", "--json")[1])
    assert (facts["best"]["name"], facts["others"]) == ("trial", [])
    assert call("runs", "--results", str(results), "--best", "nothing")[0] == 2


def test_an_empty_folder_says_what_to_do(tmp_path: Path) -> None:
    code, words = call("runs", "--results", str(tmp_path))
    assert (code, "leukobench run --images FOLDER" in words) == (0, True)

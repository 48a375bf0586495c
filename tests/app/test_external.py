"""External tests in Explore: a tab where there are some."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from leukobench.app.target import find_target

from ..reporting.test_external import ANSWER
from .test_explore import drawn, opened


def test_explore_has_a_tab_of_them(results: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEUKOBENCH_APP", "")
    run = Path(shutil.copytree(results / "small", tmp_path / "small"))
    find_target(run).publish()
    assert "External tests" not in [tab.label for tab in opened("Leaderboard").tabs]
    (run / "external" / "site-b").mkdir(parents=True)
    answer = replace(ANSWER, verdict="lower", sentences=("LOWER ELSEWHERE: <i>x</i>", "second & last"))
    (run / "external" / "site-b" / "answer.json").write_text(json.dumps(answer.to_json()))
    page = opened("External tests")
    html = drawn(page)
    assert "LOWER ELSEWHERE: &lt;i&gt;x&lt;/i&gt;" in html
    assert "second &amp; last" in html
    assert "-15.00 points [-25.00 to -6.00]" in html
    assert "mean of red" in html

"""``leukobench verify``."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from .calls import call, call_apart


def test_what_is_no_run_is_a_message(tmp_path: Path) -> None:
    code, words = call("verify", str(tmp_path))
    assert code == 2
    assert "nothing to verify" in words
    assert "Traceback" not in words


def test_exit_status_and_json_say_whether_all_agrees(finished_run: Any, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(finished_run.folder, tmp_path / "trial"))
    status, output, words = call_apart("verify", folder, "--json", "--workers", "1")
    facts = json.loads(output)
    assert (status, facts["agrees"]) == (0, True)
    assert "values agree" in words
    report = folder / "report.html"
    report.write_text(report.read_text(encoding="utf-8") + " ", encoding="utf-8")
    status, output, words = call_apart("verify", folder, "--json", "--workers", "1")
    (files,) = [one for one in json.loads(output)["checks"] if one["differ"]]
    assert (status, files["what"]) == (1, "files")
    assert "DIFFERS: report.html" in words

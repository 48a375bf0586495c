"""``leukobench verify``."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pandas as pd

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
    folds = pd.read_parquet(folder / "folds.parquet")
    folds.iloc[1:].to_parquet(folder / "folds.parquet", index=False)
    status, output, words = call_apart("verify", folder, "--json", "--workers", "1")
    assert (status, json.loads(output)["agrees"]) == (1, False)
    assert [one["what"] for one in json.loads(output)["checks"] if one["differ"]] == ["files", "folds"]
    assert "DIFFERS: folds.parquet, SHA-256" in words

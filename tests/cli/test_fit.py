"""``leukobench fit``."""

from __future__ import annotations

from pathlib import Path

from .calls import call


def test_a_run_that_is_not_there_is_a_message(tmp_path: Path) -> None:
    code, output = call("fit", str(tmp_path / "absent"))
    assert code == 2
    assert "Traceback" not in output

"""A few of the faults of benchmarks/faults.py: full disk, power cut and kill of a run, changed bits, hostile files."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARK = Path(__file__).parent.parent / "benchmarks" / "faults.py"


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="runs are forked")
def test_nothing_is_lost_or_read_as_something_else() -> None:
    done = subprocess.run([sys.executable, BENCHMARK, "--short"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    rows = [line for line in done.stdout.splitlines() if line.startswith("{'part'")]
    assert len(rows) == 4
    assert all("'wrong_results': 0, 'not_resumed': 0, 'tracebacks': 0, 'left_behind': 0" in row for row in rows)

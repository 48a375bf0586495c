"""Costs: seconds by stage, memory with child processes, bytes on the disk."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from leukobench.runs.costs import Costs, costs_line, folder_bytes, in_bytes, watch_memory
from leukobench.runs.progress import silent


def test_each_stage_is_timed() -> None:
    costs = Costs()
    with costs.time_stages(silent)("resting", 7) as advance:
        advance(7)
        time.sleep(0.05)
    count, seconds = costs.stages["resting"]
    assert count == 7
    assert 0.05 <= seconds < 5


@pytest.mark.slow
def test_memory_of_this_process_and_of_its_children_counts() -> None:
    costs, child = Costs(), "import time, numpy as np; x = np.ones(25_000_000); time.sleep(3)"
    with watch_memory(costs):
        time.sleep(0.6)
    before = costs.memory
    with watch_memory(costs):
        mine = np.ones(12_500_000)
        with subprocess.Popen([sys.executable, "-c", child]) as process:
            process.wait()
    assert costs.memory - before > mine.nbytes + 150e6
    alone = Costs()
    with watch_memory(alone, children=False), subprocess.Popen([sys.executable, "-c", child]) as process:
        process.wait()
    assert alone.memory < before + mine.nbytes + 50e6


def test_bytes_of_a_folder(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "a").write_bytes(b"1" * 1000)
    (tmp_path / "deep" / "b").write_bytes(b"1" * 500)
    assert folder_bytes(tmp_path) == 1500
    assert folder_bytes(tmp_path / "absent") == 0


def test_what_was_planned_stands_beside_what_it_took() -> None:
    took = {"seconds": 130.0, "memory_bytes": 1.2e9, "disk_bytes": 56e6}
    planned = {"seconds": 100.0, "memory_bytes": 2e9, "disk_bytes": 60e6}
    assert costs_line(took, None) == "Took 2 min 10 s; memory up to 1.2 GB; disk 56 MB."
    assert costs_line(took, planned) == (
        "Took 2 min 10 s (planned: 1 min 40 s); memory up to 1.2 GB (planned: 2.0 GB); disk 56 MB (planned: 60 MB)."
    )
    assert in_bytes(0) == "0 MB"

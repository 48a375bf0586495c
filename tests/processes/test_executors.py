"""Processes of a run: they end with the run, whatever ends it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from leukobench.processes.workers import Worker

PIECE = """
import os, re, sys
from pathlib import Path

def work(folder, number, begin):
    (Path(folder) / str(os.getpid())).touch()
    re.match("(a|a)*b", "a" * 60)  # never ends, and holds Python's lock
"""
PARENT = """
import sys
sys.path.insert(0, sys.argv[1])
from piece import work
from leukobench.processes.executors import Processes
list(Processes(2).map(work, [(sys.argv[2], number) for number in range(2)], None))
"""


def gone(number: int) -> bool:
    return not psutil.pid_exists(number) or psutil.Process(number).status() == psutil.STATUS_ZOMBIE


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a worker ends when compiled code lets go of the lock")
def test_workers_end_with_a_killed_parent_even_in_the_middle_of_compiled_code(tmp_path: Path) -> None:
    (tmp_path / "piece.py").write_text(PIECE)
    (workers := tmp_path / "workers").mkdir()
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])}
    command = [sys.executable, "-c", PARENT, str(tmp_path), str(workers)]
    with subprocess.Popen(command, env=environment) as parent:
        deadline = time.monotonic() + 60
        while len(list(workers.iterdir())) < 2:
            assert parent.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
        parent.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 3
    while not all(gone(int(path.name)) for path in workers.iterdir()):
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.skipif(sys.platform != "linux", reason="the mask of signals of a process is read from /proc")
def test_ctrl_c_in_a_terminal_is_not_heard_by_workers_even_while_they_start() -> None:
    """It reaches all processes of a command; a worker that is importing its libraries would show where."""
    worker = Worker()
    (blocked,) = re.findall(r"SigBlk:\s*(\w+)", Path(f"/proc/{worker._process.pid}/status").read_text())
    worker.end()
    assert int(blocked, 16) & 1 << signal.SIGINT - 1
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, [])

"""Every process of a watched run: which writes it reaches, and which of them fail, or end it.

`benchmarks/fault_trials.py` puts this file on the path of Python as ``sitecustomize``; `leukobench.storage.fault_point`
calls `reached`. Several processes share what they know by files in ``$LEUKOBENCH_FAULTS``.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import signal
import sys
import time
from pathlib import Path
from types import FrameType

_BETWEEN = ("storage.py", "contextlib.py", "sitecustomize.py", "fault_watcher.py")


def reached(moment: str, target: Path) -> None:
    """Count the write, then do with it what the plan says."""
    folder = Path(os.environ["LEUKOBENCH_FAULTS"])
    try:
        plan = json.loads((folder / "plan.json").read_text())
    except (OSError, ValueError):
        return
    number, site = _count(folder / "writes"), f"{_site(sys._getframe(1))} {moment}"
    if plan["kind"] == "list":
        with (folder / "sites").open("a") as file:
            file.write(f"{site}\n")
    elif plan["kind"] == "full":
        if site == plan["site"] and _count(folder / "there") == plan["occurrence"]:
            (folder / "full").touch()
        if (folder / "full").exists():
            raise OSError(errno.ENOSPC, "No space left on device", str(target))
    elif plan["kind"] == "cut":
        if moment == "rename":
            _keep_old(folder, number, target)
        if number == plan["after"]:
            os.killpg(os.getpgid(0), signal.SIGKILL)


def jump(jumps: list[list[float]]) -> None:
    """Set the clock of this process forward or back, each time after some seconds."""
    real, begun = time.time, time.monotonic()

    def jumping() -> float:
        past = time.monotonic() - begun
        return real() + sum(by for at, by in jumps if past >= at)

    time.time = jumping
    time.time_ns = lambda: int(jumping() * 1e9)


def _count(path: Path) -> int:
    """One more, among all processes."""
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    try:
        os.write(descriptor, b"x")
        return os.lseek(descriptor, 0, os.SEEK_CUR)
    finally:
        os.close(descriptor)


def _keep_old(folder: Path, number: int, target: Path) -> None:
    """What the next rename replaces, which a power cut may bring back."""
    (folder / "journal").mkdir(exist_ok=True)
    with contextlib.suppress(FileNotFoundError):
        os.link(target, folder / "journal" / f"{number}.old")
    (folder / "journal" / f"{number}.json").write_text(json.dumps(str(target)))


def _site(frame: FrameType | None) -> str:
    """Where leukobench writes: the first caller outside of `leukobench.storage`, as file and function."""
    while frame and os.path.basename(frame.f_code.co_filename) in _BETWEEN:
        frame = frame.f_back
    return f"{'/'.join(frame.f_code.co_filename.split('/')[-2:])}:{frame.f_code.co_name}" if frame else "?"


def begin() -> None:
    """Do what the environment says."""
    if os.environ.get("LEUKOBENCH_FAULTS"):
        sys.modules["leukobench_faults"] = sys.modules[__name__]
    if os.environ.get("LEUKOBENCH_CLOCK"):
        jump(json.loads(os.environ["LEUKOBENCH_CLOCK"]))


begin()

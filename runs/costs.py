"""Costs: seconds of each stage, memory of all processes, bytes on the disk, while a run goes on."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..machine import Advance, Progress, held_bytes
from .progress import duration

_EVERY_S = 0.5


@dataclass
class Costs:
    """What a stretch of work cost.

    Attributes
    ----------
    stages : dict
        Title of each stage -> its count (images, cells) and its seconds.
    seconds : float
        Of everything.
    memory : int
        Bytes that this process and its children held at most at one time, mapped files apart; seen twice a second.
    disk : int
        Bytes added to the disk.
    """

    stages: dict[str, tuple[int, float]] = field(default_factory=dict)
    seconds: float = 0.0
    memory: int = 0
    disk: int = 0

    def time_stages(self, progress: Progress) -> Progress:
        """`progress`, with the seconds of each stage written down."""

        @contextlib.contextmanager
        def stage(title: str, total: int) -> Iterator[Advance]:
            start = time.perf_counter()
            with progress(title, total) as advance:
                yield advance
            self.stages[title] = total, time.perf_counter() - start

        return stage

    def to_mapping(self) -> Mapping[str, Any]:
        """JSON-like."""
        stages = [{"stage": name, "count": count, "seconds": s} for name, (count, s) in self.stages.items()]
        return {"seconds": self.seconds, "memory_bytes": self.memory, "disk_bytes": self.disk, "stages": stages}


@contextlib.contextmanager
def watch_memory(costs: Costs, children: bool = True) -> Iterator[None]:
    """Write into `costs` how much memory is held while the block runs, with that of child processes or without."""
    done = threading.Event()
    watcher = threading.Thread(target=_watch, args=(costs, children, done), daemon=True, name="memory")
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()


def _watch(costs: Costs, children: bool, done: threading.Event) -> None:
    import psutil

    own = psutil.Process()
    while True:
        processes = [own, *(own.children(recursive=True) if children else [])]
        costs.memory = max(costs.memory, sum(held_bytes(one.pid) for one in processes))
        if done.wait(_EVERY_S):
            return


def folder_bytes(folder: Path) -> int:
    """Bytes of all files below `folder`; those that vanish meanwhile do not count."""
    total = 0
    for path, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                total += (Path(path) / name).stat().st_size
    return total


def in_bytes(count: float) -> str:
    """Bytes in words: ``"12 MB"``, ``"1.4 GB"``."""
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"


def costs_line(costs: Mapping[str, Any], planned: Mapping[str, Any] | None) -> str:
    """Actual costs of a run beside the planned ones, in words."""

    def beside(key: str, words: Callable[[float], str]) -> str:
        plan = f" (planned: {words(planned[key])})" if planned else ""
        return f"{words(costs[key])}{plan}"

    took, memory, disk = beside("seconds", duration), beside("memory_bytes", in_bytes), beside("disk_bytes", in_bytes)
    return f"Took {took}; memory up to {memory}; disk {disk}."

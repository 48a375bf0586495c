"""Many runs in one process: what it holds more after each."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import psutil
from fault_trials import Place, Row

_SETTLED = 10
"""Runs after which everything is loaded."""
_MORE_MB = 30


def many_runs(place: Place, count: int, seed: int = 0) -> Row:
    """Small runs, one after the other in this process: memory, descriptors, threads and temporary files come back."""
    from leukobench.config.experiment_file import for_folder
    from leukobench.pipeline import run

    row = Row("runs in one process")
    place.expect()
    sys.path.insert(0, str(place.watch))
    os.environ.update(place.environment("cache-inside"))
    settings = {key: value for key, value in place.experiment.items() if key != "images"}
    held: list[tuple[float, int, int, int]] = []
    for number in range(count):
        name = f"inside-{number}"
        run(for_folder(place.images, name=name, results=place.results, **settings), workers=2)
        wrong = place.compare(name)
        held.append(_held())
        before = held[min(_SETTLED, number // 2)]
        more = [now - then for now, then in zip(held[-1], before, strict=True)]
        grown = more[0] > _MORE_MB or any(count > 0 for count in more[1:])
        words = f"run {number}: {more[0]:.0f} MB, {more[1:]} descriptors, threads and temporary files more {wrong}"
        row.add(words, wrong_results=int(bool(wrong)), left_behind=int(number > _SETTLED and grown))
        place.forget(name)
    settled = held[min(_SETTLED, len(held) - 1)]
    row.notes.append(f"{held[-1][0] - settled[0]:+.0f} MB from run {_SETTLED} to run {count}")
    return row


def _held() -> tuple[float, int, int, int]:
    """Megabytes, descriptors, threads and temporary files of this process."""
    own = psutil.Process()
    temporary = [name for name in os.listdir(tempfile.gettempdir()) if str(os.getpid()) in name]
    shared = [name for name in os.listdir("/dev/shm") if f"-{os.getpid()}-" in name or f"_{os.getpid()}_" in name]
    folders = [name for name in temporary + shared if Path(tempfile.gettempdir(), name).exists()]
    return own.memory_info().rss / 2**20, own.num_fds(), own.num_threads(), len(folders)

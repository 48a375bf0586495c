"""What it costs to hand out a piece of work: to processes of this machine, and to two workers of Dask on it.

Run as ``python benchmarks/cluster.py``. Each piece does nothing, and names labels and ids of 200,000 images.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from leukobench.machine import Executor
from leukobench.processes.executors import Processes
from leukobench.runs.executors import on_cluster
from leukobench.runs.folder import RunFolder

IMAGES, PIECES = 200_000, 1_000


def nothing(labels: Any, ids: Any, number: int, begin: Callable[[str], None]) -> int:
    """The work."""
    begin("nothing")
    return number


def milliseconds(executor: Executor, images: int, pieces: int) -> float:
    """Of a piece, when the processes have started."""
    labels, ids = np.zeros(images, np.int64), tuple(f"{number:064x}" for number in range(images))
    list(executor.map(nothing, [(labels, ids, number) for number in range(8)], lambda position, stop: None))
    start = time.perf_counter()
    results = executor.map(nothing, ((labels, ids, number) for number in range(pieces)), lambda position, stop: None)
    assert len(list(results)) == pieces
    return 1000 * (time.perf_counter() - start) / pieces


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, on_cluster("local:2", RunFolder(Path(folder))) as dask:
        assert dask is not None
        for images, pieces in ((0, PIECES), (IMAGES, PIECES)):
            print(f"{images:,} images, Dask with 2 workers: {milliseconds(dask, images, pieces):.2f} ms a piece")
            own = milliseconds(Processes(2), images, max(100, pieces // 10))
            print(f"{images:,} images, 2 processes: {own:.2f} ms a piece", flush=True)


if __name__ == "__main__":
    main()

"""Real parts of a Dask cluster for tests: a scheduler and workers, each a process of its own."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import psutil

_FLAGS = ("--no-dashboard",)
_PATIENCE_S = 60


class Parts:
    """A scheduler, and workers with one thread each; a context manager that ends what is left of them."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "scheduler.json"
        self._logs = folder
        self.scheduler = self._start("scheduler", "--port", "0", *_FLAGS)
        until(self._file.exists)
        self.address = str(json.loads(self._file.read_text())["address"])
        self.workers: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Parts:
        return self

    def __exit__(self, *_: object) -> None:
        for process in [*self.workers, self.scheduler]:
            process.kill()
            process.wait()

    def add(self, *options: str, hidden: Path | None = None, **variables: str) -> subprocess.Popen[bytes]:
        """Start a worker, which sees an empty folder in place of a `hidden` one."""
        options = ("--nthreads", "1", "--local-directory", str(self._logs), *_FLAGS, *options)
        self.workers.append(self._start("worker", *options, before=_hiding(hidden) if hidden else (), **variables))
        return self.workers[-1]

    def end_one(self) -> None:
        """Kill the first worker that is there; of one with a nanny what the nanny starts again."""
        worker = next(process for process in self.workers if process.poll() is None)
        below = psutil.Process(worker.pid).children()
        started = [process for process in below if "spawn_main" in " ".join(process.cmdline())]
        (started or [worker])[0].kill()
        if not started:
            worker.wait()

    def wait(self, count: int) -> None:
        """Wait until so many workers are connected."""
        from distributed import Client

        with Client(self.address, set_as_default=False) as client:
            client.wait_for_workers(count, timeout=_PATIENCE_S)

    def _start(self, part: str, *options: str, before: Sequence[str] = (), **variables: str) -> subprocess.Popen[bytes]:
        command = [
            *before,
            sys.executable,
            "-m",
            f"distributed.cli.dask_{part}",
            "--scheduler-file",
            str(self._file),
            *options,
        ]
        log = (self._logs / f"{part}-{len(list(self._logs.iterdir()))}.log").open("wb")
        with log:
            return subprocess.Popen(command, env={**os.environ, **variables}, stdout=log, stderr=log)


def _hiding(folder: Path) -> list[str]:
    return ["unshare", "--mount", "sh", "-c", f'mount -t tmpfs none \'{folder}\' && exec "$0" "$@"']


def can_hide(folder: Path) -> bool:
    """Whether this system lets a process see an empty folder in place of one."""
    with contextlib.suppress(OSError):
        return subprocess.run([*_hiding(folder), "true"], capture_output=True, check=False).returncode == 0
    return False


@contextlib.contextmanager
def in_stages(actions: dict[str, Callable[[], Any]], title: str, total: int) -> Iterator[Any]:
    """A progress that does something once, when a stage has begun to advance."""
    stage = next((name for name in actions if title.startswith(name)), "")

    def advance(done: float, words: str = "") -> None:
        if action := actions.pop(stage, None):
            action()

    yield advance


def until(condition: Callable[[], Any]) -> None:
    """Wait until something holds."""
    deadline = time.monotonic() + _PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)

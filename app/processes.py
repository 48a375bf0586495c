"""Benchmarks as processes of their own: they outlive the page, the session and the server."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..config.experiment import Experiment
from ..errors import BusyError, ConfigurationError
from ..reporting.run_facts import BENCHMARK, folder_names, is_finished, kind_of
from ..runs.folder import RunFolder
from ..storage import lock, write_text
from .console import KEPT, State, age, end, last_lines, last_messages, progress

_STARTED = ".started"
"""Folder beside the runs: their own folders hold nothing that a run did not write."""
_INTERRUPTIBLE = (
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); from leukobench.cli import main; main()"
)
"""The command line, which hears Stop even where the server was started in the background, deaf to Ctrl-C."""
_CLOCK_S = 2.0
"""How far apart two looks at the clock may see the same start of a process."""
_LOOK_S = 1.0
_PATIENCE_S = 10.0
_own = threading.Lock()
_children: list[subprocess.Popen[bytes]] = []
_looked: dict[Path, tuple[float, bool]] = {}


@dataclass(frozen=True)
class Benchmark:
    """One run or study as its folder and its process tell.

    Attributes
    ----------
    name : str
    folder : Path
    state : {"running", "stopped", "ended", "failed", "finished"}
        Stopped by hand, ended unexpectedly (a crash), or failed: leukobench would not go on.
    words : str
        What it does, or why it ended.
    share : float, optional
        Part of the present step that is done, where it counts.
    resumable : bool
        Its experiment file is there.
    stoppable : bool
        Its process is known, for it was started here.
    kind : str
        As `leukobench.reporting.run_facts.kind_of`.
    began : float, optional
        When its process began, in seconds since 1970.
    """

    name: str
    folder: Path
    state: State
    words: str = ""
    share: float | None = None
    resumable: bool = False
    stoppable: bool = False
    kind: str = BENCHMARK
    began: float | None = field(default=None, compare=False)


def start(experiment: Experiment) -> None:
    """Start `experiment`, whose name is new, as a process of its own.

    Raises
    ------
    BusyError
        A benchmark is at work.
    ConfigurationError
        The name is taken.
    """
    import yaml

    results, name = experiment.results, experiment.name
    with _alone(results):
        taken = {*_names(results), *(path.name for path in results.iterdir())}
        if name.casefold() in map(str.casefold, taken):
            raise ConfigurationError(f"The name '{name}' is taken.", fix="choose another, or resume that benchmark.")
        file = _kept(results, name, "yaml")
        write_text(file, yaml.safe_dump(experiment.to_mapping(), sort_keys=False, allow_unicode=True))
        _launch(results, name, file)


def resume(results: Path, name: str) -> None:
    """Start the benchmark called `name` again, with the experiment file that it had.

    Raises
    ------
    BusyError
        A benchmark is at work.
    ConfigurationError
        There is no such benchmark.
    """
    file = _experiment_file(results, name) if name in _names(results) else None
    if file is None or kind_of(results / name) != BENCHMARK:
        raise ConfigurationError(f"There is no benchmark called '{name}' to resume.")
    with _alone(results):
        _launch(results, name, file)


def stop(results: Path, name: str) -> None:
    """Interrupt the benchmark called `name`, as Ctrl-C would; what it finished is kept."""
    pid = _pid(results, name)
    if pid:
        _write_status(results, name, pid, stopped=True)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGINT)


def find(results: Path) -> list[Benchmark]:
    """Every run in the folder `results`: those at work first, then the newest."""
    benchmarks = [(_look(results, name), _last_change(results, name)) for name in _names(results)]
    benchmarks.sort(key=lambda pair: (pair[0].state != "running", -pair[1], pair[0].name))
    return [benchmark for benchmark, _ in benchmarks]


def _names(results: Path) -> list[str]:
    return sorted({*folder_names(results), *(path.stem for path in (results / _STARTED).glob("[!.]*.yaml"))})


def _look(results: Path, name: str) -> Benchmark:
    run = RunFolder(results / name)
    kind = kind_of(run.path)
    resumable = kind == BENCHMARK and _experiment_file(results, name) is not None
    stoppable = _pid(results, name) is not None
    log, status = _kept(results, name, "log"), _read_status(results, name)
    console = last_lines(log)
    if stoppable or _is_locked(run):
        words, share = progress(console, age(log)) if stoppable else progress(last_messages(run.log))
        began = status.get("created") if stoppable else None
        return Benchmark(name, run.path, "running", words, share, resumable, stoppable, kind, began)
    if is_finished(run.path, kind):
        return Benchmark(name, run.path, "finished", resumable=resumable, kind=kind)
    if kind != BENCHMARK:
        return Benchmark(name, run.path, "stopped", f"Repeat its command: {KEPT[0].lower()}{KEPT[1:]}", kind=kind)
    state, words = end(console, status)
    return Benchmark(name, run.path, state, words, resumable=resumable)


@contextlib.contextmanager
def _alone(results: Path) -> Iterator[None]:
    """One start at a time, of all servers on this folder, and only where no benchmark works: it takes all cores."""
    with lock(results / _STARTED / ".lock", "starting a benchmark", timeout_s=_PATIENCE_S):
        for name in _names(results):
            if _pid(results, name) is not None or _is_locked(RunFolder(results / name)):
                raise BusyError(f"The benchmark '{name}' is running, on all cores.", fix="wait for it, or stop it.")
        yield


def _launch(results: Path, name: str, file: Path) -> None:
    arguments = ["run", str(file), "--results", str(results), "--name", name, "--not-by-name"]
    command = [
        sys.executable,
        "-P",
        "-c",
        _INTERRUPTIBLE,
        *arguments,
    ]  # -P: no module of the current folder comes first
    with _kept(results, name, "log").open("wb") as console:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=console, stderr=subprocess.STDOUT, start_new_session=True
        )
    with _own:
        _children.append(process)
    _write_status(results, name, process.pid, stopped=False)


def _write_status(results: Path, name: str, pid: int, stopped: bool) -> None:
    status = {"pid": pid, "created": _creation_time(pid), "stopped": stopped}
    write_text(_kept(results, name, "json"), json.dumps(status))


def _read_status(results: Path, name: str) -> dict[str, Any]:
    """What `_say` wrote of a benchmark that was started here; else nothing."""
    try:
        return dict(json.loads(_kept(results, name, "json").read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return {}


def _pid(results: Path, name: str) -> int | None:
    """Process of a benchmark that was started here and still works."""
    with _own:
        _children[:] = [child for child in _children if child.poll() is None]  # also lets those that ended go
    status = _read_status(results, name)
    try:
        pid, created = int(status["pid"]), _creation_time(status["pid"])
        return pid if created is not None and abs(status["created"] - created) < _CLOCK_S else None
    except (ValueError, KeyError, TypeError):
        return None


def _creation_time(pid: int) -> float | None:
    """When a process began, which distinguishes it from a later one with its number; None where it is gone."""
    import psutil

    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else process.create_time()
    except psutil.Error:
        return None


def _is_locked(run: RunFolder) -> bool:
    """Whether some other process, such as a command line, works on an unfinished run.

    To look is to take its lock for a moment, in which a run could not: once a second for all visitors.
    """
    if is_finished(run.path, kind_of(run.path)) or not run.lock.exists():
        return False
    with _own:
        when, answer = _looked.get(run.path, (-_LOOK_S, False))
        if time.monotonic() - when >= _LOOK_S:
            try:
                with lock(run.lock, "looking"):
                    answer = False
            except BusyError:
                answer = True
            _looked[run.path] = (time.monotonic(), answer)
        return answer


def _kept(results: Path, name: str, ending: str) -> Path:
    return results / _STARTED / f"{name}.{ending}"


def _experiment_file(results: Path, name: str) -> Path | None:
    files = (_kept(results, name, "yaml"), results / name / "experiment.yaml")
    return next((file for file in files if file.exists()), None)


def _last_change(results: Path, name: str) -> float:
    files = [results / name / "run.log", _kept(results, name, "json"), results / name / "experiment.yaml"]
    return max((file.stat().st_mtime for file in files if file.exists()), default=0.0)

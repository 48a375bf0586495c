"""Benchmarks as processes of their own: they outlive the page, the session and the server."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ..config import Experiment
from ..errors import BusyError, ConfigurationError
from ..reporting.run_folder import RunFolder
from ..storage import lock, write_text

State = Literal["running", "stopped", "failed", "finished"]

_STARTED = ".started"
"""Folder beside the runs: their own folders hold nothing that a run did not write."""
_COUNTED = re.compile(r"^(?P<title>.+): (?P<done>[\d,]+)/(?P<total>[\d,]+)(, about (?P<left>[^;]+) left)?(; .*)?$")
_TAIL = 16_384
_starting = threading.Lock()
_children: list[subprocess.Popen[bytes]] = []


@dataclass(frozen=True)
class Benchmark:
    """One run as its folder and its process tell.

    Attributes
    ----------
    name : str
    folder : Path
    state : {"running", "stopped", "failed", "finished"}
    words : str
        What it does, or why it ended.
    share : float, optional
        Part of the present step that is done, where it counts.
    resumable : bool
        Its experiment file is there.
    """

    name: str
    folder: Path
    state: State
    words: str = ""
    share: float | None = None
    resumable: bool = False


def start(experiment: Experiment) -> None:
    """Start `experiment` as a process of its own, which goes on from whatever an earlier one finished.

    Raises
    ------
    BusyError
        One of this name is at work.
    """
    with _starting:
        _refuse_if_running(experiment.results, experiment.name)
        file = _kept(experiment.results, experiment.name, "yaml")
        import yaml

        write_text(file, yaml.safe_dump(experiment.to_mapping(), sort_keys=False, allow_unicode=True))
        _launch(experiment.results, experiment.name, file)


def resume(results: Path, name: str) -> None:
    """Start the benchmark called `name` again, with the experiment file that it had.

    Raises
    ------
    BusyError
        It is at work.
    ConfigurationError
        There is no such benchmark.
    """
    with _starting:
        _refuse_if_running(results, name)
        file = _experiment_file(results, name) if name in _names(results) else None
        if file is None:
            raise ConfigurationError(f"There is no benchmark called '{name}' to go on with.")
        _launch(results, name, file)


def stop(results: Path, name: str) -> None:
    """Interrupt the benchmark called `name`, as Ctrl-C would; what it finished is kept."""
    pid = _pid(results, name)
    if pid:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGINT)


def find(results: Path) -> list[Benchmark]:
    """Every run in the folder `results`: those at work first, then the newest."""
    found = [(_look(results, name), _touched(results, name)) for name in _names(results)]
    found.sort(key=lambda pair: (pair[0].state != "running", -pair[1], pair[0].name))
    return [benchmark for benchmark, _ in found]


def _names(results: Path) -> list[str]:
    folders = [path.name for path in results.glob("*/") if (path / "experiment.yaml").exists()]
    return sorted({*folders, *(path.stem for path in (results / _STARTED).glob("*.yaml"))})


def _look(results: Path, name: str) -> Benchmark:
    run = RunFolder(results / name)
    resumable = _experiment_file(results, name) is not None
    if _running(results, name):
        return _at_work(name, run.path, _console(results, name))
    if run.was_finished() and run.leaderboard.exists():
        return Benchmark(name, run.path, "finished", resumable=resumable)
    refusal = _refusal(_console(results, name))
    state: State = "failed" if refusal else "stopped"
    return Benchmark(name, run.path, state, refusal or "What it finished is kept.", resumable=resumable)


def _at_work(name: str, folder: Path, console: list[str]) -> Benchmark:
    """Its last line that counts, as `leukobench.reporting.progress` writes them; else its last line."""
    for line in reversed(console):
        if counted := _COUNTED.match(line):
            done, total = (int(counted[key].replace(",", "")) for key in ("done", "total"))
            left = f", about {counted['left']} left" if counted["left"] else ""
            words = f"{counted['title'].capitalize()}: {done:,} of {total:,}{left}"
            return Benchmark(name, folder, "running", words, done / total if total else None)
    return Benchmark(name, folder, "running", next((line for line in reversed(console) if line.strip()), ""))


def _refusal(console: list[str]) -> str:
    """What leukobench said when it would not go on; nothing where it was interrupted or killed."""
    starts = [place for place, line in enumerate(console) if line.startswith("leukobench: ")]
    return "\n".join(console[starts[-1] :]).removeprefix("leukobench: ") if starts else ""


def _refuse_if_running(results: Path, name: str) -> None:
    if _running(results, name):
        raise BusyError(f"A benchmark called '{name}' is at work.", mend="wait for it, or give this one another name.")


def _launch(results: Path, name: str, file: Path) -> None:
    command = [sys.executable, "-m", "leukobench", "run", str(file), "--results", str(results), "--name", name]
    with _kept(results, name, "log").open("wb") as console:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=console, stderr=subprocess.STDOUT, start_new_session=True
        )
    _children.append(process)
    said = {"pid": process.pid, "created": _created(process.pid)}
    write_text(_kept(results, name, "json"), json.dumps(said))


def _running(results: Path, name: str) -> bool:
    return _pid(results, name) is not None or _is_locked(RunFolder(results / name))


def _pid(results: Path, name: str) -> int | None:
    """Process of a benchmark that was started here and still works."""
    _children[:] = [child for child in _children if child.poll() is None]  # also lets those that ended go
    try:
        said = json.loads(_kept(results, name, "json").read_text(encoding="utf-8"))
        return int(said["pid"]) if said["created"] == _created(said["pid"]) is not None else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _created(pid: int) -> float | None:
    """When a process was made, which tells it from a later one with its number; None where it is gone."""
    import psutil

    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else process.create_time()
    except psutil.Error:
        return None


def _is_locked(run: RunFolder) -> bool:
    """Whether some other process, such as a command line, works on an unfinished run."""
    if run.was_finished() or not run.lock.exists():
        return False
    try:
        with lock(run.lock, "looking"):
            return False
    except BusyError:
        return True


def _kept(results: Path, name: str, ending: str) -> Path:
    return results / _STARTED / f"{name}.{ending}"


def _experiment_file(results: Path, name: str) -> Path | None:
    files = (_kept(results, name, "yaml"), results / name / "experiment.yaml")
    return next((file for file in files if file.exists()), None)


def _console(results: Path, name: str) -> list[str]:
    """The last lines of what it wrote."""
    try:
        with _kept(results, name, "log").open("rb") as stream:
            stream.seek(max(stream.seek(0, os.SEEK_END) - _TAIL, 0))
            return stream.read().decode("utf-8", "replace").splitlines()
    except OSError:
        return []


def _touched(results: Path, name: str) -> float:
    files = [results / name / "run.log", _kept(results, name, "json"), results / name / "experiment.yaml"]
    return max((file.stat().st_mtime for file in files if file.exists()), default=0.0)

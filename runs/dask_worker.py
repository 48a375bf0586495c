"""What runs inside the workers of a Dask cluster: each piece in a process of its own, as on one machine."""

from __future__ import annotations

import functools
import math
import multiprocessing.util
import os
import pickle
import platform
import shutil
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any, NamedTuple

from .. import __version__
from ..evaluation.identity import installed_versions
from ..machine import Limits, Stop, has_gpu
from ..processes.workers import Worker, end_workers
from ..storage import atomic_path, digest, file_digest
from .markers import sees_marker
from .parcels import compute

_LOOK_S = 0.2
_PACKAGE, _NOT_PACKAGED = Path(__file__).parent.parent, {"tests", "benchmarks"}
_LIBRARIES = (
    *("numpy", "scipy", "scikit-learn", "scikit-learn-intelex", "imbalanced-learn", "xgboost-cpu", "xgboost"),
    *("openvino", "keras", "tensorflow-cpu", "tensorflow", "torch", "opencv-python-headless", "pillow"),
)
"""On which numbers depend."""
_starting = threading.Lock()
DONE, FAILED, STOPPED, LACKING, REFUSED, UNWANTED = "done", "failed", "stopped", "lacking", "refused", "unwanted"


@dataclass(frozen=True)
class Terms:
    """What holds for every piece of a run.

    Attributes
    ----------
    run : str
        Names the folder of what is kept here for it.
    software : mapping
        See `software`; a worker with another computes nothing.
    folder : str
        Where the large parts of pieces lie, which every worker sees; '' where not every one does.
    variables : mapping
        Of the environment of the processes that compute.
    seconds, memory : float
        See `Limits`.
    """

    run: str
    software: Mapping[str, str]
    folder: str = ""
    variables: Mapping[str, str] = field(default_factory=dict)
    seconds: float = math.inf
    memory: float = math.inf


class Outcome(NamedTuple):
    """How a piece ended.

    Attributes
    ----------
    kind : str
        `DONE`, `FAILED`: what it gave, or its exception, pickled. `STOPPED`: a `Stop`. `LACKING`: digests of what is to
        be sent here first. `REFUSED`: why this worker computes nothing. `UNWANTED`: nobody waits for it any more.
    content
    worker : str
        Address.
    seconds : float
        That it took.
    files : mapping
        Name in the run's folder -> content of what it wrote, where this worker does not see that folder.
    """

    kind: str
    content: Any
    worker: str
    seconds: float = 0.0
    files: Mapping[str, bytes] = {}


class Welcome(NamedTuple):
    """What a worker says of itself."""

    software: Mapping[str, str]
    seen: tuple[str, ...]
    gpu: bool


@functools.cache
def software() -> dict[str, str]:
    """Python, leukobench and the libraries on which numbers depend, each with its version."""
    own = {"Python": platform.python_version(), "leukobench": __version__, "code of leukobench": _code_digest()[:12]}
    return own | installed_versions(_LIBRARIES)


def _code_digest() -> str:
    """SHA-256 (hex) of the source of all modules of leukobench."""
    packages = (file.parent for file in _PACKAGE.glob("*/__init__.py") if file.parent.name not in _NOT_PACKAGED)
    sources = [*_PACKAGE.glob("*.py"), *(source for package in packages for source in package.rglob("*.py"))]
    return digest(sorted([source.relative_to(_PACKAGE).as_posix(), file_digest(source)] for source in sources))


def welcome(paths: Sequence[str]) -> Welcome:
    """Software of this worker, which of these files it can read, and whether it has a GPU."""
    return Welcome(software(), tuple(filter(sees_marker, paths)), has_gpu())


def differences(theirs: Mapping[str, str], ours: Mapping[str, str]) -> str:
    """What differs in words, such as ``"scikit-learn 1.8.0, this process 1.9.1"``; '' where nothing does."""
    names = [name for name in {**ours, **theirs} if theirs.get(name) != ours.get(name)]
    words = [f"{name} {theirs.get(name, 'not installed')}, this process {ours.get(name, 'none')}" for name in names]
    return "; ".join(words)


def keep_part(run: str, name: str, start: int, data: bytes, last: bool, dask_worker: Any) -> None:
    """Keep a block of a large part or file on this worker; it is there when its last block is."""
    target = _scratch(dask_worker, run) / name
    growing = target.with_name(f"{name}.growing")
    with growing.open("r+b" if start else "wb") as stream:
        stream.seek(start)
        stream.write(data)
    if last:
        growing.replace(target)


def forget(run: str, dask_worker: Any) -> None:
    """Remove what was kept here for a run."""
    shutil.rmtree(_scratch(dask_worker, run), ignore_errors=True)


def _scratch(worker: Any, run: str) -> Path:
    folder = Path(worker.local_directory) / f"leukobench-{run}"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def compute_piece(data: bytes, parts: Sequence[str], terms: Terms, left_s: float) -> Outcome:
    """Compute a piece in a process of its own, within the limits.

    Parameters
    ----------
    data, parts
        A `leukobench.runs.parcels.Parcel`.
    terms : Terms
    left_s : float
        Seconds until the deadline of the run.
    """
    from distributed import get_worker

    address, start = get_worker().address, time.monotonic()
    if why := differences(software(), terms.software):
        return Outcome(REFUSED, why, address)
    place = Path(terms.folder) if terms.folder else _scratch(get_worker(), terms.run)
    files = {name: str(place / name) for name in parts}
    if lacking := [name for name, path in files.items() if not os.path.exists(path)]:
        return Outcome(LACKING, lacking, address)
    limits = Limits(terms.seconds, terms.memory, start + left_s)
    if terms.folder:
        kind, content = _in_process(data, files, "", terms, limits)
        return Outcome(kind, content, address, time.monotonic() - start)
    with tempfile.TemporaryDirectory(dir=place, prefix="written-") as written:
        kind, content = _in_process(data, files, written, terms, limits)
        paths = [path for path in Path(written).rglob("*") if path.is_file() and not path.name.startswith(".")]
        results = {path.relative_to(written).as_posix(): path.read_bytes() for path in paths}
        return Outcome(kind, content, address, time.monotonic() - start, results)


def _in_process(
    data: bytes, files: Mapping[str, str], written: str, terms: Terms, limits: Limits
) -> tuple[str, bytes | Stop | None]:
    with _starting:  # what starts a process is imported by the first thread alone
        _allow_children()
        worker = Worker.take(terms.variables)
        worker.begin(0, compute, (data, files, written))
    kept = False
    try:
        while not limits.over and _is_wanted():
            left = min(_LOOK_S, max(0.0, worker.left_s(limits)))
            news = worker.hear() if wait([worker.pipe], left) else False
            if news is True:
                ended_well, content = worker.take_result()
                kept = True
                return DONE if ended_well else FAILED, content
            if stop := news or worker.exceeded(limits):
                return STOPPED, stop
        return UNWANTED, None
    finally:
        if kept:
            worker.give_back()
        else:
            worker.end()


@functools.cache
def _allow_children() -> None:
    """Let this process have children, which Dask's nanny forbids by marking it as a daemon; they end with it."""
    multiprocessing.current_process()._config["daemon"] = False  # type: ignore[attr-defined]
    multiprocessing.util.Finalize(None, end_workers, exitpriority=1)  # else it waits for them at its end


def _is_wanted() -> bool:
    """Whether anybody waits for the piece of this thread: its client may be gone, or the scheduler."""
    from distributed import Status, get_worker
    from distributed.worker import thread_state

    worker = get_worker()
    task = worker.state.tasks.get(thread_state.key)
    return task is not None and task.state != "cancelled" and worker.status in (Status.running, Status.paused)


def store(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write what came with an outcome into the folder of the run, each file whole or not at all."""
    for name, content in files.items():
        with atomic_path(folder / name) as temporary:
            temporary.write_bytes(content)


def content_of(outcome: Outcome) -> Any:
    """What a piece gave, or its exception."""
    return pickle.loads(outcome.content)

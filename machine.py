"""The machine: cores, GPU, the protocols of what spreads work and shows its progress, the digest of our own code."""

from __future__ import annotations

import contextlib
import functools
import math
import os
import re
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from .storage import digest, file_digest

_PR_SET_PDEATHSIG, _LOOK_S = 1, 0.5


class Advance(Protocol):
    """Called with how much was done since the last call, and the state of the work in words."""

    def __call__(self, done: float, words: str = "") -> None:
        """Show it."""


Progress = Callable[[str, int], AbstractContextManager[Advance]]
"""Given the title of a stage and its total: a context in which `Advance` is called. See `leukobench.runs.progress`."""


@dataclass(frozen=True)
class Stop:
    """A step of a piece of work that its process did not finish.

    Attributes
    ----------
    step : str
        What the piece of work said last that it begins; '' where it said nothing yet.
    words : str
        Why, in one line.
    limit : mapping
        Seconds or memory of the `Limits` that it exceeded; nothing where its process died.
    """

    step: str
    words: str
    limit: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Limits:
    """What nothing that an `Executor` computes may exceed; no limits by default.

    Attributes
    ----------
    seconds : float
        Of a step.
    memory : float
        Bytes that the process holds, mapped files apart.
    deadline : float
        On the clock of `time.monotonic`: what is not finished by then is stopped, and nothing more is begun.
    """

    seconds: float = math.inf
    memory: float = math.inf
    deadline: float = math.inf

    @property
    def over(self) -> bool:
        """Whether the deadline has passed."""
        return time.monotonic() >= self.deadline

    def exceeded(self, step: str, began: float, process: int) -> Stop | None:
        """The step of this process that began at this time, where it exceeds the seconds or the memory."""
        if time.monotonic() - began > self.seconds:
            return Stop(step, f"it took more than the limit of {self.seconds:g} s", {"seconds": self.seconds})
        if math.isfinite(self.memory) and held_bytes(process) > self.memory:
            return Stop(
                step, f"it took more memory than the limit of {self.memory / 1e9:.3g} GB", {"memory": self.memory}
            )
        return None

    def stop_again(self, limit: Mapping[str, float]) -> bool:
        """Whether they are no higher than the one that stopped something before."""
        return any(getattr(self, name) <= value for name, value in limit.items())


class Executor(Protocol):
    """What computes independent pieces of work, each in a process that may die or be stopped without harm to others.

    Attributes
    ----------
    limits : Limits
        Enforced from outside these processes.
    here : bool
        Its workers are processes of this machine.
    """

    limits: Limits
    here: bool

    @property
    def shares_cache(self) -> bool:
        """Whether all workers see the cache folder of this process."""

    @property
    def shares_folder(self) -> bool:
        """Whether all workers see the folder of the run."""

    @property
    def workers(self) -> int:
        """Pieces that are computed at a time."""

    def alone(self) -> Executor:
        """The same with one worker, beside which nothing else of the run is computed."""

    def within(self, limits: Limits) -> Executor:
        """The same with other limits."""

    def for_networks(self) -> Executor:
        """The same for pieces that run or train networks: where some workers have a GPU, these."""

    def map(
        self,
        work: Callable[..., Any],
        pieces: Iterable[tuple[Any, ...]],
        stopped: Callable[[int, Stop], tuple[Any, ...] | None],
    ) -> Iterator[tuple[int, Any]]:
        """Call ``work(*piece, begin)`` for every piece; yield the position of each when it has ended, and what it gave.

        Pieces are taken when they are begun. After the deadline the rest is neither begun nor yielded.

        Parameters
        ----------
        work : callable
            Calls ``begin(step)`` with the name of each step that it begins; limits are those of a step.
        pieces : iterable of tuple
        stopped : callable
            Gets the position of a piece that did not finish a step, and the step; gives what is left of it to compute.
            Where that is nothing, the piece has ended, and gave None.
        """


def held_bytes(process: int) -> int:
    """Bytes of memory that a process holds, mapped files apart; 0 where it has ended."""
    import psutil

    with contextlib.suppress(psutil.Error):
        seen = psutil.Process(process).memory_info()
        return int(seen.rss - getattr(seen, "shared", 0))
    return 0


def end_process(process: int) -> None:
    """Kill a process and what it started."""
    import psutil

    with contextlib.suppress(psutil.Error):
        whole = psutil.Process(process)
        for one in [*whole.children(recursive=True), whole]:
            with contextlib.suppress(psutil.Error):
                one.kill()


def cores() -> int:
    """How many cores this process may use: its affinity and the container's CPU quota are respected."""
    import joblib

    return int(joblib.cpu_count())


def in_main_thread() -> bool:
    """Whether the caller's thread lives as long as the process."""
    return threading.current_thread() is threading.main_thread()


@functools.cache
def end_with_parent(parent: int, at_once: bool) -> None:
    """Let this process, a worker, end when `parent` has ended, killed or not: nobody waits for its work.

    Parameters
    ----------
    parent : int
        Number of the process; nothing happens in that process itself.
    at_once : bool
        The system itself ends it, in the middle of compiled code, too. The thread of the parent that started it has to
        live as long as the parent, because the system goes by threads.
    """
    if os.getpid() == parent:
        return
    if at_once and sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    threading.Thread(target=_watch_parent, args=(parent,), daemon=True, name="parent").start()


def _watch_parent(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_LOOK_S)
    os._exit(1)


_GPU_FILES = ("/dev/nvidiactl", "/dev/kfd", "/dev/dxg")


def has_gpu() -> bool:
    """Whether the machine has a GPU that the environment does not hide; nothing is imported."""
    hidden = os.environ.get("CUDA_VISIBLE_DEVICES") in {"", "-1"}
    return not hidden and (shutil.which("nvidia-smi") is not None or any(map(os.path.exists, _GPU_FILES)))


DECIDE_NOTHING = {
    "errors": "messages to the user",
    "storage": "writes bytes, names them by their digest, and knows no number",
    "machine": "spreads work over cores, on which no number depends; a GPU is in the software of a record",
    "plugins": "names nothing",
    "plugins.importing": "imports what other modules define; their code is in the identity of a method",
    "plugins.permission": "allows imports",
    "plugins.places": "finds where code lies; its digest is in the identity of a method",
    "processes": "names nothing",
    "processes.executors": "spreads work over cores, on which no number depends",
    "processes.spread": "spreads work over cores, on which no number depends",
    "processes.workers": "spreads work over cores, on which no number depends",
    **dict.fromkeys(("remote", "remote.path", "remote.listing"), "names files"),
    **dict.fromkeys(("remote.objects", "remote.writing"), "reads and writes bytes as they are"),
    "registry": "finds what other modules define; names and parameters are in the identity of a method",
    "classifiers": "names alone",
    "classifiers.cnns": "names alone",
    "selection": "names alone",
    "evaluation.identity": "names what decides: whatever it changes is another identity already",
    "evaluation.records": "stores numbers as they are",
}
"""Module -> why it decides no number, though it is imported where numbers are computed."""
_PACKAGE = Path(__file__).parent
_IMPORT = re.compile(r"^[ \t]*from[ \t]+(\.+)([\w.]*)[ \t]+import[ \t]+(\([^)]*\)|[^\n#]*)", re.MULTILINE)


def code_digest(*modules: str, apart_from: Collection[str] = ()) -> str:
    """SHA-256 (hex) of the source of modules of leukobench and of every module of it that they import, however deep.

    Parameters
    ----------
    *modules : str
        Such as ``"evaluation.runner"``, without the package's own name.
    apart_from : collection of str
        Modules whose source does not count, such as `DECIDE_NOTHING`.
    """
    reached = sorted(frozenset().union(*map(imported_modules, modules)).difference(apart_from))
    return digest([[name, file_digest(_source(name))] for name in reached])


@functools.cache
def imported_modules(module: str) -> frozenset[str]:
    """`module` and every module of leukobench that it imports, at its top or inside its functions, however deep."""
    reached: set[str] = set()
    waiting = [module]
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting.extend(_imports(name))
    return frozenset(reached)


@functools.cache
def _imports(module: str) -> frozenset[str]:
    """Modules that one module imports, packages on the way to them included."""
    source = _source(module)
    package = module.split(".") if source.name == "__init__.py" else module.split(".")[:-1]
    names: set[str] = set()
    for dots, tail, imported in _IMPORT.findall(source.read_text(encoding="utf-8")):
        base = package[: len(package) - len(dots) + 1] + [part for part in tail.split(".") if part]
        for name in re.findall(r"\w+(?=(?:\s+as\s+\w+)?\s*(?:,|\)|$))", imported.strip("() \n")):
            path = [*base, name]
            names.add(".".join(path if _is_module(path) else base))
        names.update(".".join(base[:depth]) for depth in range(1, len(base) + 1))
    return frozenset(names - {""})


def _is_module(path: list[str]) -> bool:
    folder = _PACKAGE.joinpath(*path)
    return folder.with_suffix(".py").is_file() or (folder / "__init__.py").is_file()


def _source(module: str) -> Path:
    folder = _PACKAGE.joinpath(*module.split("."))
    return folder / "__init__.py" if folder.is_dir() else folder.with_suffix(".py")

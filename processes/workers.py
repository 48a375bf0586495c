"""Workers: processes that compute one piece of work after another, and say which step of it they begin."""

from __future__ import annotations

import atexit
import contextlib
import functools
import math
import os
import pickle
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from multiprocessing.connection import Connection
from typing import Any

from ..machine import Limits, Stop, end_process, end_with_parent, held_bytes, in_main_thread
from ..plugins import importing  # noqa: F401  (lets a worker import what its parent serves)

_IDLE_S = 300.0
_GROWN_BYTES = 300e6
"""What a worker may keep of the pieces before, beyond what it held after its first; as joblib has it."""
_ONE_THREAD = {f"{library}_NUM_THREADS": "1" for library in ("OMP", "OPENBLAS", "MKL", "NUMEXPR", "VECLIB")}
_DIED = "the process that computed it died: most often the machine ran out of memory"
_READY, _BEGUN, _DONE, _FAILED, _ENDED = range(5)
_ENDS_S = 5.0
_idle: list[Worker] = []
_alive: set[Worker] = set()


class Worker:
    """A process, and what it is computing.

    Parameters
    ----------
    variables : mapping, optional
        Of its environment, besides those of this process.

    Attributes
    ----------
    pipe : Connection
        Has something to read when the worker says something, or has ended.
    position : int
        Of its piece.
    result
        Of the last piece that is done.
    """

    def __init__(self, variables: Mapping[str, str] | None = None) -> None:
        from joblib.externals.loky.backend import get_context

        self.pipe, theirs = get_context("loky").Pipe()
        self.position, self.result = -1, None
        self._message, self._ready, self._held = b"", False, 0
        self._step, self._began = "", math.inf
        self._environment = _environment(variables)
        make = get_context("loky").Process
        self._process = make(
            target=_serve, args=(theirs, os.getpid(), in_main_thread()), env={**_ONE_THREAD, **(variables or {})}
        )
        _alive.add(self)  # before it starts: a signal may end this process at any step
        with _without_ctrl_c():
            self._process.start()
        theirs.close()

    @classmethod
    def take(cls, variables: Mapping[str, str] | None = None) -> Worker:
        """One that is idle, and was started in an environment like that of now with these variables; else a new one."""
        environment = _environment(variables)
        with contextlib.suppress(IndexError):  # another thread may have taken the last one
            while True:
                worker = _idle.pop()
                if worker._environment == environment and worker._process.is_alive():
                    return worker
                worker.end()
        return cls(variables)

    def give_back(self) -> None:
        """Keep it for the next call of `take`, unless it has kept much memory."""
        if self.is_bloated():
            self.end()
        else:
            _idle.append(self)

    def take_result(self) -> Any:
        """The result of its last piece, once: it may be large, and the worker is kept; None where it was stopped."""
        result, self.result = self.result, None
        return result

    def is_bloated(self) -> bool:
        """Whether it holds much more memory than after its first piece."""
        held = held_bytes(self._process.pid)
        self._held = self._held or held
        return held > self._held + _GROWN_BYTES

    def begin(self, position: int, work: Callable[..., Any], piece: tuple[Any, ...]) -> None:
        """Let it compute a piece as soon as it is ready."""
        from joblib.externals.loky.backend.reduction import dumps

        self.position, self._message, self._step = position, bytes(dumps((work, piece))), ""
        if self._ready:
            self._send()

    def _send(self) -> None:
        self._ready = False
        with contextlib.suppress(OSError):  # it has ended, as `hear` will say
            self.pipe.send_bytes(self._message)

    def hear(self) -> bool | Stop:
        """What it says: whether its piece is done; or that it died.

        Raises
        ------
        Exception
            That of the piece.
        """
        while received := self._receive():
            kind, words = received
            if kind == _ENDED:
                return Stop(self._step, _DIED)
            if kind == _FAILED:
                raise words
            if kind == _DONE:
                self._ready, self._began, self.result = True, math.inf, words
                return True
            if kind == _READY:
                self._send()
            else:
                self._step, self._began = words, time.monotonic()
        return False

    def _receive(self) -> tuple[int, Any] | None:
        try:
            return pickle.loads(self.pipe.recv_bytes()) if self.pipe.poll() else None
        except (EOFError, ConnectionError):
            return _ENDED, None

    def left_s(self, limits: Limits) -> float:
        """Seconds that its step may still take; loading what it needs before its first step takes no time of it."""
        return self._began + limits.seconds - time.monotonic()

    def exceeded(self, limits: Limits) -> Stop | None:
        """Its step, where that exceeds the limits."""
        return limits.exceeded(self._step, self._began, self._process.pid)

    def end(self) -> None:
        """Kill it."""
        self.kill()
        _alive.discard(self)
        if self._process.pid is not None:
            self._process.join(_ENDS_S)
        self.pipe.close()

    def kill(self) -> None:
        """Kill it, and do not wait until it has ended."""
        if self._process.pid is not None:
            end_process(self._process.pid)


@contextlib.contextmanager
def _without_ctrl_c() -> Iterator[None]:
    """What is started here never hears Ctrl-C, which a terminal sends to all processes of a command; this one will."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    from multiprocessing import resource_tracker

    resource_tracker.ensure_running()  # else it would be started with the first process, and unblock the signal
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def _environment(variables: Mapping[str, str] | None) -> tuple[Any, ...]:
    return os.getcwd(), tuple(sys.path), {**os.environ, **(variables or {})}


@atexit.register
def end_workers() -> None:
    """End all workers of this process; those that wait for work would end by themselves after some minutes."""
    _idle.clear()
    for worker in list(_alive):  # all of them first: what interrupts the waiting leaves none that works
        worker.kill()
    for worker in list(_alive):
        worker.end()


def _serve(pipe: Connection, parent: int, at_once: bool) -> None:
    """What runs in the process, until its parent ends or has had nothing to do for some minutes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the parent, which ends its workers
    end_with_parent(parent, at_once)

    def say(kind: int, content: Any = None) -> None:
        pipe.send_bytes(pickle.dumps((kind, content)))

    with contextlib.suppress(EOFError, OSError):  # the parent has ended, or needs it no more
        say(_READY)
        while pipe.poll(_IDLE_S):
            say(*_answer(pipe.recv_bytes(), say))


def _answer(message: bytes, say: Callable[..., None]) -> tuple[int, Any]:
    try:
        work, piece = pickle.loads(message)
        return _DONE, work(*piece, functools.partial(say, _BEGUN))
    except BaseException as error:
        return _FAILED, sendable(error)


def sendable(error: BaseException) -> BaseException:
    """The exception with its traceback as a note; another one, where it cannot be pickled."""
    words = "".join(traceback.format_exception(error))
    try:
        error.add_note(words)
        pickle.loads(pickle.dumps(error))
    except Exception:
        return RuntimeError(words)
    return error

"""The executor of one machine: pieces of work in its processes, and an end to what exceeds their limits."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator
from multiprocessing.connection import wait
from typing import Any

from ..machine import Limits, Stop
from .workers import Worker

_LOOK_S = 0.1
"""How often memory is looked at, where it is limited."""
_NO_LIMITS = Limits()

Stopped = Callable[[int, Stop], tuple[Any, ...] | None]


class Processes:
    """Processes of this machine, kept for the next call; see `leukobench.machine.Executor`.

    Even a single piece is computed in a process apart from this one, which nothing in it can kill.

    Parameters
    ----------
    workers : int
    limits : Limits
    """

    here = shares_cache = shares_folder = True

    def __init__(self, workers: int, limits: Limits = _NO_LIMITS) -> None:
        self.workers, self.limits = workers, limits

    def alone(self) -> Processes:
        """See `leukobench.machine.Executor`."""
        return Processes(1, self.limits)

    def within(self, limits: Limits) -> Processes:
        """See `leukobench.machine.Executor`."""
        return Processes(self.workers, limits)

    def for_networks(self) -> Processes:
        """See `leukobench.machine.Executor`."""
        return self

    def map(
        self, work: Callable[..., Any], pieces: Iterable[tuple[Any, ...]], stopped: Stopped
    ) -> Iterator[tuple[int, Any]]:
        """See `leukobench.machine.Executor`."""
        waiting, busy = enumerate(pieces), dict[Any, Worker]()

        def begin(position: int, piece: tuple[Any, ...], worker: Worker) -> None:
            worker.begin(position, work, piece)
            busy[worker.pipe] = worker

        try:
            while not self.limits.over:
                while len(busy) < self.workers and (following := next(waiting, None)):
                    begin(*following, Worker.take())
                if not busy:
                    return
                for worker, stop in self._look(busy):
                    del busy[worker.pipe]
                    position, result, rest = worker.position, worker.take_result(), None
                    if stop:
                        worker.end()
                        rest = stopped(position, stop)
                    else:
                        worker.give_back()
                    if rest:
                        begin(position, rest, Worker())
                    else:
                        yield position, result
        finally:
            for worker in busy.values():
                worker.end()

    def _look(self, busy: dict[Any, Worker]) -> list[tuple[Worker, Stop | None]]:
        """Workers whose piece is done, and those that were stopped; after a while there may be none."""
        limits = self.limits
        left = min([limits.deadline - time.monotonic(), *(worker.left_s(limits) for worker in busy.values())])
        if math.isfinite(limits.memory):
            left = min(left, _LOOK_S)
        heard = {pipe: busy[pipe].hear() for pipe in wait(list(busy), None if left == math.inf else max(0.0, left))}
        ends: list[tuple[Worker, Stop | None]] = []
        for pipe, worker in busy.items():
            news = heard.get(pipe, False)
            if news is True:
                ends.append((worker, None))
            elif stop := news or worker.exceeded(limits):
                ends.append((worker, stop))
        return ends

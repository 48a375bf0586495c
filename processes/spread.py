"""Spread work over processes, with its results in order."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from multiprocessing.connection import wait
from typing import Any

from ..machine import Stop
from .workers import Worker

_log = logging.getLogger(__name__)


def in_processes(
    work: Callable[..., Any], piece_of: Callable[[int], tuple[Any, ...]], count: int, workers: int
) -> Iterator[Any]:
    """Yield ``work(*piece_of(number))`` for each number below `count`, in order, computed in processes.

    Meant for work that holds Python's lock, where threads would wait for one another. With one worker it is done in
    this process, and so is what a process leaves that dies. Each uses one thread.
    """
    if workers == 1:
        yield from (with_one_thread(work, piece_of(number)) for number in range(count))
        return
    waiting, busy, results = iter(range(count)), dict[Any, Worker](), dict[int, Any]()
    try:
        for following in range(count):
            while following not in results:
                while len(busy) < workers and (number := next(waiting, None)) is not None:
                    worker = Worker.take()
                    worker.begin(number, _computed, (work, piece_of(number)))
                    busy[worker.pipe] = worker
                for pipe in wait(list(busy)):
                    _hear(busy, pipe, results, work, piece_of)
            yield results.pop(following)
    finally:
        for worker in busy.values():
            worker.end()


def _hear(
    busy: dict[Any, Worker],
    pipe: Any,
    results: dict[int, Any],
    work: Callable[..., Any],
    piece_of: Callable[[int], tuple[Any, ...]],
) -> None:
    worker = busy[pipe]
    news = worker.hear()
    if not news:
        return
    del busy[pipe]
    if isinstance(news, Stop):
        _log.warning("A piece of work was lost (%s); it is computed here.", news.words)
        worker.end()
        results[worker.position] = with_one_thread(work, piece_of(worker.position))
    else:
        results[worker.position], worker.result = worker.result, None
        worker.give_back()


def _computed(work: Callable[..., Any], piece: tuple[Any, ...], begin: Callable[[str], None]) -> Any:
    return with_one_thread(work, piece)


def with_one_thread(work: Callable[..., Any], piece: tuple[Any, ...]) -> Any:
    """Call ``work(*piece)``, with one thread of compiled libraries."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        return work(*piece)

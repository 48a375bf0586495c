"""Spread work over processes, with its results in order."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Any

from ..machine import Executor, Limits, Stop

_log = logging.getLogger(__name__)


def in_order(
    executor: Executor | None, work: Callable[..., Any], piece_of: Callable[[int], tuple[Any, ...]], count: int
) -> Iterator[Any]:
    """Yield ``work(*piece_of(number))`` for each number below `count`, in order, without limits.

    Meant for work that holds Python's lock, where threads would wait for one another. Without an executor, or with one
    process of this machine, it is done in this process, and so is what a process leaves that dies. Each uses one
    thread.
    """
    if executor is None or (executor.here and executor.workers == 1):
        yield from (with_one_thread(work, piece_of(number)) for number in range(count))
        return
    results, lost, following = dict[int, Any](), set[int](), 0

    def stopped(position: int, stop: Stop) -> None:
        _log.warning("A piece of work was lost (%s); it is computed here.", stop.words)
        lost.add(position)

    pieces = ((work, piece_of(number)) for number in range(count))
    for position, result in executor.within(Limits()).map(_computed, pieces, stopped):
        results[position] = with_one_thread(work, piece_of(position)) if position in lost else result
        while following in results:
            yield results.pop(following)
            following += 1


def _computed(work: Callable[..., Any], piece: tuple[Any, ...], begin: Callable[[str], None]) -> Any:
    return with_one_thread(work, piece)


def with_one_thread(work: Callable[..., Any], piece: tuple[Any, ...]) -> Any:
    """Call ``work(*piece)``, with one thread of compiled libraries."""
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        return work(*piece)

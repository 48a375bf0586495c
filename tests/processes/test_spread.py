"""Results in order, from processes; what a process loses is computed here."""

from __future__ import annotations

import os
import signal
import time

import pytest

from leukobench.processes.executors import Processes
from leukobench.processes.spread import in_order


def squared(number: int, parent: int) -> tuple[int, bool]:
    time.sleep(0.02 * (number % 3))  # the first to begin is not the first to end
    if number == 4 and os.getpid() != parent:
        os.kill(os.getpid(), signal.SIGKILL)
    return number**2, os.getpid() == parent


def failing(number: int) -> int:
    return 1 // number


def test_results_come_in_order_and_a_lost_piece_is_computed_here() -> None:
    own = os.getpid()
    results = list(in_order(Processes(2), squared, lambda number: (number, own), 8))
    assert [value for value, _ in results] == [number**2 for number in range(8)]
    assert [here for _, here in results] == [number == 4 for number in range(8)]


def test_one_worker_is_this_process() -> None:
    results = list(in_order(Processes(1), squared, lambda number: (number, os.getpid()), 3))
    assert results == [(0, True), (1, True), (4, True)]


def test_a_failure_is_raised_with_where_it_was() -> None:
    with pytest.raises(ZeroDivisionError) as caught:
        list(in_order(Processes(2), failing, lambda number: (number,), 1))
    assert "in failing" in caught.value.__notes__[0]

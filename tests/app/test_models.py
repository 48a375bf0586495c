"""Turns: who is served when."""

from __future__ import annotations

import threading
import time
from concurrent.futures import CancelledError, ThreadPoolExecutor

import pytest

from leukobench.app.models import _Turns
from leukobench.errors import ImagesError


def test_answers_come_before_explanations_and_each_in_order() -> None:
    turns, done, begun, hold = _Turns(), [], threading.Event(), threading.Event()
    with ThreadPoolExecutor(8) as visitors:
        visitors.submit(turns.wait, 0, lambda: begun.set() or hold.wait())
        begun.wait()
        asked = [(1, "a"), (0, "b"), (1, "c"), (0, "d"), (0, "e")]
        for number, (urgency, name) in enumerate(asked):
            visitors.submit(turns.wait, urgency, lambda name=name: done.append(name))
            while turns._waiting.qsize() <= number:
                time.sleep(0.001)
        hold.set()
    assert done == ["b", "d", "e", "a", "c"]


def test_one_works_at_a_time_and_each_gets_its_own_answer() -> None:
    turns, at_once, most = _Turns(), [], []

    def work(number: int) -> int:
        at_once.append(number)
        most.append(len(at_once))
        time.sleep(0.001)
        at_once.remove(number)
        return number * number

    with ThreadPoolExecutor(20) as visitors:
        answers = list(visitors.map(lambda number: turns.wait(0, lambda: work(number)), range(100)))
    assert answers == [number * number for number in range(100)]
    assert set(most) == {1}


def test_an_error_reaches_who_asked_and_the_next_is_served() -> None:
    turns = _Turns()

    def refuse() -> None:
        raise ImagesError("no")

    with pytest.raises(ImagesError):
        turns.wait(0, refuse)
    assert turns.wait(0, lambda: 1) == 1


def test_closing_finishes_the_work_at_hand_and_refuses_the_rest() -> None:
    turns, begun, hold = _Turns(), threading.Event(), threading.Event()
    with ThreadPoolExecutor(4) as visitors:
        first = visitors.submit(turns.wait, 1, lambda: begun.set() or (hold.wait() and "done"))
        begun.wait()
        second = visitors.submit(turns.wait, 0, lambda: "never")
        while not turns._waiting.qsize():
            time.sleep(0.001)
        closing = visitors.submit(turns.close)
        while not turns._closed:
            time.sleep(0.001)
        hold.set()
        closing.result(10)
        assert first.result() == "done"
        with pytest.raises(CancelledError):
            second.result()

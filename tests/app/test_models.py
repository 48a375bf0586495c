"""Turns: who is served when."""

from __future__ import annotations

import contextlib
import shutil
import threading
import time
from concurrent.futures import CancelledError, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from leukobench.app import models
from leukobench.app.models import _Turns
from leukobench.errors import BundleError, ImagesError


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


def test_a_bundle_that_is_gone_is_said_to_be(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="no longer there"):
        models.load_bundle(tmp_path / "model")


def test_a_bundle_that_cannot_be_loaded_is_tried_again_and_blocks_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow, bad = tmp_path / "slow.zip", tmp_path / "bad.zip"
    reading, answered, load = threading.Event(), threading.Event(), models.load

    def as_from_a_slow_disk(path: Path) -> Any:
        if path == slow:
            reading.set()
            assert answered.wait(10)
        return load(path)

    monkeypatch.setattr(models, "load", as_from_a_slow_disk)
    slow.touch()
    bad.write_text("no zip")
    with ThreadPoolExecutor(1) as visitors:
        waiting = visitors.submit(models.load_bundle, slow)
        assert reading.wait(10)
        for _ in range(2):
            with pytest.raises(BundleError):
                models.load_bundle(bad)
        assert not waiting.done()
        answered.set()
        with pytest.raises(BundleError):
            waiting.result(10)
    assert not {slow, bad} & set(models._loaded)


def test_the_last_few_bundles_are_kept(tmp_path: Path) -> None:
    stored = Path(__file__).parents[1] / "serving" / "bundle-format-1.zip"
    paths = [Path(shutil.copy(stored, tmp_path / f"{number}.zip")) for number in range(models._KEPT + 1)]
    loaded = [models.load_bundle(path) for path in paths]
    assert len(models._loaded) == models._KEPT
    assert models.load_bundle(paths[1]) is loaded[1]
    assert models.load_bundle(paths[0]) is not loaded[0]


def test_nobody_waits_for_ever_at_a_closing_door() -> None:
    for _ in range(20):
        turns = _Turns()
        with ThreadPoolExecutor(9) as visitors:
            asked = [visitors.submit(turns.wait, 0, lambda: 1) for _ in range(8)]
            visitors.submit(turns.close).result(10)
            for one in asked:
                with contextlib.suppress(CancelledError):
                    assert one.result(10) == 1


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

from __future__ import annotations

import io

import pytest

from leukobench.runs import progress


@pytest.mark.parametrize(("seconds", "words"), [(0.4, "0 s"), (59, "59 s"), (200, "3 min 20 s"), (7500, "2 h 5 min")])
def test_durations_in_words(seconds: float, words: str) -> None:
    assert progress.duration(seconds) == words


def test_a_pipe_gets_a_line_now_and_then_with_the_time_left(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([0.0, 3.0, 6.0, 9.0, 17.0])
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(clock))
    stream = io.StringIO()
    with progress.on_screen(stream)("extracting", 10) as advance:
        for _ in range(5):
            advance(1)
    assert stream.getvalue().splitlines() == [
        "extracting: 2/10, about 24 s left",
        "extracting: 4/10, about 26 s left",
    ]


def test_counted_work_learns_its_total_later() -> None:
    seen: list[object] = []

    def recording(title: str, total: int):
        from contextlib import contextmanager

        @contextmanager
        def bar():
            seen.append((title, total))
            yield seen.append

        return bar()

    with progress.count_progress(recording, "hashing") as report:
        report(3, 7)
        report(7, 7)
    assert seen == [("hashing", 7), 3, 4]


def test_words_stand_behind_the_time_left_and_parts_of_a_unit_count(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([0.0, 6.0, 17.0])
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(clock))
    stream = io.StringIO()
    with progress.on_screen(stream)("training", 2) as advance:
        advance(0, "starting")
        advance(0.5, "epoch 3/6, loss 0.5")
        advance(0.6, "epoch 1/6")
    assert stream.getvalue().splitlines() == [
        "training: 0/2; epoch 3/6, loss 0.5",
        "training: 0/2, about 51 s left; epoch 1/6",
    ]


def test_a_terminal_shows_the_words_too(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "120")
    with progress._bar("training", 2) as advance:
        advance(0.5, "epoch 3/6 of brk:Boom:[red]")
    assert "epoch 3/6 of brk:Boom:[red]" in capsys.readouterr().err

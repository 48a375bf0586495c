"""Progress with an estimate of the time left: a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import contextlib
import math
import sys
import time
from collections.abc import Callable, Iterator
from typing import TextIO

from ..errors import visible
from ..machine import Advance, Progress

quiet = False
"""Whether `on_screen` shows nothing: set once, by the command line."""
_FIRST_LINE_S = 5.0
_NEXT_LINES_S = 10.0


@contextlib.contextmanager
def silent(title: str, total: int) -> Iterator[Advance]:
    """No progress at all."""
    yield lambda done, words="": None


@contextlib.contextmanager
def count_progress(progress: Progress, title: str) -> Iterator[Callable[[int, int], None]]:
    """`progress` for work that learns its total later: yields a callable of how much is done and of the total."""
    with contextlib.ExitStack() as stack:
        finished, advance = 0, None

        def report(done: int, total: int) -> None:
            nonlocal finished, advance
            advance = advance or stack.enter_context(progress(title, total))
            advance(done - finished)
            finished = done

        yield report


def on_screen(stream: TextIO | None = None) -> Progress:
    """Progress for `stream` (standard error by default): a bar where it is a terminal, else a line now and then."""
    if quiet:
        return silent
    stream = stream or sys.stderr
    return _bar if stream.isatty() else _lines(stream)


@contextlib.contextmanager
def _bar(title: str, total: int) -> Iterator[Advance]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as RichProgress

    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    last = TextColumn("{task.fields[words]}", markup=False)
    with RichProgress(*columns, last, console=Console(stderr=True, markup=False, emoji=False)) as bar:
        task = bar.add_task(visible(title), total=total, words="")
        yield lambda done, words="": bar.update(task, advance=done, words=visible(words))


def _lines(stream: TextIO) -> Progress:
    @contextlib.contextmanager
    def progress(title: str, total: int) -> Iterator[Advance]:
        begun = shown = math.nan
        finished = 0.0

        def advance(done: float, words: str = "") -> None:
            nonlocal begun, shown, finished
            now = time.monotonic()
            if math.isnan(begun):  # what was loaded before the first one says nothing about the rest
                begun, shown = now, now - _NEXT_LINES_S + _FIRST_LINE_S
            elif now - shown >= _NEXT_LINES_S and finished + done < total:
                shown = now
                left = f", about {duration((now - begun) / finished * (total - finished))} left" if finished else ""
                stream.write(visible(f"{title}: {int(finished):,}/{total:,}{left}{words and f'; {words}'}") + "\n")
                stream.flush()
            finished += done

        yield advance

    return progress


def duration(seconds: float) -> str:
    """Seconds in words: ``"8 s"``, ``"3 min 20 s"``, ``"2 h 5 min"``."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"

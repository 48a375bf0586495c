"""What a benchmark wrote on its console: how far it is, and why it ended."""

from __future__ import annotations

import contextlib
import json
import os
import re
import time
from pathlib import Path
from typing import Any, Literal

from ..runs.progress import duration

State = Literal["running", "stopped", "ended", "failed", "finished"]

KEPT = "Finished work is kept."
_COUNTED = re.compile(r"^(?P<title>.+): (?P<done>[\d,]+)/(?P<total>[\d,]+)(, about (?P<left>[^;]+) left)?(; .*)?$")
_TAIL, _OLD_S = 16_384, 15.0


def last_lines(console: Path) -> list[str]:
    """The last lines of a console; none where there is no file."""
    try:
        with console.open("rb") as stream:
            stream.seek(max(stream.seek(0, os.SEEK_END) - _TAIL, 0))
            return stream.read().decode("utf-8", "replace").splitlines()
    except OSError:
        return []


def last_messages(log: Path) -> list[str]:
    """The last messages of a ``run.log``, for a run whose console is somewhere else."""
    messages = []
    for line in last_lines(log):
        with contextlib.suppress(ValueError, KeyError, TypeError):  # the first one may be cut
            messages.append(str(json.loads(line)["message"]))
    return messages


def progress(lines: list[str], age_s: float = 0.0) -> tuple[str, float | None]:
    """Its last line that counts, as `leukobench.runs.progress` writes them; else its last line.

    A count that was written `age_s` seconds ago, longer than two of them lie apart, says when, and no time left.
    """
    for line in reversed(lines):
        if counted := _COUNTED.match(line):
            finished, total = (int(counted[key].replace(",", "")) for key in ("done", "total"))
            left = f", about {counted['left']} left" if counted["left"] else ""
            when = f" {duration(age_s)} ago" if age_s > _OLD_S else left
            return (
                f"{counted['title'].capitalize()}: {finished:,} of {total:,}{when}",
                finished / total if total else None,
            )
    return _last(lines), None


def age(file: Path) -> float:
    """Seconds since it was written; 0 where it is not there."""
    try:
        return max(time.time() - file.stat().st_mtime, 0.0)
    except OSError:
        return 0.0


def end(console: list[str], status: dict[str, Any]) -> tuple[State, str]:
    """State of a benchmark that neither works nor is finished, and its last words."""
    if status.get("stopped") or not status:
        return "stopped", KEPT
    if refusal := _refusal(console):
        return "failed", refusal
    return "ended", f"{_last(console)}\n{KEPT}".lstrip()


def _last(console: list[str]) -> str:
    return next((line.strip() for line in reversed(console) if line.strip()), "")


def _refusal(console: list[str]) -> str:
    """The error that leukobench ended with; nothing where it was interrupted or killed."""
    starts = [place for place, line in enumerate(console) if line.startswith("leukobench: ")]
    return "\n".join(console[starts[-1] :]).removeprefix("leukobench: ") if starts else ""

"""The answer in sentences."""

from __future__ import annotations

from ....runs.finished import FinishedRun
from ..section import Section, fragment


def section(run: FinishedRun) -> Section | None:
    """They stand first, without a heading."""
    return Section("", fragment("answer", sentences=run.answer.sentences), nav="")

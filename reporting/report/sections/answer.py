"""The answer in sentences."""

from __future__ import annotations

from ....runs.finished import FinishedRun
from ..section import Section, fragment


def section(run: FinishedRun) -> Section | None:
    """Every sentence, as the terminal shows them."""
    sentences = run.answer.sentences
    finding = f"{len(sentences)} sentences, with every number and interval" if len(sentences) > 1 else ""
    return Section("The answer in full", fragment("answer", sentences=sentences), finding=finding)

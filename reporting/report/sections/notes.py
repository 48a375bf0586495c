"""What the numbers mean."""

from __future__ import annotations

from ....runs.finished import FinishedRun
from ..section import Section, fragment


def section(run: FinishedRun) -> Section | None:
    """The same for every run."""
    return Section(
        "What the numbers mean", fragment("notes"), finding="how each number is computed, and what it is worth"
    )

"""The evaluation protocol: images, groups, folds and weights."""

from __future__ import annotations

from ....runs.finished import FinishedRun
from ..section import Section, fragment


def section(run: FinishedRun) -> Section | None:
    """One line each."""
    return Section(
        "Evaluation protocol",
        fragment("protocol", protocol=run.answer.protocol),
        finding=run.answer.protocol[0] if run.answer.protocol else "",
    )

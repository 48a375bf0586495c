"""The picture of the run: all combinations as intervals, which may be the best, and what shortcuts reach."""

from __future__ import annotations

from ....runs.finished import FinishedRun
from ...figures.intervals import intervals
from ..interactive import figure_html
from ..section import Section


def section(run: FinishedRun) -> Section | None:
    """None where nothing was scored."""
    figure = intervals(run)
    if figure is None:
        return None
    return Section("All combinations at a glance", figure_html(figure), nav="At a glance", figures=(figure,))

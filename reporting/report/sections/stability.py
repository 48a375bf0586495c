"""How much the folds agree on the selected features."""

from __future__ import annotations

from ....runs.finished import FinishedRun
from ...figures.stability import agreements, stability_figure
from ..interactive import figure_html
from ..section import Section, fragment


def section(run: FinishedRun) -> Section | None:
    """None where no selector chooses among features."""
    figure = stability_figure(run)
    if figure is None:
        return None
    html = fragment("stability", stability=agreements(run), figure=figure_html(figure))
    return Section("Stability of the selected features", html, nav="Stability", figures=(figure,))

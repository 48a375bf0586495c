"""How much the folds agree on the selected features."""

from __future__ import annotations

import math

from ....runs.finished import FinishedRun
from ...figures.stability import agreements, stability_figure
from ..interactive import figure_html
from ..section import Section, fragment


def section(run: FinishedRun) -> Section | None:
    """None where no selector chooses among features."""
    figure = stability_figure(run)
    if figure is None:
        return None
    stability = agreements(run)
    html = fragment("stability", stability=stability, figure=figure_html(figure))
    values = [row["nogueira"] for row in stability if not math.isnan(row["nogueira"])]
    finding = f"agreement of the folds {min(values):.2f} to {max(values):.2f}; 0 is chance" if values else ""
    return Section("Stability of the selected features", html, nav="Stability", figures=(figure,), finding=finding)

"""A map of the features that the best combination sees."""

from __future__ import annotations

from ....runs.finished import FinishedRun
from ...figures.feature_map import feature_map_figure
from ..interactive import figure_html
from ..section import Section


def section(run: FinishedRun) -> Section | None:
    """None where the run has no map, such as that of a network that was trained end to end."""
    figure = feature_map_figure(run)
    if figure is None:
        return None
    finding = "each image as a point: those that the network finds alike lie together"
    html = figure_html(figure)
    return Section("What the features see", html, nav="Feature map", figures=(figure,), finding=finding)

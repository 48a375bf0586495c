"""Score against seconds per fold, and the combinations that no other one beats in both."""

from __future__ import annotations

from ....evaluation.combination_names import names_of
from ....runs.finished import FinishedRun
from ...figures.costs import cost_figure, pareto_front
from ..interactive import figure_html
from ..numbers import score_text, title_of
from ..section import Section, fragment


def section(run: FinishedRun) -> Section | None:
    """None where no combination has both a score and a cost."""
    figure = cost_figure(run)
    if figure is None:
        return None
    front = [
        {"title": title_of(names_of(row)), "value": score_text(run.metric, row[run.metric]), "seconds": row["seconds"]}
        for row in pareto_front(run)
    ]
    html = fragment("costs", figure=figure_html(figure), front=front, metric=run.metric)
    finding = f"{len(front)} combinations that nothing beats in both"
    return Section("Score and cost", html, nav="Costs", figures=(figure,), finding=finding)

"""Two classes: ROC, precision and recall, and predictive values against the prevalence."""

from __future__ import annotations

from ....evaluation.metrics import AUROC
from ....runs.finished import FinishedRun
from ...figures.curves import curve_figures
from ..interactive import figure_html
from ..numbers import score_text
from ..section import Section, fragment


def section(run: FinishedRun) -> Section | None:
    """None where there are other than two classes, or no probabilities were stored."""
    figures = tuple(curve_figures(run))
    if not figures:
        return None
    html = fragment("curves", figures=[figure_html(one) for one in figures])
    finding = (
        f"{AUROC.title} {score_text(AUROC.name, run.ranked[0].get(AUROC.name))}; predictive values at any prevalence"
    )
    return Section("Thresholds and prevalence", html, nav="Curves", figures=figures, finding=finding)

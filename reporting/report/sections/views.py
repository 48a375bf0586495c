"""What the score needs: the views as pictures, and how much lower the best combination is in each."""

from __future__ import annotations

from typing import Any

from ....evaluation.metrics import metric_of
from ....runs.finished import FinishedRun
from ....runs.view_answer import ViewResult, Views
from ...verdicts import NEEDS, drop_words
from ..charts import Scale, whisker
from ..numbers import PERCENT, as_number, score_text, title_of
from ..section import Section, View, fragment
from ..sheet import sheet_data
from .verdicts import needs_in_words

_SHEET = "views.jpg"


def section(run: FinishedRun) -> Section | None:
    """None where no views were asked for."""
    views = run.answer.views
    if views is None:
        return None
    best = title_of(run.answer.best.names) if run.answer.best else ""
    values = [score_text(views.metric, one.value) for one in views.shortcuts]
    html = fragment(
        "views",
        views=views,
        best=best,
        table=table(views),
        sheet=sheet_data(run.folder / "figures" / _SHEET),
        metric=views.metric,
        sufficient=list(zip(views.shortcuts, values, strict=True)),
    )
    return Section("What the score needs", html, nav="Views", finding=needs_in_words(views) or _by_verdict(views))


def _by_verdict(views: Views) -> str:
    """What is taken away by the views, by whether it is needed."""
    names: dict[str, list[str]] = {}
    for one in views.results:
        names.setdefault(one.verdict, []).append(one.view)
    return "; ".join(f"{', '.join(those)}: {verdict}" for verdict, those in names.items())


def table(views: Views) -> View | None:
    """Rows of the views and the scale of their drops; None where there are none."""
    if not views.results:
        return None
    ends = [as_number(end) for one in views.results for end in (one.drop, one.low, one.high)]
    scale = Scale.around([0.0, as_number(views.margin), *ends])
    return {
        "rows": [_row(one, views, scale) for one in views.results],
        "untouched": score_text(views.metric, views.untouched),
        "zero": round(100 * scale.at(0.0), 2),
        "margin": None if views.margin is None else round(100 * scale.at(views.margin), 2),
        "margin_text": metric_of(views.metric).digits(views.margin),
        "share": f"{100 * views.margin_share:g}{PERCENT}",
    }


def _row(one: ViewResult, views: Views, scale: Scale) -> View:
    metric = metric_of(views.metric)
    unchanged = drop_words(metric, one.unchanged_drop, one.unchanged_low, one.unchanged_high)
    named: dict[str, Any] = {"view": one.view, "words": one.words, "removes": one.removes}
    return named | {
        "value": score_text(views.metric, one.value),
        "drop": drop_words(metric, one.drop, one.low, one.high),
        "line": whisker(scale, one.drop, as_number(one.low), as_number(one.high)),
        "verdict": one.verdict,
        "state": NEEDS[one.verdict].state,
        "lacking": one.images_to_decide,
        "unchanged": score_text(views.metric, one.unchanged),
        "unchanged_drop": unchanged,
    }

"""What a run says of its views: which rows of the leaderboard suffice for its score, and whether they are needed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ..evaluation.combination_names import CONTENT, NAMES, TOGETHER, title
from ..evaluation.metrics import metric_of
from ..evaluation.statistics.drops import NEEDED, NOT_NEEDED, UNDECIDED
from ..features.views import BACKGROUND_ALONE, VIEWS
from ..runs.finished import records
from ..runs.view_answer import ShortcutNeed, ViewResult, Views
from .verdicts import HALF, background_words, need_words

if TYPE_CHECKING:
    import pandas as pd

UNTESTABLE = "untestable"
_ORDER = (NEEDED, UNDECIDED, NOT_NEEDED)
"""Of the verdicts of several views that answer one row, the first counts."""


def answer_views(views: Views, rows: pd.DataFrame, leaderboard: pd.DataFrame, guessing: float | None) -> Views:
    """Fill in results, shortcuts and words.

    Parameters
    ----------
    views : Views
        With the numbers of the sample.
    rows : DataFrame
        Rows of ``views.csv`` of the best combination.
    leaderboard : DataFrame
    guessing : float, optional
        What guessing reaches in the metric of the leaderboard's order.
    """
    if not len(rows):
        return replace(views, left_out=(*views.left_out, "No result: the best combination failed on the sample."))
    stored = records(rows.astype(object).where(rows.notna(), None))
    results = tuple(ViewResult.from_json(row) for row in stored)
    views = replace(views, results=results, untouched=stored[0]["untouched"], margin=stored[0]["margin"])
    needs = tuple(_need(name, value, views) for name, value in sufficient(leaderboard, views.metric, guessing))
    views = replace(views, shortcuts=needs)
    return replace(views, words=_words(views))


def sufficient(leaderboard: pd.DataFrame, metric: str, guessing: float | None) -> list[tuple[str, float]]:
    """Single shortcuts and content rows that cover half of the way from guessing to the best, strongest first."""
    if guessing is None or metric not in leaderboard:
        return []
    best = leaderboard.loc[leaderboard["rank"].notna(), metric].max()
    rows = leaderboard[leaderboard["kind"].isin(("shortcut", "content")) & (leaderboard[f"{metric}_low"] > guessing)]
    rows = rows[rows[metric] - guessing >= HALF * (best - guessing)].sort_values(metric, ascending=False)
    names = [title(one).removeprefix(CONTENT) for one in rows[list(NAMES)].itertuples(index=False, name=None)]
    return [(name, float(value)) for name, value in zip(names, rows[metric], strict=True) if name != TOGETHER]


def _need(name: str, value: float, views: Views) -> ShortcutNeed:
    """Needed if one of the views that answer the row says so, not needed if all of them do."""
    made = {result.view: result for result in views.results}
    answering = [made[view.name] for view in VIEWS if name in view.answers and view.name in made]
    if not answering:
        return ShortcutNeed(name, value, UNTESTABLE)
    first = min(answering, key=lambda result: (_ORDER.index(result.verdict), -result.drop))
    return ShortcutNeed(name, value, first.verdict, first.view)


def _words(views: Views) -> str:
    """On the strongest row, and the others in short; then on the background alone, where it is enough."""
    metric, sentences = metric_of(views.metric), []
    if views.shortcuts:
        sentences.append(need_words(views.shortcuts[0], views))
    if others := views.shortcuts[1:]:
        listed = "; ".join(f"{one.name} ({metric.with_unit(one.value)}): {_short(one.verdict)}" for one in others)
        sentences.append(f"Also sufficient for at least half of the way: {listed}.")
    if any(one.view == BACKGROUND_ALONE and one.verdict == NOT_NEEDED for one in views.results):
        sentences.append(background_words(views, BACKGROUND_ALONE))
    return " ".join(sentences)


def _short(verdict: str) -> str:
    return "cannot be tested by a view" if verdict == UNTESTABLE else verdict

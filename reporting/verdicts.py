"""The verdicts on shortcuts: which there are, when each holds, its colour and its words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from ..evaluation.metric import Metric
from ..evaluation.metrics import ACCURACY, metric_of
from ..runs.answer import ShortcutVerdict
from ..runs.view_answer import ShortcutNeed, Views

HALF = 0.5
_PLURAL = ("file facts", "file bytes", "sharpness and noise")


@dataclass(frozen=True)
class Evidence:
    """What a verdict depends on: intervals, never point estimates.

    Attributes
    ----------
    beaten : bool
        The best combination is better than every shortcut, beyond the interval that allows for its selection.
    failed : int
        Shortcuts without a score.
    above_guessing : bool
        The interval of the strongest shortcut lies above guessing.
    share_low, share_high : float
        95 % interval of the share of the way from guessing to the best combination that the shortcut covers.
    halves_errors : bool
        The best combination makes less than half of the shortcut's errors, beyond the interval of the difference.
    """

    beaten: bool
    failed: int
    above_guessing: bool
    share_low: float
    share_high: float
    halves_errors: bool


@dataclass(frozen=True)
class Verdict:
    """One verdict.

    Attributes
    ----------
    name : str
        In ``answer.json``.
    state : {"good", "warn", "bad"}
        Its colour.
    title : str
        In a box.
    text : str
        Below the title.
    words : str
        Sentence of the answer; see `words_of`.
    limit : str
        Line of the model card on what this limits; '' for none.
    holds : callable
        Whether it is the verdict, if none before it in the table is.
    """

    name: str
    state: Literal["good", "warn", "bad"]
    title: str
    text: str
    words: str
    limit: str
    holds: Callable[[Evidence], bool]


_NEXT = (
    " Whether its features use the shortcut is another question: only versions of the images in which the shortcut, or "
    "what is pictured, is changed or covered can answer it."
)
_TABLE = (
    Verdict(
        "not better",
        "bad",
        "Not better than a shortcut",
        "The score can be reached without seeing what is pictured",
        "NOT BETTER THAN A SHORTCUT: {reached}, and the best combination is not better beyond the interval of their "
        "difference, which allows for its having been selected.",
        "It is not shown to be better than a shortcut: expect much lower scores with another laboratory or stain.",
        lambda evidence: not evidence.beaten,
    ),
    Verdict(
        "unknown",
        "warn",
        "Shortcuts unknown",
        "Some shortcuts failed, so their scores are unknown",
        "SHORTCUTS UNKNOWN: {failed} of them failed (notes.csv), so their scores are unknown; of the others, "
        "{reached}.",
        "",
        lambda evidence: evidence.failed > 0,
    ),
    Verdict(
        "better",
        "good",
        "Better than the shortcuts tried",
        "The best combination beats all that see nothing of what is pictured",
        "Better than the shortcuts tried: {tried}. The strongest: {reached}.",
        "",
        lambda evidence: not evidence.above_guessing or evidence.share_high < HALF,
    ),
    Verdict(
        "confounded",
        "bad",
        "Confounded",
        "These data cannot separate skill from the shortcut",
        "CONFOUNDED: {reached}, {share} of the way from guessing to the best combination{errors}: these data cannot "
        "separate skill in reading the {objects} from this shortcut.{right}{next}",
        "These data cannot separate skill from a shortcut: expect much lower scores with another laboratory or stain.",
        lambda evidence: evidence.share_low > HALF and not evidence.halves_errors,
    ),
    Verdict(
        "partly confounded",
        "warn",
        "Partly confounded",
        "A shortcut covers much of the way to the score, or may cover it",
        "PARTLY CONFOUNDED: {reached}, {share} of the way from guessing to the best combination{errors}; these data "
        "cannot say whether by skill in reading the {objects} or by a better reading of the shortcut.{right}{next}",
        "A shortcut covers much of the way to this score: lower scores with another laboratory or stain are likely.",
        lambda evidence: True,
    ),
)
VERDICTS = {verdict.name: verdict for verdict in _TABLE}


@dataclass(frozen=True)
class NeedVerdict:
    """A verdict on whether what suffices for a score is needed for it.

    Attributes
    ----------
    name : str
        In ``answer.json``.
    state : {"good", "note", "warn"}
        Its colour.
    words : str
        Sentence of the answer; see `need_words`.
    """

    name: str
    state: Literal["good", "note", "warn"]
    words: str


_ANEW = "fitted anew with {changed}, the best combination"
_DROP = "(drop {drop}, margin {margin}; {images} images)"
_NEEDS = (
    NeedVerdict(
        "needed",
        "warn",
        f"{{name}} {{be}} sufficient for {{value}} and needed: {_ANEW} falls from {{whole}} to {{kept}} {_DROP}.",
    ),
    NeedVerdict(
        "not needed",
        "good",
        f"{{name}} {{be}} sufficient for {{value}}, but not needed: {_ANEW} still reaches {{kept}}, "
        f"against {{whole}} without a view {_DROP}.",
    ),
    NeedVerdict(
        "undecided",
        "note",
        f"{{name}} {{be}} sufficient for {{value}}; whether needed is undecided at this sample size: {_ANEW} reaches "
        f"{{kept}} instead of {{whole}} {_DROP}{{lacking}}.",
    ),
    NeedVerdict("untestable", "note", "{name} {be} sufficient for {value}; whether needed cannot be tested by a view."),
)
NEEDS = {verdict.name: verdict for verdict in _NEEDS}
BACKGROUND_ENOUGH = (
    f"WHAT IS PICTURED IS NOT NEEDED: {_ANEW} still reaches {{kept}}, against {{whole}} without a view {_DROP}."
)
"""Where the background alone is enough."""


def need_words(need: ShortcutNeed, views: Views) -> str:
    """The sentence on one row of the leaderboard.

    Parameters
    ----------
    need : ShortcutNeed
    views : Views
        With the result of the view that decides.
    """
    metric = metric_of(views.metric)
    named = {
        "name": need.name[0].upper() + need.name[1:],
        "be": "are" if need.name in _PLURAL else "is",
        "value": f"{metric.with_unit(need.value)} {metric.title}",
    }
    return NEEDS[need.verdict].words.format(**named, **(_numbers(views, need.view) if need.view else {}))


def background_words(views: Views, view: str) -> str:
    """The sentence where the background alone, which the view shows, is enough."""
    return BACKGROUND_ENOUGH.format(**_numbers(views, view))


def drop_words(metric: Metric, drop: float | None, low: float | None, high: float | None) -> str:
    """A difference with its interval: ``0.30 points [-0.20 to 0.80]``."""
    unit = " points" if metric.unit == "percent" else ""
    return f"{metric.digits(drop)}{unit} {metric.brackets(low, high)}"


def _numbers(views: Views, view: str) -> dict[str, str]:
    metric, result = metric_of(views.metric), views.result(view)
    lacking = result.images_to_decide
    return {
        "changed": result.words,
        "kept": metric.with_unit(result.value),
        "whole": metric.with_unit(views.untouched),
        "drop": drop_words(metric, result.drop, result.low, result.high),
        "margin": metric.digits(views.margin),
        "images": f"{views.images:,}",
        "lacking": f", which about {lacking:,} images would decide" if lacking else "",
    }


def verdict_of(evidence: Evidence) -> str:
    """Name of the first verdict of the table that holds."""
    return next(verdict.name for verdict in _TABLE if verdict.holds(evidence))


def words_of(shortcut: ShortcutVerdict, metric: Metric, objects: str, tested: bool = False) -> str:
    """The sentence of the answer.

    Parameters
    ----------
    shortcut : ShortcutVerdict
    metric : Metric
        That ranks the leaderboard.
    objects : str
        What is pictured, in the plural.
    tested : bool
        Whether views of the images say what the score needs.
    """
    return VERDICTS[shortcut.verdict].words.format(
        right=_right(shortcut),
        next="" if tested else _NEXT,
        reached=_reached(shortcut, metric),
        tried=_listed(shortcut.tried),
        failed=shortcut.failed,
        share=_share(shortcut),
        errors=_errors(shortcut),
        objects=objects,
    )


def reaches(shortcut: ShortcutVerdict) -> str:
    """Its name and the verb: ``border alone reaches``."""
    if shortcut.alone:
        return f"{shortcut.name} reach"
    return f"{shortcut.name} alone {'reach' if shortcut.name in _PLURAL else 'reaches'}"


def _reached(shortcut: ShortcutVerdict, metric: Metric) -> str:
    value, interval = metric.with_unit(shortcut.value), metric.brackets(shortcut.low, shortcut.high)
    single = f" ({shortcut.alone} alone {metric.with_unit(shortcut.alone_value)})" if shortcut.alone else ""
    return f"{reaches(shortcut)} {value} {metric.title} {interval}{single}"


def _share(shortcut: ShortcutVerdict) -> str:
    low, high = shortcut.share_low, shortcut.share_high
    interval = "" if low is None or high is None else f" [{100 * low:.0f} to {100 * high:.0f}]"
    return f"{100 * shortcut.share:.0f} %{interval}"


def _right(shortcut: ShortcutVerdict) -> str:
    """How often the best combination is right where the shortcut is wrong."""
    if shortcut.right is None or shortcut.right_low is None or shortcut.right_high is None:
        return ""
    rate, where = ACCURACY.with_interval(shortcut.right, shortcut.right_low, shortcut.right_high), shortcut.wrong
    images = "image" if where == 1 else "images"
    return f" Of the {where:,} {images} on which the shortcut is wrong the best combination is right on {rate}."


def _errors(shortcut: ShortcutVerdict) -> str:
    if not shortcut.errors:
        return ""
    if shortcut.errors < HALF:
        return f", which makes {1 / shortcut.errors:.1f} times fewer errors"
    return f", which makes {100 * shortcut.errors:.0f} % of its errors"


def _listed(names: Sequence[str]) -> str:
    return ", and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else "".join(names)

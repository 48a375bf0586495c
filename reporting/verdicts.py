"""The verdicts on shortcuts: which there are, when each holds, its colour and its words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from ..evaluation.metric import Metric
from ..runs.answer import ShortcutVerdict

HALF = 0.5
_PLURAL = ("file facts", "sharpness and noise")


@dataclass(frozen=True)
class Evidence:
    """What a verdict depends on: intervals, never point estimates.

    Attributes
    ----------
    beaten : bool
        The best combination is better than every shortcut, beyond the interval that counts that it was picked.
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
    "Whether its features use the shortcut is another question: only versions of the images in which the shortcut, or "
    "what is pictured, is changed or covered can answer it"
)
_TABLE = (
    Verdict(
        "not better",
        "bad",
        "Not better than a shortcut",
        "The score can be reached without seeing what is pictured",
        "NOT BETTER THAN A SHORTCUT: {reached}, and the best combination is not better beyond the interval of their "
        "difference, which counts that it was picked.",
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
        f"separate skill in reading the {{objects}} from this shortcut. {_NEXT}.",
        "These data cannot separate skill from a shortcut: expect much lower scores with another laboratory or stain.",
        lambda evidence: evidence.share_low > HALF and not evidence.halves_errors,
    ),
    Verdict(
        "partly confounded",
        "warn",
        "Partly confounded",
        "A shortcut covers much of the way to the score, or may cover it",
        "PARTLY CONFOUNDED: {reached}, {share} of the way from guessing to the best combination{errors}; these data "
        f"cannot say whether by skill in reading the {{objects}} or by a better reading of the shortcut. {_NEXT}.",
        "A shortcut covers much of the way to this score: lower scores with another laboratory or stain are likely.",
        lambda evidence: True,
    ),
)
VERDICTS = {verdict.name: verdict for verdict in _TABLE}


def verdict_of(evidence: Evidence) -> str:
    """Name of the first verdict of the table that holds."""
    return next(verdict.name for verdict in _TABLE if verdict.holds(evidence))


def words_of(shortcut: ShortcutVerdict, metric: Metric, objects: str) -> str:
    """The sentence of the answer.

    Parameters
    ----------
    shortcut : ShortcutVerdict
    metric : Metric
        That ranks the leaderboard.
    objects : str
        What is pictured, in the plural.
    """
    return VERDICTS[shortcut.verdict].words.format(
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


def _errors(shortcut: ShortcutVerdict) -> str:
    if not shortcut.errors:
        return ""
    if shortcut.errors < HALF:
        return f", which makes {1 / shortcut.errors:.1f} times fewer errors"
    return f", which makes {100 * shortcut.errors:.0f} % of its errors"


def _listed(names: Sequence[str]) -> str:
    return ", and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else "".join(names)

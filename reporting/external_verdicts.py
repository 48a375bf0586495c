"""Verdicts on external tests: which there are, when each holds, its colour and its first sentence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from ..runs.external_answer import ExternalAnswer

MOST_LIKELY = 0.01
"""Share of likely copies that other images have at most: with more, a score that is not lower is no test."""


@dataclass(frozen=True)
class ExternalVerdict:
    """A verdict on a model elsewhere.

    Attributes
    ----------
    name : str
        In ``answer.json``.
    state : {"good", "note", "warn", "bad"}
        Its colour.
    words : str
        First sentence of the answer.
    holds : callable
        Whether it is the verdict, if none before it in the table is.
    """

    name: str
    state: Literal["good", "note", "warn", "bad"]
    words: str
    holds: Callable[[ExternalAnswer], bool]


_SCORES = "on {images}, {title} reaches {value}, against {inside} in its own cross-validation: {gap}"
_TABLE = (
    ExternalVerdict(
        "copies",
        "bad",
        "ALL IMAGES ARE COPIES of training images ({identical} identical files, {near} near-duplicates): they test "
        "nothing, so there is no score.",
        lambda answer: not answer.images.scored,
    ),
    ExternalVerdict(
        "failed",
        "bad",
        "FAILED: {title} could not be fitted or has no score here: {error}",
        lambda answer: answer.chosen is None or answer.chosen.value is None,
    ),
    ExternalVerdict(
        "unknown",
        "note",
        "On {images}, {title} reaches {value}; whether that is lower than in its own cross-validation is not known: an "
        "earlier leukobench made the bundle, or the intervals need more groups.",
        lambda answer: answer.chosen is None or None in (answer.chosen.gap_low, answer.chosen.gap_high),
    ),
    ExternalVerdict(
        "slightly lower",
        "note",
        f"SLIGHTLY LOWER ELSEWHERE: {_SCORES}, which is less than the margin of {{margin}}.",
        lambda answer: _high(answer) < 0 and _low(answer) > -_margin(answer),
    ),
    ExternalVerdict("lower", "bad", f"LOWER ELSEWHERE: {_SCORES}.", lambda answer: _high(answer) < 0),
    ExternalVerdict(
        "copies likely",
        "bad",
        f"COPIES ARE LIKELY: {_SCORES}, but {{likely}} of these images are likely copies of training images, and "
        "others may be. It is no test before these are left out: --run names the run that the bundle was made of.",
        lambda answer: (
            answer.copies.compared < answer.copies.training
            and answer.copies.likely > MOST_LIKELY * answer.images.scored
        ),
    ),
    ExternalVerdict(
        "holds",
        "good",
        f"HOLDS ELSEWHERE: {_SCORES}, so it is not lower by as much as the margin of {{margin}}.",
        lambda answer: _low(answer) > -_margin(answer),
    ),
    ExternalVerdict(
        "undecided",
        "warn",
        f"UNDECIDED: {_SCORES}, so it may be as good, or lower by more than the margin of {{margin}}; more images of "
        "other patients would decide.",
        lambda answer: True,
    ),
)
VERDICTS = {verdict.name: verdict for verdict in _TABLE}


def _low(answer: ExternalAnswer) -> float:
    return answer.chosen.gap_low if answer.chosen and answer.chosen.gap_low is not None else float("nan")


def _high(answer: ExternalAnswer) -> float:
    return answer.chosen.gap_high if answer.chosen and answer.chosen.gap_high is not None else float("nan")


def _margin(answer: ExternalAnswer) -> float:
    return answer.margin if answer.margin is not None else 0.0


def verdict_of(answer: ExternalAnswer) -> str:
    """Name of the first verdict of the table that holds."""
    return next(verdict.name for verdict in _TABLE if verdict.holds(answer))

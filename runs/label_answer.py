"""The parts of ``answer.json`` on labels that are doubtful, and on where the best combination fails."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from .stored import Stored


@dataclass(frozen=True)
class LabelSuspects(Stored):
    """Images whose label good combinations contradict; ``suspects.csv`` lists them.

    Attributes
    ----------
    images : int
    combinations : int
        That were asked.
    contradicted : int
        Images that all of them together predict another class for.
    suspects : int
        Images whose label nearly all of them contradict.
    words : str
        Sentence of the answer; '' where there is nothing to say.
    """

    images: int
    combinations: int
    contradicted: int
    suspects: int
    words: str = ""


@dataclass(frozen=True)
class WorsePart(Stored):
    """A part of the images in which the best combination is wrong more often than elsewhere, beyond doubt.

    Attributes
    ----------
    fact, part : str
    images : int
    wrong : float
        Errors, mean over repeats.
    rate, low, high : float
        Their share, with its 95 % interval.
    elsewhere : float
        Share of errors among the other images.
    p : float
        Corrected for the number of parts.
    """

    fact: str
    part: str
    images: int
    wrong: float
    rate: float
    low: float
    high: float
    elsewhere: float
    p: float


@dataclass(frozen=True)
class Failures(Stored):
    """Where the best combination fails; ``failures.csv`` lists every part.

    Attributes
    ----------
    rate : float
        Share of all images that are wrong.
    parts : int
        That were tested.
    worse : tuple of WorsePart
        Most errors beyond those elsewhere first.
    words : str
        Sentence of the answer; '' where there is nothing to say.
    """

    rate: float
    parts: int
    worse: tuple[WorsePart, ...] = ()
    words: str = ""

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """See `Stored.from_json`."""
        return super().from_json({**stored, "worse": tuple(map(WorsePart.from_json, stored.get("worse", ())))})

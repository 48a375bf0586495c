"""``budget`` of ``answer.json``: what was not reached before the time of a run ended."""

from __future__ import annotations

from dataclasses import dataclass

from .stored import Stored


@dataclass(frozen=True)
class Budget(Stored):
    """What was reached when the budget of time ended.

    Attributes
    ----------
    combinations : int
        Of the experiment.
    reached : int
        With a result in every fold, failures counted.
    words : str
        Sentence of the answer.
    """

    combinations: int
    reached: int
    words: str

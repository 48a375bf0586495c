"""What ``answer.json`` holds of a given split: the test part, and what is in several parts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from .stored import Stored


@dataclass(frozen=True)
class Leaks(Stored):
    """Patients and copies of one image that are in several parts of a given split (``audit/leaks.csv`` names them).

    Attributes
    ----------
    patients, copies : int
        Patients, and pairs of copies, in the test part and outside it.
    test_images, other_images : int
        Images of them in the test part, and outside it.
    validation_images : int
        Images for training of which a patient or a copy is in the validation part.
    fold_images : int
        Images for training of which a patient or a copy is in another given fold.
    dropped : int
        Images that were left out of training for it; folds leave theirs out one by one.
    drop : bool
        Whether they were to be left out.
    names : tuple of str
        The first of them.
    """

    patients: int = 0
    copies: int = 0
    test_images: int = 0
    other_images: int = 0
    validation_images: int = 0
    fold_images: int = 0
    dropped: int = 0
    drop: bool = False
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class GivenTest(Stored):
    """What the best combination reaches on the given test part. A number that is not defined is None.

    Attributes
    ----------
    images, groups : int
        Of the test part; groups are what the interval resamples.
    kind : str
        What they are, as in `leukobench.runs.answer.Groups`.
    metric : str
    value, low, high : float
        With its 95 % interval, over the groups of the test part.
    cross_validated : float
        The same of the folds inside the training part.
    failed : int
        Combinations without a score on the test part.
    unbeaten : tuple of str
        Shortcuts that it does not beat there.
    opened : str
        When, in UTC.
    look : int
        How often these images were looked at, this time counted.
    earlier : tuple of str
        The other looks, a sentence each.
    leaks : Leaks
    words : str
    """

    images: int
    groups: int
    kind: str
    metric: str
    value: float | None
    low: float | None
    high: float | None
    cross_validated: float
    failed: int
    unbeaten: tuple[str, ...]
    opened: str
    look: int
    earlier: tuple[str, ...]
    leaks: Leaks
    words: str = ""

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """From a JSON object."""
        return super().from_json({**stored, "leaks": Leaks.from_json(stored["leaks"])})

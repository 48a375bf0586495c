"""The part of ``answer.json`` on counterfactual views: whether what a shortcut sees is needed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from .stored import Stored


@dataclass(frozen=True)
class ViewResult(Stored):
    """The best combination in one view. A number that is not defined is None.

    Attributes
    ----------
    view : str
    words, removes : str
        What was done to the images, and what can no longer be seen.
    value : float
        Of the metric, fitted anew in the view.
    drop, low, high : float
        How much lower that is than without a view, with its 95 % interval.
    verdict : {"needed", "not needed", "undecided"}
        Whether what the view removes is needed.
    images_to_decide : int
        About how many images would decide, with a probability of 80 %; None where it is decided, or too many.
    unchanged, unchanged_drop, unchanged_low, unchanged_high : float
        The same of the models that were fitted without a view.
    """

    view: str
    words: str
    removes: str
    value: float
    drop: float
    low: float | None
    high: float | None
    verdict: str
    images_to_decide: int | None
    unchanged: float
    unchanged_drop: float
    unchanged_low: float | None
    unchanged_high: float | None


@dataclass(frozen=True)
class ShortcutNeed(Stored):
    """Whether a row of the leaderboard that suffices for much of the score is needed for it, too.

    Attributes
    ----------
    name : str
    value : float
        What it reaches in the run.
    verdict : {"needed", "not needed", "undecided", "untestable"}
    view : str
        The view that decides, or comes closest; '' where there is none.
    """

    name: str
    value: float
    verdict: str
    view: str = ""


@dataclass(frozen=True)
class Views(Stored):
    """What the score needs, from views of a sample of the images.

    Attributes
    ----------
    metric : str
    images, groups : int
        In the sample.
    untouched : float
        What the best combination reaches on the sample without a view, in the same folds.
    margin, margin_share : float
        A smaller drop does not count: this share of the way from guessing to `untouched`.
    results : tuple of ViewResult
    shortcuts : tuple of ShortcutNeed
        Strongest first.
    left_out : tuple of str
        Which views were not made, and why.
    words : str
        Sentence of the answer; '' where there is nothing to say.
    """

    metric: str
    images: int
    groups: int
    untouched: float | None
    margin: float | None
    margin_share: float
    results: tuple[ViewResult, ...] = ()
    shortcuts: tuple[ShortcutNeed, ...] = ()
    left_out: tuple[str, ...] = ()
    words: str = ""

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """See `Stored.from_json`."""
        typed = {
            "results": tuple(map(ViewResult.from_json, stored.get("results", ()))),
            "shortcuts": tuple(map(ShortcutNeed.from_json, stored.get("shortcuts", ()))),
        }
        return super().from_json({**stored, **typed})

    def result(self, view: str) -> ViewResult:
        """The result of the view of that name."""
        return next(one for one in self.results if one.view == view)

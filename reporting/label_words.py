"""Sentences of the answer on doubtful labels, and on where the best combination fails."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from ..evaluation.statistics.image_parts import PAIR
from ..evaluation.statistics.suspects import NEARLY_ALL
from ..runs.label_answer import Failures, LabelSuspects, WorsePart

_SHOWN = 3
_NOT_GROUPED = ("list", "off")


def suspects_words(suspects: LabelSuspects, first: Mapping[Any, Any], copies: str) -> str:
    """The sentence on suspects; '' where there are none.

    Parameters
    ----------
    suspects : LabelSuspects
    first : mapping
        Row of ``suspects.csv`` of the most doubtful label.
    copies : str
        ``images.copies`` of the experiment.
    """
    if not suspects.suspects:
        return ""
    asked = suspects.combinations
    several = f"at least {100 * NEARLY_ALL:.0f} % of the {asked} best combinations contradict"
    who = several if asked > 1 else "the only combination contradicts"
    labels = "label of 1" if suspects.suspects == 1 else f"labels of {suspects.suspects:,}"
    name = PurePath(str(first["path"])).name
    vouch = "; copies are not kept together, so they vouch for one another" if copies in _NOT_GROUPED else ""
    return (
        f"Doubtful labels: {who} the {labels} of {suspects.images:,} images, first {name} ({first['label']}, they say "
        f"{first['suggested']}): wrong labels or hard images, to look at (suspects.csv){vouch}."
    )


def failures_words(failures: Failures) -> str:
    """The sentence on parts that are worse beyond doubt; '' where there are none."""
    if not failures.worse:
        return ""
    listed = "; ".join(map(part_words, failures.worse[:_SHOWN]))
    more = len(failures.worse) - _SHOWN
    others = f"; and {more} more" if more > 0 else ""
    return (
        f"It is wrong more often than elsewhere, beyond doubt (corrected for {failures.parts} parts; failures.csv): "
        f"{listed}{others}."
    )


def part_words(part: WorsePart) -> str:
    """One part with its numbers."""
    counts = f"{_count(part.wrong)} of {part.images:,}"
    rates = (
        f"{_percent(part.rate)} [{100 * part.low:.0f} to {100 * part.high:.0f}], elsewhere {_percent(part.elsewhere)}"
    )
    named = part.part if part.fact == PAIR else f"{part.fact} {part.part}"
    return f"{named}, {counts} ({rates})"


def _count(number: float) -> str:
    return f"{number:,.0f}" if number == round(number) else f"{number:,.1f}"


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %" if share < 0.1 else f"{100 * share:.0f} %"

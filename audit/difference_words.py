"""Class differences in words: what gives the class away first, then the facts that differ most."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import chain
from typing import TYPE_CHECKING

from .differences import column_of
from .predictions import Prediction

if TYPE_CHECKING:
    import pandas as pd

_STRONGEST = 5
_NAMED = 3


def prediction_lines(predictions: Sequence[Prediction], differences: pd.DataFrame, classes: int) -> list[str]:
    """One sentence for each subject that predicts the class.

    Parameters
    ----------
    predictions : sequence of Prediction
    differences : DataFrame
        See `leukobench.audit.differences.class_differences`.
    classes : int
        How many there are.
    """
    rows = differences.set_index("fact")
    lines = []
    for prediction in predictions:
        pairs = list(prediction.accuracies)
        accuracy, fact = prediction.accuracies[pairs[0]]
        named = sorted({name for pair in pairs[:_NAMED] for name in pair})
        values = ", ".join(f"{name} {rows.at[fact, column_of(name)]!s}" for name in named)
        least = min(reached for reached, _ in prediction.accuracies.values())
        reached = f"{accuracy:.0%}" if len(pairs) == 1 else f"{least:.0%} to {accuracy:.0%}"
        what = f"{prediction.subject[0].upper()}{prediction.subject[1:]} alone predicts {_pairs(pairs, classes)}"
        lines.append(f"{what}: balanced accuracy {reached} ({fact}: {values}).")
    return lines


def difference_lines(differences: pd.DataFrame) -> list[str]:
    """The facts that separate the classes best, one line each; those that are equal to the last one as well."""
    strongest = differences[~differences["verdict"].isin(["the same everywhere", "much the same"])]
    separation = strongest["separation"].round(2)
    strongest = strongest[separation >= separation.iloc[:_STRONGEST].min()] if len(strongest) else strongest
    classes = [name for name in differences if name not in ("fact", "separation", "verdict")]
    lines = []
    for row in strongest.to_dict("records"):
        values = ", ".join(f"{name} {row[name]}" for name in classes)
        lines.append(f"{row['fact']} {row['verdict']} (separation {row['separation']:.2f}): {values}")
    return lines or ["No file fact or colour differs between the classes by much."]


def _pairs(pairs: Sequence[tuple[str, str]], classes: int) -> str:
    """Which classes are predicted against which, the class of most pairs first."""
    if classes > 2 and len(pairs) == classes * (classes - 1) // 2:
        return f"each of the {classes} classes against each other"
    named, left = [], list(pairs)
    while left:
        counts = Counter(name for pair in left for name in pair)
        chosen = min(counts, key=lambda name: (-counts[name], name))
        others = sorted({*chain.from_iterable(pair for pair in left if chosen in pair)} - {chosen})
        every = classes > 2 and len(others) == classes - 1
        named.append(f"{chosen} against {'every other class' if every else _listed(others, 'classes')}")
        left = [pair for pair in left if chosen not in pair]
    return _listed(named, "such sets of classes")


def _listed(names: Sequence[str], what: str) -> str:
    """A few names; of more, how many."""
    more = [f"{len(names) - _NAMED} more {what}"] if len(names) > _NAMED + 1 else []
    shown = [*names[:_NAMED], *more] if more else list(names)
    return " and ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)

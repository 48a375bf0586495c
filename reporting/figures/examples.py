"""Rows that a reader compares: the best, the one among the best that differs most, the strongest shortcut."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from ...evaluation.combination_names import NAMES, Names, names_of, rows_of
from ...runs.finished import FinishedRun, Row
from ..report.numbers import title_of

if TYPE_CHECKING:
    import pandas as pd

_CANDIDATES = 6
_PLACE = ["repeat", "row"]


@dataclass(frozen=True, eq=False)
class Example:
    """A row of the leaderboard that is shown in detail.

    Attributes
    ----------
    slug : {"best", "different", "shortcut"}
        Of names of files.
    words : str
        What it is beside the others.
    note : str
        Why it is shown.
    row : mapping
    predictions : DataFrame
        Its rows of ``predictions.parquet``, by repeat and image; empty where the run has none.
    """

    slug: str
    words: str
    row: Row
    predictions: pd.DataFrame
    note: str = ""

    @property
    def names(self) -> Names:
        """Extractor, selector and classifier."""
        return names_of(self.row)

    @cached_property
    def title(self) -> str:
        """What it is, and its name."""
        return f"{self.words}: {title_of(self.names)}"


_KEPT: WeakKeyDictionary[FinishedRun, list[Example]] = WeakKeyDictionary()


def examples(run: FinishedRun) -> list[Example]:
    """Of a run, the best first; fewer where there is nothing to compare with."""
    if run not in _KEPT:
        _KEPT[run] = _chosen(run)
    return _KEPT[run]


def _chosen(run: FinishedRun) -> list[Example]:
    if not run.ranked:
        return []
    best, others, shortcuts = run.ranked[0], _others(run.ranked), run.shortcuts[:1]
    table = _predictions(run, [names_of(row) for row in [best, *others, *shortcuts]])
    own = rows_of(table, names_of(best))
    chosen = [Example("best", "Best", best, own)]
    rates = [(_disagreement(own, rows_of(table, names_of(row))), row) for row in others]
    if rates:
        rate, row = max(rates, key=lambda pair: pair[0])
        words = "Differs most among the best" if rate else "Second"
        note = f"{100 * rate:.1f} % of the predictions differ from those of the best." if rate else ""
        chosen.append(Example("different", words, row, rows_of(table, names_of(row)), note))
    strongest = [Example("shortcut", "Strongest shortcut", row, rows_of(table, names_of(row))) for row in shortcuts]
    return chosen + strongest


def _others(ranked: Sequence[Row]) -> Sequence[Row]:
    """The next best that may be the best too, or else the second."""
    among = [row for row in ranked[1:] if row.get("in_best_set") is True]
    return among[:_CANDIDATES] or ranked[1:2]


def _predictions(run: FinishedRun, names: Sequence[Names]) -> pd.DataFrame:
    filters = [[(column, "==", name) for column, name in zip(NAMES, one, strict=True)] for one in names]
    table = run.table("predictions.parquet", filters)
    return table.sort_values(_PLACE, ignore_index=True) if len(table) else table


def _disagreement(one: pd.DataFrame, other: pd.DataFrame) -> float:
    """Share of images that both predicted, and differently; 0 where nothing was stored."""
    if not len(one) or len(one) != len(other):
        return 0.0
    return float((one["predicted"].to_numpy() != other["predicted"].to_numpy()).mean())

"""How much the folds agree on the selected features."""

from __future__ import annotations

import math

from ....evaluation.combination_names import CONTENT, SHORTCUT
from ....runs.finished import FinishedRun, records
from ..numbers import as_number
from ..section import Section, View, fragment

_INDICES = ("kuncheva", "nogueira", "jaccard")


def section(run: FinishedRun) -> Section | None:
    """None where no selector chooses among features."""
    stability = agreement_of_folds(run)
    if not stability:
        return None
    html = fragment("stability", stability=stability)
    return Section("Stability of the selected features", html, nav="Stability")


def agreement_of_folds(run: FinishedRun) -> list[View]:
    """How much the folds agree on the features that they keep; without selectors that keep all or make new ones."""
    table = run.table("stability.csv")
    if not len(table):
        return []
    rows = [row for row in records(table) if not str(row["extractor"]).startswith((SHORTCUT, CONTENT))]
    agreements = [{**row, **{name: as_number(row.get(name)) for name in _INDICES}} for row in rows]
    return [row for row in agreements if not all(math.isnan(row[name]) for name in _INDICES[:2])]

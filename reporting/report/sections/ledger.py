"""Files that were not used, counted by reason."""

from __future__ import annotations

from ....runs.finished import FinishedRun, records
from ..section import Section, fragment

_LISTED = 50


def section(run: FinishedRun) -> Section | None:
    """None where every file was used."""
    table = run.table("ledger.parquet")
    if not len(table):
        return None
    counts = table["reason"].value_counts().head(_LISTED).to_dict()
    ledger = {"total": len(table), "counts": counts, "rows": records(table.head(_LISTED))}
    title = f"Files that were not used: {len(table):,}"
    return Section(title, fragment("ledger", ledger=ledger), nav="Files not used")

"""Files that were not used, counted by reason."""

from __future__ import annotations

from ....images.index import CORRECTED
from ....runs.finished import FinishedRun, records
from ..section import Section, fragment

_LISTED = 50


def section(run: FinishedRun) -> Section | None:
    """None where every file was used, with the label that it came with."""
    table = run.table("ledger.parquet")
    if not len(table):
        return None
    unused = int((~table["reason"].str.startswith(CORRECTED)).sum())
    counts = table["reason"].value_counts().head(_LISTED).to_dict()
    ledger = {"total": len(table), "counts": counts, "rows": records(table.head(_LISTED))}
    title = f"Files that were not used: {unused:,}"
    if unused < len(table):
        title += f"; labels that were corrected: {len(table) - unused:,}"
    finding = f"most often: {next(iter(counts))}"
    return Section(title, fragment("ledger", ledger=ledger), nav="Files not used", finding=finding)

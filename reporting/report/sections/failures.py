"""Where the best combination fails: parts of the images in which it is wrong more often than elsewhere."""

from __future__ import annotations

from ....runs.finished import FinishedRun, Row, records
from ..numbers import as_number, title_of
from ..section import Section, fragment
from ..sheet import sheet_data

_LISTED = 12


def section(run: FinishedRun) -> Section | None:
    """None where nothing is wrong, or nobody looked."""
    answer, table, best = run.answer.failures, run.table("failures.csv"), run.answer.best
    if answer is None or best is None or not answer.rate or not len(table):
        return None
    rows = table.head(max(_LISTED, len(answer.worse)))
    shown = {
        "failures": answer,
        "title": title_of(best.names),
        "rows": [_row(row) for row in records(rows[rows["wrong"] > 0])],
        "sheet": sheet_data(run.folder / "sheets" / "failures-1.png"),
    }
    return Section("Where the best combination fails", fragment("failures", **shown), nav="Where it fails")


def _row(row: Row) -> Row:
    rates = {name: 100 * as_number(row[name]) for name in ("rate", "low", "high", "elsewhere", "expected_by_class")}
    return {**row, **rates}

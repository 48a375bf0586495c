"""Where the best combination fails: parts of the images in which it is wrong more often than elsewhere."""

from __future__ import annotations

from ....evaluation.metrics import ACCURACY
from ....runs.finished import FinishedRun, Row, records
from ....runs.label_answer import Failures
from ..numbers import as_number, limits_text, share_text, short_title
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
        "title": short_title(best.names),
        "rows": [_row(row) for row in records(rows[rows["wrong"] > 0])],
        "sheet": sheet_data(run.folder / "sheets" / "failures-1.png"),
    }
    finding = f"wrong on {share_text(answer.rate)} of the images; {_worse(answer)}"
    html = fragment("failures", **shown)
    return Section("Where the best combination fails", html, nav="Where it fails", finding=finding)


def _worse(answer: Failures) -> str:
    """The parts in which it is wrong more often than elsewhere."""
    if not answer.worse:
        return f"in none of {answer.parts:,} parts of them more often than elsewhere, beyond doubt"
    return "more often: " + "; ".join(f"{one.fact} {one.part} ({share_text(one.rate)})" for one in answer.worse[:3])


def _row(row: Row) -> Row:
    share = f"{share_text(row['rate'])} [{limits_text(ACCURACY.name, as_number(row['low']), as_number(row['high']))}]"
    return {**row, "share": share}

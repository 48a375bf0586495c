"""Images whose label the good combinations contradict."""

from __future__ import annotations

from pathlib import PurePath

from ....evaluation.statistics.suspects import NEARLY_ALL
from ....runs.finished import FinishedRun, records
from ..section import Section, fragment
from ..sheet import sheet_data

_LISTED = 24


def section(run: FinishedRun) -> Section | None:
    """None where no label is contradicted, or nobody looked."""
    answer, table = run.answer.suspects, run.table("suspects.csv")
    if answer is None or not answer.contradicted or not len(table):
        return None
    shown = {
        "suspects": answer,
        "share": f"{100 * NEARLY_ALL:.0f} %",
        "rows": [{**row, "name": PurePath(row["path"]).name} for row in records(table.head(_LISTED))],
        "sheet": sheet_data(run.folder / "sheets" / "suspects-1.png"),
        "known": run.answer.groups.kind == "patients",
        "together": run.answer.duplicates.setting not in ("list", "off"),
    }
    finding = f"{answer.suspects:,} of {answer.images:,} labels are contradicted by nearly all good combinations"
    return Section("Doubtful labels", fragment("suspects", **shown), finding=finding)

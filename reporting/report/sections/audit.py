"""Audit of the images: differences between the classes, and copies."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ....runs.finished import FinishedRun, records
from ..numbers import as_number
from ..section import Section, View, fragment
from ..sheet import sheet_data

if TYPE_CHECKING:
    import pandas as pd

_LISTED = 50
_SHEET_BYTES = 1_500_000
_EARLIER: dict[str, Any] = {"grouped": True, "reason": "", "zoom": 1.0}
"""Columns that the table of copies had not always."""
_OWN = ("fact", "separation", "verdict")


def section(run: FinishedRun) -> Section | None:
    """None where the audit left nothing."""
    parts = {"differences": differences(run), "copies": copies(run), "warnings": run.answer.duplicates.warnings}
    if not any(parts.values()):
        return None
    return Section("Audit of the images", fragment("audit", **parts), nav="Audit", finding=_finding(run))


def _finding(run: FinishedRun) -> str:
    """Pairs of copies, and the fact that separates the classes best."""
    pairs = run.answer.duplicates.pairs
    parts = [f"{pairs:,} pairs of copies" if pairs else "no copies found"]
    table = run.table("audit/differences.csv")
    if len(table) and table["separation"].notna().any():
        first = records(table.nlargest(1, "separation"))[0]
        parts.append(f"classes differ most in {first['fact']} (separation {as_number(first['separation']):.2f})")
    return "; ".join(parts)


def differences(run: FinishedRun) -> View | None:
    """Facts in which the classes differ, one column a class."""
    table = run.table("audit/differences.csv")
    if not len(table):
        return None
    names = [str(name) for name in table if name not in _OWN]
    rows = [
        {
            "fact": row["fact"],
            "values": [_plain(row[name]) for name in names],
            "separation": as_number(row["separation"]),
            "verdict": row["verdict"],
        }
        for row in records(table)
    ]
    return {"classes": names, "rows": rows}


def _plain(value: Any) -> str:
    """Numbers without noise, texts as they are."""
    number = as_number(value)
    if math.isnan(number):
        return "" if isinstance(value, float) else str(value)
    return f"{number:,.0f}" if number == int(number) else f"{number:,.4g}"


def copies(run: FinishedRun) -> View | None:
    """Grouped pairs and the others: the first of each, and contact sheets as long as they fit into the report."""
    table = run.table("audit/copies.parquet")
    if not len(table):
        return None
    table = table.assign(**{name: value for name, value in _EARLIER.items() if name not in table})
    sheets, left_out = _sheets(sorted((run.folder / "audit" / "sheets").glob("*.png")))
    table = table.assign(**{name: table[name].map(lambda path: _below(path, run)) for name in ("path_a", "path_b")})
    parts = [_part(table[table["grouped"]]), _part(table[~table["grouped"]])]
    return {"words": run.answer.duplicates.words, "parts": parts, "sheets": sheets, "sheets_left_out": left_out}


def _below(path: str, run: FinishedRun) -> str:
    """A path without that of the folder of the images."""
    folder = str((run.experiment_file.get("images") or {}).get("folder") or "")
    return str(path).removeprefix(folder).lstrip("/\\")


def _part(table: pd.DataFrame) -> View:
    return {"rows": records(table.head(_LISTED)), "total": len(table)}


def _sheets(paths: list[Path]) -> tuple[list[dict[str, str]], int]:
    sheets: list[dict[str, str]] = []
    remaining = _SHEET_BYTES
    for path in paths:
        data = sheet_data(path)
        remaining -= len(data)
        if remaining < 0:
            break
        alike = "look alike and are not grouped" if path.name.startswith("looks-alike") else "the audit calls copies"
        sheets.append({"pairs": alike, "data": data})
    return sheets, len(paths) - len(sheets)

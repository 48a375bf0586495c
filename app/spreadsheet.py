"""Tables that a visitor downloads, safe to open in a spreadsheet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def as_csv(table: pd.DataFrame) -> bytes:
    """CSV that Excel reads as UTF-8; texts that it would take for a formula begin with an apostrophe."""
    return table.map(_inert).rename(columns=_inert).to_csv(index=False).encode("utf-8-sig")


def _inert(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value

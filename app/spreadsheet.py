"""Tables that a visitor downloads, safe to open in a spreadsheet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..storage import csv_text

if TYPE_CHECKING:
    import pandas as pd


def as_csv(table: pd.DataFrame) -> bytes:
    """CSV that Excel reads as UTF-8; texts that it would take for a formula begin with an apostrophe."""
    return csv_text(table).encode("utf-8-sig")

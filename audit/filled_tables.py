"""Tables that a person filled in: rows by their line, texts as a spreadsheet may have written them."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from ..storage import restored

Rows = list[tuple[int, dict[str, str]]]
"""Line of the table, and its values by the names of their columns, in lower case."""


def read_rows(table: Path) -> tuple[set[str], Rows]:
    """Names of the columns, in lower case, and rows of a CSV or parquet table; what it raises is no error of ours."""
    return _read_parquet(table) if table.suffix.lower() == ".parquet" else _read_csv(table)


def identify(image_id: str, path: str, ids: set[str], by_path: Mapping[str, str], folder: Path) -> str:
    """Id of an image of the run, by its id or else its path; '' where it has none of these."""
    return image_id if image_id in ids else by_path.get(os.path.normpath(folder / path), "") if path else ""


def _read_parquet(table: Path) -> tuple[set[str], Rows]:
    import pandas as pd

    rows = pd.read_parquet(table)
    names, records = _names(rows.columns), rows.astype("string").fillna("").to_numpy().tolist()
    return set(names), [(number, _texts(names, values)) for number, values in enumerate(records, 1)]


def _read_csv(table: Path) -> tuple[set[str], Rows]:
    """Rows by line; a spreadsheet may have put semicolons or tabs between the values."""
    text = table.read_text(encoding="utf-8-sig", errors="replace")
    head = text.partition("\n")[0]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=head.count))
    names = _names(next(reader, []))
    rows = [(reader.line_num, list(map(restored, values))) for values in reader if any(values)]
    return set(names), [(line, _texts(names, values)) for line, values in rows]


def _names(columns: Iterable[object]) -> list[str]:
    return [str(name).strip().casefold() for name in columns]


def _texts(names: list[str], values: list[str]) -> dict[str, str]:
    return {name: value.strip() for name, value in zip(names, values, strict=False)}

"""Tables beside images: often they hold the labels, and are pointed to where they are not a manifest."""

from __future__ import annotations

import csv
import shlex
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from .files import FileList

_TABLES = (".csv", ".tsv", ".txt", ".xlsx", ".xls", ".ods", ".parquet", ".json", ".jsonl")
_TEXT = {".csv", ".tsv", ".txt"}
_PREDICTIONS = {"image", "image_id", "label"}
"""Columns of what `leukobench predict` writes."""
_LOOKED_AT, _ROWS, _SIGNS, _SHOWN = 10, 50, 100_000, 6


def table_advice(files: FileList) -> str:
    """What to do with the table that lists these images, or that at least lies beside them; '' where there is none."""
    paths = [path for path in files.other_files(*_TABLES) if PurePosixPath(path).suffix.lower() in _TABLES]
    if not paths:
        return ""
    named = {path.rpartition("/")[2] for path in files.images}
    named |= {name.rpartition(".")[0] for name in named}
    beside = ""
    for path in sorted(paths, key=lambda path: (path.count("/"), path))[:_LOOKED_AT]:
        columns, rows = _head(files.folder / path)
        if set(columns) >= _PREDICTIONS:
            continue
        for position, column in enumerate(columns):
            values = [PurePosixPath(row[position]).name for row in rows if len(row) == len(columns)]
            if values and 2 * sum(value in named for value in values) > len(values):
                return _advice(files, path, columns, f"lists the images in its column {column}")
        if PurePosixPath(path).suffix.lower() != ".txt" and "/" not in path:
            beside = beside or _advice(files, path, columns, "lies beside the images")
    return beside


def lists_images(advice: str) -> bool:
    """Whether `table_advice` speaks of a table that names the images."""
    return " lists the images " in advice


def _advice(files: FileList, path: str, columns: list[str], what: str) -> str:
    shown = f" (columns {', '.join(columns[:_SHOWN])})" if columns else ""
    is_csv = path.lower().endswith(".csv")
    table = path if is_csv else PurePosixPath(path).with_suffix(".csv")
    other = "" if is_csv else f", saved as {table}"
    return (
        f"{path}{shown} {what}. If it holds the labels, call two of its columns path (the file, relative to the table) "
        f"and label{other}, and name it in place of the folder: {shlex.quote(str(files.folder / table))}"
    )


def _head(table: Path) -> tuple[list[str], list[list[str]]]:
    """Return the columns and the first rows; none where the file is no table that can be read."""
    suffix = table.suffix.lower()
    rows = list(_text_rows(table) if suffix in _TEXT else _parquet_rows(table) if suffix == ".parquet" else ())
    return (rows[0], rows[1:]) if rows else ([], [])


def _text_rows(table: Path) -> Iterator[list[str]]:
    try:
        with table.open(encoding="utf-8-sig", errors="replace", newline="") as stream:
            lines = [line for line in stream.read(_SIGNS).splitlines()[: _ROWS + 1] if line.strip()]
        delimiter = max(",;\t| ", key=lines[0].count) if lines else ","
        yield from ([cell.strip() for cell in row] for row in csv.reader(lines, delimiter=delimiter))
    except (OSError, csv.Error):  # an advice is not worth an error
        return


def _parquet_rows(table: Path) -> Iterator[list[str]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with table.open("rb") as stream:
            batch = next(pq.ParquetFile(stream).iter_batches(_ROWS), None)
    except (OSError, pa.ArrowException):
        return
    if batch is not None:
        yield batch.schema.names
        yield from ([str(cell) for cell in row.values()] for row in batch.to_pylist())

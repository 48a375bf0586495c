"""Corrections: a table in which a person says which label an image should have, or that it is to be left out."""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import ConfigurationError
from .filled_tables import Rows, identify, read_rows

if TYPE_CHECKING:
    import pandas as pd

LEAVE_OUT = "leave out"
COLUMN = "corrected"
_SHOWN = 3
_FIX = f"correct these rows, or empty their column {COLUMN}."

Corrections = dict[str, str]
"""Image id -> label, or `LEAVE_OUT`."""


def read_corrections(table: Path) -> Rows:
    """Rows of a CSV or parquet table such as ``suspects.csv`` in which the column ``corrected`` is filled in.

    Raises
    ------
    ConfigurationError
        It cannot be read, or lacks a column.
    """
    try:
        columns, rows = read_rows(table)
    except Exception as error:
        raise ConfigurationError(
            f"The table of corrections {table} cannot be read.",
            expected=f"a CSV or parquet table, such as suspects.csv of a run, with its column {COLUMN} filled in",
            received=str(error) or type(error).__name__,
            fix="correct the path in images.corrections (--corrections).",
        ) from error
    if COLUMN not in columns or not columns & {"image_id", "path"}:
        raise ConfigurationError(
            f"The table of corrections {table} lacks columns.",
            expected=f"{COLUMN}, and image_id or path, as in suspects.csv",
            received=", ".join(sorted(columns)) or "no column",
            fix=f"start from suspects.csv of a run, and fill in the column {COLUMN}.",
        )
    return [(line, row) for line, row in rows if row.get(COLUMN)]


def corrections_of(rows: Rows, images: pd.DataFrame, folder: Path, unused: Collection[str], table: Path) -> Corrections:
    """Corrections of these images, joined by image id and, where that is unknown, by path.

    Identical files have one id, and so one label.

    Parameters
    ----------
    rows : list of (int, mapping)
        See `read_corrections`.
    images : DataFrame
        image_id, path, label.
    folder : Path
        That relative paths start from.
    unused : collection of str
        Paths of images that are there and not used; rows that name one are passed over.
    table : Path
        For the words of errors.

    Raises
    ------
    ConfigurationError
        A label is that of no image, an image is not there, or one image has two corrections.
    """
    exact = set(images["label"])
    classes = {label.casefold(): label for label in exact} | {"leave_out": LEAVE_OUT, LEAVE_OUT: LEAVE_OUT}
    ids, by_path = set(images["image_id"]), dict(zip(images["path"], images["image_id"], strict=True))
    corrections: Corrections = {}
    absent, unknown, against = [], [], []
    for line, row in rows:
        path, label = row.get("path", ""), row[COLUMN]
        image_id = identify(row.get("image_id", ""), path, ids, by_path, folder)
        correction = label if label in exact else classes.get(label.casefold(), "")
        if not image_id:
            absent += [f"line {line}: {path or row.get('image_id', '')}"] * (
                os.path.normpath(folder / path) not in unused
            )
        elif not correction:
            unknown.append(f"line {line}: {label}")
        elif corrections.setdefault(image_id, correction) != correction:
            against.append(f"line {line}: {label}, and {corrections[image_id]} for the same image")
    _refuse(table, unknown, "holds unknown labels", f"{', '.join(sorted(exact))}, {LEAVE_OUT}, or nothing")
    _refuse(table, absent, "names images that are not there", "the image ids, or paths, of images of this run")
    _refuse(table, against, "contradicts itself", "one correction for each image")
    return corrections


def _refuse(table: Path, problems: list[str], what: str, expected: str) -> None:
    if problems:
        more = f"; and {len(problems) - _SHOWN:,} more" if len(problems) > _SHOWN else ""
        received = "; ".join(problems[:_SHOWN]) + more
        raise ConfigurationError(
            f"The table of corrections {table} {what}.", expected=expected, received=received, fix=_FIX
        )

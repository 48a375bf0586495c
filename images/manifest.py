"""Manifests: tables of paths, labels and patients."""

from __future__ import annotations

import csv
import difflib
import re
from pathlib import Path, PurePosixPath
from typing import Any

from ..errors import ImagesError
from ..remote.path import absolute_path
from ..storage import restored
from .candidates import is_image_name
from .files import FileList, Listing, Row
from .limits import MAX_BYTES
from .present import FILE, Present, size_of
from .shapes import RESERVED

_SHOWN, _LONGEST_LINE = 5, 100_000
_PATIENT = ("group", "patient")
_PEOPLE = frozenset({"subject", "case", "person", "participant", "donor", "individual", "animal", "patients", "groups"})
"""What columns that hold patients are called, without id, number and the like."""


class ManifestLayout:
    """A CSV or parquet table with the columns ``path``, ``label`` and, if known, ``group`` or ``patient``.

    Paths are absolute or relative to the table; semicolons or tabs may stand in place of commas. Every value is text:
    label 01 stays 01, and NA is a class like any other. Further columns, such as ``split``, ``fold``, ``site`` or
    ``stain``, are kept. The user names the table, or a folder that holds it as ``manifest.csv`` or
    ``manifest.parquet``; images of that folder that are not in the table are refused.
    """

    def matches(self, files: FileList) -> bool:
        """Whether the user named a table, or a folder with a table called ``manifest``."""
        return bool(files.manifest or _manifests(files))

    def read(self, files: FileList) -> Listing:
        """Read the table.

        Raises
        ------
        ImagesError
            The table or any of its rows cannot be used; nothing is skipped.
        """
        table = files.folder / (files.manifest or _only(_manifests(files), files.folder))
        columns, rows = _read_table(table)
        patient = _patient_column(columns, table)
        present = Present(files, [row["path"] for _, row in rows])
        listed = [_row(row, patient, _further_columns(columns, patient), present) for _, row in rows]
        _check_rows(listed, [line for line, _ in rows], present, table)
        named = {absolute_path(files.folder, row.path) for row in listed}
        refused = [
            (path, f"not in {table.name}") for path in files.images if absolute_path(files.folder, path) not in named
        ]
        patients = f"column {patient} of the manifest" if patient else "none"
        return Listing(listed, refused, patients, objects=present.objects, table=table.name)


class PreliminaryLayout:
    """The preliminary test set of C-NMC 2019: numbered images and a CSV with ``Patient_ID,new_names,labels``.

    Label 1 is ``all``, 0 is ``hem``, as in the training set's names; the subject is part of ``Patient_ID``
    (``UID_57_29_1_all.bmp``). The CSV may be in any folder below the root.
    """

    columns = ("Patient_ID", "new_names", "labels")

    def matches(self, files: FileList) -> bool:
        """Whether exactly one CSV has these columns."""
        return bool(files.images) and len(self._tables(files)) == 1

    def read(self, files: FileList) -> Listing:
        """Join the CSV with the images by their names.

        Raises
        ------
        ImagesError
            There is no such CSV, or one of its rows cannot be used.
        """
        table = files.folder / _only(self._tables(files), files.folder)
        _, rows = _read_table(table)
        paths: dict[str, list[str]] = {}
        below = [path for path in files.images if _is_below(path, table.relative_to(files.folder))] or files.images
        for path in below:
            paths.setdefault(PurePosixPath(path).name, []).append(path)
        problems, listed = [], []
        for line, row in rows:
            matches = paths.pop(row["new_names"], [])
            if len(matches) == 1 and row["labels"] in {"0", "1"} and row["Patient_ID"].count("_") > 1:
                listed.append(Row(matches[0], ("hem", "all")[int(row["labels"])], row["Patient_ID"].split("_")[1]))
            else:
                problems.append(f"line {line}: {len(matches)} files called {row['new_names']}, label {row['labels']}")
        _raise_problems(problems, len(rows), table)
        used = {row.path for row in listed}
        refused = [(path, f"not in {table.name}") for path in files.images if path not in used]
        name = table.relative_to(files.folder).as_posix()
        return Listing(listed, refused, "subject from the column Patient_ID (C-NMC 2019)", table=name)

    def _tables(self, files: FileList) -> list[str]:
        return [path for path in files.other_files(".csv") if tuple(_header(files.folder / path)) == self.columns]


def _is_below(path: str, table: Path) -> bool:
    """Whether an image lies in the folder of the table, or deeper: further sets number their images alike."""
    return PurePosixPath(path).is_relative_to(PurePosixPath(table.parent.as_posix()))


def _row(cells: dict[str, str], patient: str, further: dict[str, str], present: Present) -> Row:
    columns = {name: cells[column] for column, name in further.items()}
    path = cells["path"]
    if "\\" in path and not present.kind(path):  # written by Windows
        path = path.replace("\\", "/")
    return Row(path, cells["label"].strip(), cells[patient].strip() if patient else "", columns)


def _manifests(files: FileList) -> list[str]:
    return [name for name in ("manifest.csv", "manifest.parquet") if name in files.other_files(name)]


def _only(tables: list[str], folder: Path) -> str:
    if len(tables) == 1:
        return tables[0]
    raise ImagesError(
        f"{folder} holds {len(tables) or 'no'} tables that could be the manifest.",
        expected="one",
        received=", ".join(tables) or "none",
        fix="give the path of the table instead of the folder.",
    )


def _header(table: Path) -> list[str]:
    try:
        with table.open(encoding="utf-8-sig", newline="") as stream:
            return next(csv.reader([stream.readline(_LONGEST_LINE)]), [])
    except (OSError, UnicodeDecodeError, csv.Error):  # not a manifest, so not an error
        return []


def _read_table(table: Path) -> tuple[list[str], list[tuple[int, dict[str, str]]]]:
    """Return the column names and the rows, each with its number: the line of a CSV, the row of a parquet file."""
    if size_of(table) > MAX_BYTES:
        raise _unreadable(table, f"at most {MAX_BYTES // 2**20} MB", "more")
    columns, lines = _read_parquet(table) if table.suffix.lower() == ".parquet" else _read_csv(table)
    uneven = [f"line {line}: {len(cells)} fields" for line, cells in lines if len(cells) != len(columns)]
    _raise_problems(uneven, len(lines), table, f"{len(columns)} fields ({', '.join(columns)})")
    return columns, [(line, dict(zip(columns, cells, strict=True))) for line, cells in lines]


def _read_csv(table: Path) -> tuple[list[str], list[tuple[int, list[str]]]]:
    try:
        with table.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.reader(stream, strict=True, delimiter=_delimiter(stream.readline(_LONGEST_LINE)))
            stream.seek(0)
            columns = [name.strip() for name in next(reader, [])]
            return columns, [(reader.line_num, list(map(restored, cells))) for cells in reader if cells]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise _unreadable(table, "comma-separated text in UTF-8", error) from error


def _delimiter(head: str) -> str:
    """A comma, or what a spreadsheet put in its place."""
    names = {sign: {name.strip(' "\r\n') for name in head.split(sign)} for sign in ",;\t"}
    return next((sign for sign in names if {"path", "label"} <= names[sign]), ",")


def _read_parquet(table: Path) -> tuple[list[str], list[tuple[int, list[str]]]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with table.open("rb") as stream:
            content = pq.ParquetFile(stream)
            plain = [field.name for field in content.schema_arrow if not _is_opaque(field.type)]
            columns = content.read(plain).columns
        texts = [column.cast(pa.string()).fill_null("").to_pylist() for column in columns]
    except (OSError, pa.ArrowException) as error:
        raise _unreadable(table, "a parquet table of text or numbers", error) from error
    return plain, [(number, list(cells)) for number, cells in enumerate(zip(*texts, strict=True), 1)]


def _is_opaque(kind: Any) -> bool:
    """Whether a type has no text, such as that of embeddings: they are no facts of an image."""
    from pyarrow import types

    return bool(
        types.is_nested(kind)
        or types.is_binary(kind)
        or types.is_large_binary(kind)
        or types.is_fixed_size_binary(kind)
    )


def _unreadable(table: Path, expected: str, error: object) -> ImagesError:
    return ImagesError(
        f"The manifest {table} cannot be read.", expected=expected, received=str(error), fix="write the table again."
    )


def _patient_column(columns: list[str], table: Path) -> str:
    """Return the name of the column that holds the patient, or ''; refuse names that leave a doubt."""
    patient = [name for name in columns if name in _PATIENT]
    twice = sorted({name for name in columns if name and columns.count(name) > 1})
    if not {"path", "label"} <= set(columns) or twice or len(patient) > 1:
        raise ImagesError(
            f"The manifest {table} does not have the right columns.",
            expected="path, label and, if known, one of group and patient; further columns are kept; no name twice",
            received=", ".join(columns) or "an empty file",
            fix="rename columns; commas, semicolons or tabs may stand between them.",
        )
    doubtful = [name for name in columns if not patient and _may_be_patient(name)]
    if doubtful:
        raise ImagesError(
            f"The manifest {table} has no column patient, but {' and '.join(doubtful)}.",
            expected="the patient of each image, where known, in a column called patient",
            received=", ".join(columns),
            fix=f"rename {doubtful[0]} to patient if that is what it holds, else to another name, such as note.",
        )
    return patient[0] if patient else ""


def _may_be_patient(name: str) -> bool:
    """Whether a column is called nearly like one that decides the groups; to overlook it would leak patients."""
    plain = re.sub(r"[^a-z]+", "", name.lower())
    plain = re.sub(r"(ids?|no|nr|number|name|code)$", "", plain) or plain
    near = difflib.get_close_matches(plain, _PATIENT, n=1, cutoff=0.8)
    return plain in _PEOPLE or bool(near and abs(len(near[0]) - len(plain)) < 2)


def _further_columns(columns: list[str], patient: str) -> dict[str, str]:
    """Column of the table -> its name in the index; one without a name, as pandas writes its index, is left out."""
    further = [name for name in columns if name and name not in {"path", "label", patient}]
    return {name: f"manifest_{name}" if name in RESERVED else name for name in further}


def _check_rows(rows: list[Row], lines: list[int], present: Present, table: Path) -> None:
    first: dict[str, int] = {}
    problems = []
    for row, line in zip(rows, lines, strict=True):
        path = absolute_path(present.folder, row.path)
        problem = _problem(row, present)
        if not problem and first.setdefault(path, line) != line:
            problem = f"{row.path} is already in line {first[path]}"
        problems += [f"line {line}: {problem}"] if problem else []
    _raise_problems(problems, len(rows), table)


def _problem(row: Row, present: Present) -> str:
    if not row.path:
        return "no path"
    if not row.label:
        return f"no label for {row.path}"
    if not is_image_name(row.path):
        return f"{row.path} does not have the extension of an image"
    kind = present.kind(row.path)
    if kind == FILE:
        return ""
    return f"{row.path} is no regular file" if kind else f"there is no file {row.path}"


def _raise_problems(problems: list[str], rows: int, table: Path, expected: str = "") -> None:
    if problems:
        more = f"; and {len(problems) - _SHOWN} more" if len(problems) > _SHOWN else ""
        raise ImagesError(
            f"{len(problems)} of {rows} rows of the manifest {table} cannot be used.",
            expected=expected
            or "a path to an image, relative to the table or absolute, and a label in every row, once",
            received="; ".join(problems[:_SHOWN]) + more,
            fix="correct or remove these rows; none is skipped silently.",
        )

"""What the parts of the Explore page share: a run, one combination of it, the images of a prediction."""

from __future__ import annotations

import hashlib
import io
import os
import stat
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from ..errors import StorageError, UnreadableImageError
from ..evaluation.combination_names import names_of, rows_of, short_name
from ..images.decoding import decode_rgb
from ..images.reading import read_file
from ..remote.path import is_url
from ..reporting.report.numbers import title_of
from ..runs.finished import FinishedRun

if TYPE_CHECKING:
    import pandas as pd

Key = tuple[str, ...]
_SIDE = 256
NOTHING_STORED = '<p class="lb-lead">This row has no stored predictions.</p>'


def read_run(folder: Path) -> FinishedRun:
    """A run; kept until its leaderboard changes.

    Raises
    ------
    ConfigurationError, StorageError
        An older version of leukobench wrote it, a file is damaged, or the run is gone.
    """
    try:
        changed = (folder / "leaderboard.csv").stat().st_mtime_ns
    except OSError as error:
        raise StorageError(f"The run {folder.name} is no longer there.", fix="reload this page.") from error
    return _read_run(folder, changed)


@st.cache_resource(max_entries=8, show_spinner=False)
def _read_run(folder: Path, changed: int) -> FinishedRun:
    return FinishedRun.open(folder, ended=False)


def choose(run: FinishedRun, label: str, key: str, index: int = 0) -> Key:
    """A box with every scored row, best first, shortcuts last; returns the names of the chosen row."""
    rows = [*run.ranked, *run.shortcuts]
    titles = [title_of([short_name(name) for name in names_of(row)]) for row in rows]
    place = st.selectbox(
        label, range(len(rows)), min(index, len(rows) - 1), format_func=lambda place: titles[place], key=key
    )
    return names_of(rows[place or 0])


def only(run: FinishedRun, key: Key) -> FinishedRun:
    """The run as if this combination were all of it, so that the report's functions show this one."""
    return replace(run, leaderboard=rows_of(run.leaderboard, key).assign(rank=1))


def predictions(run: FinishedRun, key: Key) -> pd.DataFrame:
    """Out-of-fold predictions of one combination; no rows where none were stored."""
    path = run.folder / "predictions.parquet"
    if not path.exists():
        return run.table(path.name)
    return _predictions(run, run.folder, key, path.stat().st_mtime_ns)


@st.cache_resource(max_entries=16, show_spinner=False)
def _predictions(_run: FinishedRun, folder: Path, key: Key, changed: int) -> pd.DataFrame:
    return _run.predictions_of(key)


def thumbnail(path: str, image_id: str) -> bytes | None:
    """A small JPEG of an image of the run; None where it is no longer there, or another one is."""
    if is_url(path):
        return _thumbnail(path, image_id, 0)
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return None
    return _thumbnail(path, image_id, status.st_mtime_ns) if stat.S_ISREG(status.st_mode) else None


@st.cache_data(max_entries=1_000, show_spinner=False)
def _thumbnail(path: str, image_id: str, changed: int) -> bytes | None:
    try:
        data = read_file(path)
    except UnreadableImageError:
        return None
    return small_jpeg(data) if hashlib.sha256(data).hexdigest() == image_id else None


def small_jpeg(data: bytes) -> bytes | None:
    """A small JPEG of an image's bytes; None where they cannot be read."""
    try:
        picture = decode_rgb(data, target_size=(_SIDE, _SIDE))
    except (UnreadableImageError, StorageError):  # the second where an object store does not answer
        return None
    picture.thumbnail((_SIDE, _SIDE))
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=88)
    return stream.getvalue()


def page_of(count: int, size: int, key: str) -> slice:
    """Rows of the page that is looked at; a box to choose it where there are several."""
    pages = max(-(-count // size), 1)
    number = 1
    if pages > 1:
        number = st.number_input(f"Page (of {pages})", 1, pages, key=key, width=160)
    return slice((number - 1) * size, number * size)

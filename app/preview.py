"""How the names and folders of images are read: classes, patients and columns, before anything is computed."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from ..errors import LeukobenchError
from ..images.files import find_files
from ..images.groups import compile_group, regroup
from ..images.listing import read_layout
from ..images.splits import FOLD, SPLIT

_KEPT_S = 60.0


@dataclass(frozen=True)
class Preview:
    """What the names of the files say.

    Attributes
    ----------
    words : str
    columns : tuple of str
        What else is known of each image, such as its site.
    error : str
        Why they cannot be read; else empty.
    """

    words: str = ""
    columns: tuple[str, ...] = ()
    error: str = ""


@st.cache_data(max_entries=64, ttl=_KEPT_S, show_spinner="Reading the names of the files")
def preview(folder: Path, group: str, split: bool) -> Preview:
    """Read `folder` as a benchmark would, with a regular expression for the patients where `group` is not empty."""
    try:
        expression = compile_group(group) if group else None
        _, listing, layout = read_layout(find_files(folder), "auto", split=split)
        if expression:
            listing = regroup(listing, expression, folder)
    except LeukobenchError as error:
        return Preview(error=" ".join(part for part in (error.what, error.fix) if part))
    rows = listing.rows
    classes = Counter(row.label for row in rows)
    counts = ", ".join(f"{name} {count:,}" for name, count in sorted(classes.items()))
    words = f"{len(rows):,} images in {len(classes)} classes: {counts}; layout {layout}. "
    patients = Counter(row.patient for row in rows if row.patient)
    if patients:
        name, count = patients.most_common(1)[0]
        words += f"{len(patients):,} patients ({listing.patients}); most images of one: {name}, {count:,}."
    else:
        words += "No patients are known: images of one patient may be in both training and test."
    columns = tuple(name for name in rows[0].columns if name not in (SPLIT, FOLD)) if rows else ()
    return Preview(" ".join([words, *listing.warnings]), columns)

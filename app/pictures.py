"""The pictures that a combination gets wrong, the surest mistakes first."""

from __future__ import annotations

import math
from pathlib import PurePath
from typing import TYPE_CHECKING

import streamlit as st

from ..reporting.report.tables import Row, RunTables, records
from .diagnosis import percent
from .run_data import NOTHING_STORED, choose, page_of, predictions, thumbnail
from .style import figures

if TYPE_CHECKING:
    import pandas as pd

_PAGE = 24


def show_wrong(run: RunTables) -> None:
    """Draw them for the combination, label and prediction that are chosen."""
    key = choose(run, "Combination", "wrong")
    found = predictions(run, key)
    if not len(found):
        st.html(NOTHING_STORED)
        return
    wrong = _wrong(found)
    if not len(wrong):
        st.html('<p class="lb-lead">It gets no picture wrong.</p>')
        return
    left, right = st.columns(2)
    for place, words, column in ((left, "Label", "label"), (right, "Prediction", "predicted")):
        names = sorted(wrong[column].unique())
        picked = place.selectbox(words, names, None, placeholder="all", key=f"wrong-{column}")
        wrong = wrong if picked is None else wrong[wrong[column] == picked]
    st.caption(f"{len(wrong):,} pictures, out of fold; the surest mistakes first")
    rows = records(wrong.iloc[page_of(len(wrong), _PAGE, "wrong-page")])
    st.html(figures((thumbnail(row["path"], row["image_id"]), *_caption(row)) for row in rows))


def _wrong(found: pd.DataFrame) -> pd.DataFrame:
    """One row a picture that was wrong at least once, with the probability of its surest mistake."""
    wrong = found[found["predicted"] != found["label"]]
    columns = [f"p_{label}" for label in found["label"].unique()]
    sure = wrong[[name for name in columns if name in wrong]].max(axis=1)
    return wrong.assign(sure=sure).sort_values("sure", ascending=False).drop_duplicates("image_id")


def _caption(row: Row) -> tuple[str, str]:
    sure = "" if math.isnan(row["sure"]) else f" ({percent(row['sure'])})"
    return PurePath(row["path"]).name, f"{row['label']}, taken for {row['predicted']}{sure}"

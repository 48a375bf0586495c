"""The pictures that a combination gets wrong, the surest mistakes first."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING

import streamlit as st

from ..reporting.report_tables import Row, RunTables, records
from .one_run import choose, page_of, predictions, thumbnail
from .style import figures

if TYPE_CHECKING:
    import pandas as pd

_PAGE = 24
_ALL = "all"


def show_wrong(run: RunTables) -> None:
    """Draw them for the combination, label and prediction that are chosen."""
    key = choose(run, "Combination", "wrong")
    wrong = _wrong(predictions(run, key))
    if not len(wrong):
        st.html('<p class="lb-lead">It gets no picture wrong.</p>')
        return
    left, right = st.columns(2)
    label = left.selectbox("Label", [_ALL, *sorted(wrong["label"].unique())], key="wrong-label")
    said = right.selectbox("Prediction", [_ALL, *sorted(wrong["predicted"].unique())], key="wrong-predicted")
    wrong = wrong[wrong["label"].eq(label) | (label == _ALL)]
    wrong = wrong[wrong["predicted"].eq(said) | (said == _ALL)]
    st.caption(f"{len(wrong):,} pictures, out of fold; the surest mistakes first")
    rows = records(wrong.iloc[page_of(len(wrong), _PAGE, "wrong-page")])
    st.html(figures((thumbnail(str(row["path"])), *_caption(row)) for row in rows))


def _wrong(found: pd.DataFrame) -> pd.DataFrame:
    """One row a picture that was wrong at least once, with the probability of its surest mistake."""
    wrong = found[found["predicted"] != found["label"]]
    columns = [f"p_{label}" for label in found["label"].unique()]
    sure = wrong[[name for name in columns if name in wrong]].max(axis=1)
    return wrong.assign(sure=sure).sort_values("sure", ascending=False).drop_duplicates("image_id")


def _caption(row: Row) -> tuple[str, str]:
    words = f"{row['label']}, taken for {row['predicted']} ({100 * row['sure']:.0f} %)"
    return PurePath(str(row["path"])).name, words

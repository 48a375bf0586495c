"""The images that a combination predicts wrongly, the most confident mistakes first."""

from __future__ import annotations

import math
from pathlib import PurePath
from typing import TYPE_CHECKING

import streamlit as st

from ..runs.finished import FinishedRun, Row, records
from ..serving.output import percent
from .run_data import NOTHING_STORED, choose, page_of, predictions, thumbnail
from .style import figures

if TYPE_CHECKING:
    import pandas as pd

_PAGE = 24


def show_wrong(run: FinishedRun) -> None:
    """Draw them for the combination, label and prediction that are chosen."""
    key = choose(run, "Combination", "wrong")
    predicted = predictions(run, key)
    if not len(predicted):
        st.html(NOTHING_STORED)
        return
    wrong = _wrong(predicted)
    if not len(wrong):
        st.html('<p class="lb-lead">All its predictions are correct.</p>')
        return
    left, right = st.columns(2)
    for place, words, column in ((left, "Label", "label"), (right, "Prediction", "predicted")):
        names = sorted(wrong[column].unique())
        chosen = place.selectbox(words, names, None, placeholder="all", key=f"wrong-{column}")
        wrong = wrong if chosen is None else wrong[wrong[column] == chosen]
    st.caption(f"{len(wrong):,} images with wrong out-of-fold predictions, the most confident first")
    rows = records(wrong.iloc[page_of(len(wrong), _PAGE, "wrong-page")])
    st.html(figures((thumbnail(row["path"], row["image_id"]), *_caption(row)) for row in rows))


def _wrong(predicted: pd.DataFrame) -> pd.DataFrame:
    """One row per image that was wrong at least once, with the probability of its most confident mistake."""
    wrong = predicted[predicted["predicted"] != predicted["label"]]
    columns = [f"p_{label}" for label in predicted["label"].unique()]
    sure = wrong[[name for name in columns if name in wrong]].max(axis=1)
    return wrong.assign(sure=sure).sort_values("sure", ascending=False).drop_duplicates("row")


def _caption(row: Row) -> tuple[str, str]:
    sure = "" if math.isnan(row["sure"]) else f" ({percent(row['sure'])})"
    return PurePath(row["path"]).name, f"{row['label']}, predicted {row['predicted']}{sure}"

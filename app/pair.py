"""Two combinations side by side: their numbers, their confusions, the images on which they differ."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING

import streamlit as st

from ..evaluation.metrics import overall_metrics
from ..evaluation.records import FIT_S, PREDICT_S
from ..reporting.report.numbers import as_number, interval_of, texts
from ..runs.finished import FinishedRun, Row, records
from .combination import confusion
from .run_data import NOTHING_STORED, Key, choose, only, page_of, predictions, thumbnail
from .style import figures, number, table

if TYPE_CHECKING:
    import pandas as pd

_COSTS = {FIT_S: "seconds to fit", PREDICT_S: "seconds to predict", "features": "features"}
_PAGE = 24
_WHO = {
    (True, True): "both correct",
    (True, False): "only the first correct",
    (False, True): "only the second correct",
    (False, False): "both wrong",
}


def show(run: FinishedRun) -> None:
    """Draw them."""
    if len(run.ranked) + len(run.shortcuts) < 2:
        st.html('<p class="lb-lead">Select two rows.</p>')
        return
    boxes = st.columns(2)
    with boxes[0]:
        first = choose(run, "First", "first")
    with boxes[1]:
        second = choose(run, "Second", "second", index=1)
    if first == second:
        st.html('<p class="lb-lead">Select two different rows.</p>')
        return
    ones = [only(run, key) for key in (first, second)]
    st.html(
        table(
            ["measure", "first", "second"],
            _numbers(ones),
            "Scores with 95 % intervals (AUROC: mean over folds), and costs per fold",
        )
    )
    for column, one, which in zip(st.columns(2), ones, ("First", "Second"), strict=True):
        with column:
            st.header(which, anchor=False)
            confusion(one)
    _differing(run, first, second)


def _numbers(ones: list[FinishedRun]) -> list[list[str]]:
    rows = [records(one.leaderboard)[0] for one in ones]
    metrics = [one for one in overall_metrics() if one.name in rows[0]]
    scores = [[one.title, *(_score(row, one.name) for row in rows)] for one in metrics]
    costs = [[words, *(f"{as_number(row.get(name)):,.4g}" for row in rows)] for name, words in _COSTS.items()]
    return scores + costs


def _score(row: Row, name: str) -> str:
    score = texts(name, interval_of(row, name))
    return number(score["value"], score["interval"])


def _differing(run: FinishedRun, first: Key, second: Key) -> None:
    ones = predictions(run, first), predictions(run, second)
    st.header("Where they differ", anchor=False)
    if not all(map(len, ones)):
        st.html(NOTHING_STORED)
        return
    both = _join(*ones)
    right = [(who, int(((both["right_1"] == who[0]) & (both["right_2"] == who[1])).sum())) for who in _WHO]
    st.html(
        table(["predictions", "count"], [[_WHO[who], f"{count:,}"] for who, count in right], "Out-of-fold predictions")
    )
    differ = both[both["predicted_1"] != both["predicted_2"]]
    options = ["all", *(_WHO[who] for who in list(_WHO)[1:])]
    wanted = st.selectbox("Images", options, key="differ")
    who = next((who for who, words in _WHO.items() if words == wanted), None)
    if who:
        differ = differ[(differ["right_1"] == who[0]) & (differ["right_2"] == who[1])]
    differ = differ.drop_duplicates("row")  # after the filter: the repeats need not agree
    st.caption(f"{len(differ):,} images are predicted differently")
    rows = records(differ.iloc[page_of(len(differ), _PAGE, "differ-page")])
    st.html(figures((thumbnail(row["path"], row["image_id"]), *_caption(row)) for row in rows))


def _join(first: pd.DataFrame, second: pd.DataFrame) -> pd.DataFrame:
    """Each image's two predictions of one repeat, beside its label."""
    keys = ["row", "repeat"]
    both = first[[*keys, "image_id", "label", "path", "predicted"]].merge(
        second[[*keys, "predicted"]], on=keys, suffixes=("_1", "_2")
    )
    return both.assign(
        right_1=both["predicted_1"] == both["label"],
        right_2=both["predicted_2"] == both["label"],
    )


def _caption(row: Row) -> tuple[str, str]:
    words = f"{row['label']}; first: {row['predicted_1']}, second: {row['predicted_2']}"
    return PurePath(row["path"]).name, words

"""One combination in detail: confusion matrix, rates of each class, calibration."""

from __future__ import annotations

import streamlit as st

from ..evaluation.combination_names import names_of, rows_of
from ..evaluation.metrics import AUROC, SENSITIVITY, SPECIFICITY
from ..reporting.figures.calibration import reliability_figure
from ..reporting.report.section import View
from ..reporting.report.sections.calibration import reliabilities
from ..reporting.report.sections.classes import POINTS, rates_of_classes
from ..reporting.report.sections.confusion import confusions
from ..runs.finished import FinishedRun, records
from . import charts
from .run_data import NOTHING_STORED, choose, only
from .style import facts, heat_cell, number, table


def show(run: FinishedRun) -> None:
    """Draw it for the combination that is chosen."""
    key = choose(run, "Combination", "one")
    one = only(run, key)
    st.header("Confusion matrix", anchor=False)
    confusion(one)
    st.header("Each class", anchor=False)
    _classes(one)
    st.header("Calibration", anchor=False)
    _calibration(one)


def confusion(one: FinishedRun) -> None:
    """Counts of each label by prediction."""
    matrices = confusions(one)
    if not matrices:
        st.html(NOTHING_STORED)
        return
    matrix = matrices[0]
    rows = [[row["label"], *map(_count, row["cells"])] for row in matrix["rows"]]
    caption = f"Labels in rows, predictions in columns: {matrix['wrong']:,} of {matrix['total']:,} are wrong"
    st.html(table(["label", *matrix["classes"]], rows, caption))


def _count(cell: View) -> str:
    share = f"{cell['share']} %" if cell["count"] else ""
    return heat_cell(f"{cell['count']:,}", cell["heat"], "" if cell["right"] else "wrong", share)


def _classes(one: FinishedRun) -> None:
    classes = rates_of_classes(one)
    if not classes:
        st.html('<p class="lb-lead">Rates per class are computed for combinations, not for shortcuts.</p>')
        return
    rows = [
        [row["label"], f"{row['images']:,}", *map(_rate, row["rates"]), row["area"], *map(_point, row["points"])]
        for row in classes["rows"]
    ]
    head = ["class", "images", SENSITIVITY.title, SPECIFICITY.title, "precision", AUROC.title, *POINTS.values()]
    caption = "Rates with counts, and 95 % intervals of these models on new images or patients like these. "
    st.html(table(head, rows, f"{caption}AUROC is the mean over folds; each fold has the threshold of the others"))


def _rate(rate: View) -> str:
    interval = f", {rate['interval']}" if rate["interval"] else ""
    return number(str(rate["value"]), f"{rate['count']:,} of {rate['total']:,}{interval}")


def _point(point: View) -> str:
    return number(point["value"], point["interval"])


def _calibration(one: FinishedRun) -> None:
    diagrams = reliabilities(one)
    table_of_bins = rows_of(one.table("reliability.parquet"), names_of(records(one.leaderboard)[0]))
    bins = [row for row in records(table_of_bins) if row["count"]]
    if not diagrams or not bins:
        st.html('<p class="lb-lead">No probabilities were stored.</p>')
        return
    st.html(facts({f"{name[0].upper()}{name[1:]}": text for name, text in diagrams[0]["numbers"].items()}))
    figure = reliability_figure(one, records(one.leaderboard)[0], "chosen", "Confidence against the share correct")
    if figure:
        charts.show(figure)
    st.caption("The larger a dot, the more predictions. On the line, the share correct equals the confidence.")
    with st.expander("As a table"):
        rows = [
            [f"{100 * row['confidence']:.1f} %", f"{100 * row['accuracy']:.1f} %", f"{row['count']:,}"] for row in bins
        ]
        st.html(table(["confidence", "share correct", "predictions"], rows, "Predictions by confidence"))

"""The page that shows a run: leaderboard, combinations, details, misclassified images, two side by side."""

from __future__ import annotations

from dataclasses import replace
from html import escape
from typing import TYPE_CHECKING

import streamlit as st

from ..evaluation.combination_names import NAMES, short_name
from ..evaluation.metrics import metric_of, overall_metrics
from ..evaluation.records import SECONDS
from ..reporting.figures.intervals import intervals
from ..reporting.report.section import View
from ..reporting.report.sections.heat import heat_map
from ..reporting.report.sections.leaderboard import commonest_reason, leaderboard
from ..reporting.report.sections.verdicts import verdicts
from ..reporting.report.sections.winner import winner
from ..runs.finished import FinishedRun
from . import charts, combination, external, pair, pictures
from .run_data import read_run
from .spreadsheet import as_csv
from .style import COMBINATION, Cell, boxes, heat_cell, name_cell, note, number, tab_title, table
from .target import Target

if TYPE_CHECKING:
    import pandas as pd

_COSTS = (*SECONDS[1:], "features")


def page(target: Target) -> None:
    """Draw it."""
    st.title("Explore", anchor=False)
    runs = {run.name: run for run in target.runs()}
    if not runs:
        st.html('<p class="lb-lead">No run has finished yet.</p>')
        return
    several = len(runs) > 1
    name = st.selectbox("Run", list(runs), key="run", bind="query-params") if several else next(iter(runs))
    run = read_run(runs[name])
    tab_title("Explore", name)
    _summary(run)
    drawers = {
        "Leaderboard": _leaderboard,
        "Intervals": _intervals,
        "Heat map": _heat_map,
        "One combination": combination.show,
        "Misclassified images": pictures.show_wrong,
        "Side by side": pair.show,
        **({"External tests": external.show} if external.has_tests(run) else {}),
    }
    for tab, draw in zip(st.tabs(list(drawers), on_change="rerun", key="part"), drawers.values(), strict=True):
        if tab.open:
            with tab:
                draw(run)


def _summary(run: FinishedRun) -> None:
    """What warns first, then the best combination, then what is in order."""
    badges = verdicts(run.answer)
    warnings = [box for box in badges if box["state"] in ("bad", "warn")]
    best = winner(run.answer)
    if not best:
        count = (run.leaderboard["kind"] == COMBINATION).sum()
        st.html(note("bad", f"All {count:,} combinations failed.", f"The commonest reason: {commonest_reason(run)}."))
    if warnings:
        st.html(boxes(warnings))
    if best:
        words, count, corrected = metric_of(run.metric).title, best["picked_among"], best["corrected"]
        st.html(
            f'<p class="lb-best"><b>{escape(best["title"])}</b>: {best["value"]} {words} [{best["interval"]}]</p>'
            f'<p class="lb-lead">Corrected for selecting the best of {count}: {corrected["value"]} '
            f"[{corrected['interval']}].</p>"
        )
    if run.answer.test:
        st.html(f'<p class="lb-lead">{escape(run.answer.test.words)}</p>')
    st.html(boxes(box for box in badges if box not in warnings))
    report = run.folder / "report.html"
    if report.exists():
        st.download_button(
            "Download the report", report.read_bytes, f"{run.folder.name}.html", "text/html", on_click="ignore"
        )


def _leaderboard(run: FinishedRun) -> None:
    with st.expander("Filter and sort"):
        rows = _filter(run.leaderboard)
        columns = [name for name in (*(one.name for one in overall_metrics()), *_COSTS) if name in rows]
        by = st.selectbox("Sorted by", ["rank", *columns], format_func=_title, key="sorted", width=260)
    if by != "rank":
        rows = rows.sort_values(
            by, ascending=by in _COSTS or not metric_of(by).greater_is_better, kind="stable", na_position="last"
        )
    board = leaderboard(replace(run, leaderboard=rows))
    across, tested = board["sites"], board["tested"]
    head = ["rank", "combination", _title(run.metric), *(["given test part"] if tested else [])]
    head += ["across sites", "gap"] if across else []
    head += [*(one.title for one in board["columns"]), "seconds per fold", "status"]
    caption = f"{len(board['rows']):,} of {len(run.leaderboard):,} rows, ranked by {_title(run.metric)}"
    if board["left_out"]:
        caption += f"; {board['left_out']:,} more match: filter further, or download all that match"
    caption += ". 95 % intervals are of these models on new images or patients like these; AUROC is the mean over folds"
    st.html(table(head, (_cells(row, tested, across) for row in board["rows"]), caption, heads=2))
    st.download_button("Download these rows (CSV)", as_csv(rows), "leaderboard.csv", "text/csv")


def _intervals(run: FinishedRun) -> None:
    figure = intervals(run)
    if figure is None:
        st.html('<p class="lb-lead">This run has no scores.</p>')
        return
    charts.show(figure)


def _filter(rows: pd.DataFrame) -> pd.DataFrame:
    for column, family in zip(st.columns(3), NAMES, strict=True):
        names = sorted(rows[family][rows["kind"] == COMBINATION].unique())
        chosen = column.multiselect(f"{family.capitalize()}s", names, placeholder="all", key=f"filter-{family}")
        if chosen:
            rows = rows[rows[family].isin(chosen)]
    left, right = st.columns(2)
    if left.checkbox("Only combinations that may be the best, with 95 % confidence") and "in_best_set" in rows:
        rows = rows[rows["in_best_set"].eq(True).fillna(False)]
    if not right.checkbox("Include shortcuts, content rows and controls, which are no candidates", value=True):
        rows = rows[rows["kind"] == COMBINATION]
    return rows


def _cells(row: View, tested: bool, across: bool) -> list[str]:
    test = [f"{row['test']['value']} [{row['test']['interval']}]"] if tested else []
    test += [row["across"], row["gap"]] if across else []
    numbers = [*test, *(text for _, text, _ in row["others"]), f"{row['seconds']:.2f}"]
    kind = row["tag"] if row["kind"] == "failed" else row["kind"]
    first = [str(row["rank"]) or "\N{EN DASH}", name_cell(row["names"], kind), number(row["value"], row["interval"])]
    return [*first, *numbers, row["reason"] or row["status"] or "ok"]


def _title(name: str) -> str:
    """A column in words: a metric, or a cost."""
    return metric_of(name).title


def _heat_map(run: FinishedRun) -> None:
    heat = heat_map(run)
    if not heat:
        st.html('<p class="lb-lead">This run has no scores.</p>')
        return
    rows: list[list[str]] = []
    for extractor, group in heat["groups"].items():
        words = escape(short_name(extractor))
        rows.append([Cell(f'<th colspan="{len(heat["columns"]) + 1}" scope="colgroup">{words}</th>')])
        for row in group:
            cells = [heat_cell(cell["text"], cell["heat"], "best" if cell["best"] else "") for cell in row["cells"]]
            rows.append([short_name(row["selector"]), *cells])
    metric = metric_of(run.metric)
    caption = f"Every combination: {metric.title}{' in percent' if metric.unit == 'percent' else ''}"
    st.html(table(["selector", *heat["columns"]], rows, caption))
    scores = [row for row in run.ranked if row["kind"] == COMBINATION]
    st.caption(
        f"The stronger the colour, the higher the score; the frame marks the best of {len(scores)} combinations."
    )

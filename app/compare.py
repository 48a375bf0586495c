"""The page that compares two runs on the same images: what was changed, and what it made better or worse."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any

import streamlit as st

from ..errors import LeukobenchError
from ..evaluation.combination_names import short_name, title
from ..reporting.report.numbers import score_text
from ..reporting.vega import chart, layered
from ..runs.finished import FinishedRun
from ..studies.same_images import ALIKE, BETTER, WORSE, Change, SameImages, compare_same_images, share_images
from .charts import colours
from .run_data import read_run
from .spreadsheet import as_csv
from .style import Cell, name_cell, note, number, tab_title, table
from .target import Target

_LOOKS = {BETTER: ("mark", "triangle-up"), WORSE: ("shortcut", "triangle-down"), "neither": ("muted", "circle")}
"""Verdict, short enough for the legend on a phone -> name of its colour, and its shape."""
_STATES = {BETTER: "good", WORSE: "warn", ALIKE: "content"}
_DRAWN = 40
_PAIRED = "Pairs need the same images, labels, patients, folds and seed in both runs."
_DIFFERENT = "most of the images of the smaller run are not in the other one"


def page(target: Target) -> None:
    """Draw it."""
    st.title("Compare two runs", anchor=False)
    st.html(
        '<p class="lb-lead">Did a change help? The combinations of two runs on the same images, each with its paired '
        "difference.</p>"
    )
    runs = {run.name: run for run in target.runs()}
    if len(runs) < 2:
        st.html(note("note", "Two finished runs are needed.", f"There are {len(runs)}."))
        return
    names = _pair(runs)
    if names[0] == names[1]:
        st.html(note("note", "Select two different runs."))
        return
    tab_title("Compare", *names)
    first, second = (read_run(runs[name]) for name in names)
    if not share_images(first, second):
        st.html(note("warn", "These runs are not compared:", f"{_DIFFERENT}."))
        return
    with st.spinner("Comparing the combinations"):
        _show(_compare(first, second, *map(_stamp, (first, second))), names)


def _pair(runs: dict[str, Path]) -> tuple[str, str]:
    """The two runs: by default the newest, and the one before it on the same folder of images."""
    names = list(runs)
    left, right = st.columns(2)
    after = right.selectbox("After the change", names, key="after", bind="query-params")
    folder = _images(runs[after])
    older = [name for name in names[names.index(after) + 1 :] if folder and _images(runs[name]) == folder]
    others = [*older, *(name for name in names if name != after and name not in older)]
    before = left.selectbox("Before the change", others, key="before", bind="query-params")
    return before, after


def _images(run: Path) -> str:
    """Folder of its images; empty where that cannot be read."""
    try:
        return str(read_run(run).experiment_file["images"]["folder"])
    except (LeukobenchError, KeyError, TypeError):
        return ""


@st.cache_resource(max_entries=8, show_spinner=False)
def _compare(_first: FinishedRun, _second: FinishedRun, *stamps: tuple[str, int]) -> SameImages:
    return compare_same_images(_first, _second)


def _stamp(run: FinishedRun) -> tuple[str, int]:
    return str(run.folder), (run.folder / "leaderboard.csv").stat().st_mtime_ns


def _show(compared: SameImages, names: Sequence[str]) -> None:
    st.header("What was changed", anchor=False)
    changed = "".join(f"<li>{escape(words)}</li>" for words in compared.changed) or "<li>nothing</li>"
    st.html(f"<ul>{changed}</ul>")
    st.header("What it did", anchor=False)
    if compared.refusal:
        st.html(note("warn", "Scores are not paired:", f"{compared.refusal}. {_PAIRED}"))
        return
    for sentence in compared.sentences():
        st.html(f'<p class="lb-best">{escape(sentence)}</p>')
    if not compared.changes:
        return
    words = f"Difference of {compared.metric.title} of each combination, with its 95 % interval"
    st.altair_chart(_chart(compared), alt=f"{words}; the numbers are in the table below")
    if len(compared.changes) > _DRAWN:
        st.caption(f"The {_DRAWN // 2} largest gains and the {_DRAWN // 2} largest losses; the table has all.")
    _table(compared, names, words)


def _chart(compared: SameImages) -> Any:
    """A dot for each combination, its interval, and the line of no difference."""
    import altair as alt

    ends = compared.changes
    if len(ends) > _DRAWN:
        ends = [*ends[: _DRAWN // 2], *ends[-_DRAWN // 2 :]]
    rows = [_row(compared, one) for one in ends]
    by_name, verdicts = colours(), list(_LOOKS)
    hues = alt.Scale(domain=verdicts, range=[by_name[name] for name, _ in _LOOKS.values()])
    shapes = alt.Scale(domain=verdicts, range=[shape for _, shape in _LOOKS.values()])
    legend = alt.Legend(title=None, orient="top", labelLimit=300, columns=3)
    unit = " (points)" if compared.scale > 1 else ""
    y = alt.Y("name:N", sort=None, title=None, axis=alt.Axis(labelLimit=170), scale=alt.Scale(type="point", padding=1))
    hints = [alt.Tooltip("name:N", title="combination"), alt.Tooltip("text:N", title="difference")]
    colour = alt.Color("verdict:N", scale=hues, legend=legend)
    intervals, dots, zero = chart(rows), chart(rows), chart([{"zero": 0}])
    return layered(
        [
            zero.mark_rule(color=by_name["muted"], strokeDash=[4, 3]).encode(x="zero:Q"),
            intervals.mark_rule(strokeWidth=2).encode(
                x=alt.X("low:Q", title=f"second less first{unit}"), x2="high:Q", y=y, color=colour, tooltip=hints
            ),
            dots.mark_point(size=70, filled=True, opacity=1).encode(
                x="gain:Q", y=y, color=colour, tooltip=hints, shape=alt.Shape("verdict:N", scale=shapes)
            ),
        ]
    ).properties(height=alt.Step(22))


def _row(compared: SameImages, one: Change) -> dict[str, Any]:
    gain = one.gain
    numbers = {"gain": gain.drop, "low": gain.low, "high": gain.high}
    scaled = {name: compared.scale * value for name, value in numbers.items()}
    name = title([short_name(part) for part in one.names], " \N{MULTIPLICATION SIGN} ")
    return {
        "name": name,
        "verdict": "neither" if one.verdict == ALIKE else one.verdict,
        "text": compared.difference(one),
        **scaled,
    }


def _table(compared: SameImages, names: Sequence[str], caption: str) -> None:
    rows = [_cells(compared, one) for one in compared.changes]
    st.html(table(["combination", "difference", *names, "verdict"], rows, caption))
    st.download_button("Download all differences (CSV)", as_csv(compared.table()), "same_images.csv", "text/csv")


def _cells(compared: SameImages, one: Change) -> list[str]:
    difference, _, interval = compared.difference(one).partition(" [")
    words = escape(one.verdict)
    verdict = Cell(f'<td><span class="lb-kind lb-{_STATES[one.verdict]}">{words}</span></td>')
    scores = [score_text(compared.metric.name, value) for value in (one.first, one.second)]
    return [name_cell(one.names, "combination"), number(difference, interval.removesuffix("]")), *scores, verdict]

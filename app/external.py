"""External tests of a run or a bundle: whether the score holds on labelled images of other sources."""

from __future__ import annotations

from html import escape
from pathlib import Path

import streamlit as st

from ..reporting.external_verdicts import VERDICTS
from ..reporting.report.sections.external import external_test
from ..runs.external_answer import ExternalAnswer, external_answers
from ..runs.finished import FinishedRun
from .style import note, table


def has_tests(run: FinishedRun) -> bool:
    """Whether there are any in the run's folder."""
    return bool(external_answers(run.folder))


def show(run: FinishedRun) -> None:
    """Draw each with its sentences, scores and what differs."""
    for folder, answer in external_answers(run.folder).items():
        st.header(answer.name, anchor=False)
        _sentences(answer)
        _numbers(folder, answer)


def show_of_bundle(path: Path, digest: str) -> None:
    """Draw the sentences of those that lie beside the bundle with this digest; nothing where there is none."""
    answers = [one for one in external_answers(path.parent).values() if one.digest == digest]
    if answers:
        with st.expander("External tests"):
            for answer in answers:
                st.header(answer.name, anchor=False)
                _sentences(answer)


def _sentences(answer: ExternalAnswer) -> None:
    first, *others = answer.sentences
    state = VERDICTS[answer.verdict].state if answer.verdict in VERDICTS else "note"
    listed = "".join(f"<li>{escape(sentence)}</li>" for sentence in others)
    st.html(note(state, f"{answer.verdict.capitalize()}.", first) + f"<ul>{listed}</ul>")


def _numbers(folder: Path, answer: ExternalAnswer) -> None:
    view = external_test(folder, answer)
    rows = [
        [row["title"], row["error"] or f"{row['value']} {row['interval']}", row["inside"], row["gap"]]
        for row in view["board"]["rows"]
    ]
    if rows:
        head = ["combination", f"{view['metric']} there", "in the cross-validation", "difference"]
        st.html(table(head, rows, "In the order of the run's leaderboard, with 95 % intervals"))
    if view["shifts"]:
        shifts = [
            [one["part"], one["name"], one["above"], one["here"], one["there"], "differs" if one["differs"] else ""]
            for one in view["shifts"]
        ]
        head = ["part", "measured", "training images below", "median there", "in the training images", ""]
        st.html(table(head, shifts, "Compared with training images of the same class", words=2))

"""The list of benchmarks and studies: what each is, how far it is, how well it went, and what failed."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from html import escape
from pathlib import Path

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from ..errors import LeukobenchError
from ..reporting.run_facts import BENCHMARK, RunFacts, facts_of
from ..runs.progress import duration
from . import processes
from .processes import Benchmark
from .style import in_words, plain

_STATES = {
    "running": ("Running", "info"),
    "stopped": ("Stopped", "warn"),
    "ended": ("Ended unexpectedly", "bad"),
    "failed": ("Failed", "bad"),
    "finished": ("Finished", "good"),
}
_ALL_FAILED, _SOME_FAILED = ("All combinations failed", "bad"), ("Finished, in part", "warn")
_SHOWN = 30
_ANY = "any state"
_REFUSED = "refused"
"""Why the last click was refused, until the next one."""


@st.fragment(run_every=2)
def watch(results: Path) -> None:
    """Draw it, every two seconds."""
    benchmarks = processes.find(results)
    if refused := st.session_state.get(_REFUSED):
        st.error(refused)
    if not benchmarks:
        st.html('<p class="lb-lead">None yet.</p>')
        return
    rows = [(one, _facts(one)) for one in benchmarks]
    words, state = _filter([_state(*row)[0] for row in rows])
    rows = [row for row in rows if words in row[0].name.casefold() and state in (_ANY, _state(*row)[0])]
    for benchmark, facts in rows[:_SHOWN]:
        with st.container(border=True):
            _show(results, benchmark, facts)
    left_out = len(rows) - _SHOWN
    if left_out > 0:
        st.caption(f"{left_out} older ones are not shown: filter by name or state.")
    elif not rows:
        st.caption(f"None of {len(benchmarks)} has this name and state.")


def _filter(states: list[str]) -> tuple[str, str]:
    """Part of a name, and a state; nothing to choose where there are few."""
    if len(states) < 3:
        return "", _ANY
    left, right = st.columns(2)
    words = left.text_input("Find by name", key="find").strip().casefold()
    state = right.selectbox("State", [_ANY, *dict.fromkeys(states)], key="state")
    return words, state


def _facts(benchmark: Benchmark) -> RunFacts:
    return facts_of(benchmark.folder, benchmark.kind) if benchmark.state == "finished" else RunFacts()


def _state(benchmark: Benchmark, facts: RunFacts) -> tuple[str, str]:
    """In words, and as a colour."""
    if facts.all_failed:
        return _ALL_FAILED
    return _SOME_FAILED if facts.failure else _STATES[benchmark.state]


def _show(results: Path, benchmark: Benchmark, facts: RunFacts) -> None:
    left, right = st.columns([4, 1], vertical_alignment="center")
    left.html(_head(benchmark, facts))
    if benchmark.state == "running":
        _running(results, benchmark, left, right)
        return
    if benchmark.words:
        left.text(benchmark.words)
    if facts.picture:
        with left.expander("Show the figure"):
            st.image(facts.picture)
    if benchmark.kind != BENCHMARK:
        return
    if benchmark.state == "finished":
        if right.button("Explore", key=f"Explore-{benchmark.name}", width="stretch"):
            _explore(benchmark.name)
    elif benchmark.resumable:
        _button(right, "Resume", benchmark.name, partial(processes.resume, results, benchmark.name))


def _head(benchmark: Benchmark, facts: RunFacts) -> str:
    words, colour = _state(benchmark, facts)
    kind = "" if benchmark.kind == BENCHMARK else f' <span class="lb-kind lb-content">{escape(benchmark.kind)}</span>'
    failure = f'<p class="lb-failure lb-{colour}">{escape(facts.failure)}</p>' if facts.failure else ""
    line = f'<p class="lb-line">{escape(facts.line())}</p>' if facts.line() else ""
    return (
        f'<div class="lb-benchmark"><b>{escape(benchmark.name)}</b>{kind} · '
        f'<span class="lb-kind lb-{colour}">{escape(words)}</span>{line}{failure}</div>'
    )


def _running(results: Path, benchmark: Benchmark, left: DeltaGenerator, right: DeltaGenerator) -> None:
    """The present step with the time that it has left, and for how long all of it has been at work."""
    left.progress(benchmark.share or 0.0, plain(benchmark.words or "Starting"))
    if benchmark.began:
        left.caption(f"At work for {duration(max(time.time() - benchmark.began, 0.0))}.")
    if benchmark.stoppable:
        _button(right, "Stop", benchmark.name, partial(processes.stop, results, benchmark.name))
    else:
        left.caption("Started outside this app: stop it there, with Ctrl-C.")


def _button(place: DeltaGenerator, word: str, name: str, act: Callable[[], None]) -> None:
    """Acts before the page is drawn again: a click is not lost where it meets the drawing of every two seconds."""
    place.button(word, key=f"{word}-{name}", width="stretch", on_click=_try, args=(act,))


def _try(act: Callable[[], None]) -> None:
    st.session_state.pop(_REFUSED, None)
    try:
        act()
    except LeukobenchError as error:
        st.session_state[_REFUSED] = in_words(error)


def _explore(name: str) -> None:
    st.session_state["run"] = name
    st.switch_page(st.session_state["pages"]["Explore"])

"""The page that starts benchmarks and shows how far they are."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from html import escape
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from ..config.experiment import GRID, Experiment
from ..config.experiment_file import for_folder
from ..config.presets import presets
from ..errors import LeukobenchError
from . import processes
from .processes import Benchmark
from .style import in_words, note, plain
from .target import Target

_DEFAULT, _OWN = "Default grid", "Custom"
_WORDS = {"running": "Running", "stopped": "Stopped", "ended": "Ended unexpectedly", "failed": "Failed"}
_WORDS |= {"finished": "Finished"}
_SHOWN = 30


def page(target: Target) -> None:
    """Draw it."""
    st.title("Run a benchmark", anchor=False)
    if target.images:
        _form(target)
    else:
        st.html(note("note", "View only.", "To start benchmarks, start the app with --images FOLDER."))
    st.subheader("Benchmarks", anchor=False)
    _watch(target.results or target.path)


def _form(target: Target) -> None:
    st.html(
        '<p class="lb-lead">Every combination of extractor, selector and classifier, on the same folds. A benchmark '
        "continues when this page is closed.</p>"
    )
    folders = {_folder_name(folder, target): folder for folder in target.images}
    with st.container(border=True):
        left, right = st.columns(2)
        name = left.text_input("Name", max_chars=60, placeholder="my-benchmark", key="name")
        folder = right.selectbox("Folder of images", list(folders))
        chosen = left.selectbox("Combinations", [_DEFAULT, *presets(), _OWN])
        folds = right.number_input("Folds", 2, 20, 5)
        own = _own_choice() if chosen == _OWN else {}
        if st.button("Start", type="primary"):
            preset = None if chosen in (_DEFAULT, _OWN) else chosen
            _start(target, name.strip(), folders[folder], preset, {**own, "evaluation": {"folds": folds}})


def _folder_name(folder: Path, target: Target) -> str:
    """The folder's own name; with its path where another one has the same."""
    twins = [other for other in target.images if other.name == folder.name]
    return str(folder) if len(twins) > 1 else folder.name


def _own_choice() -> dict[str, list[Any]]:
    """Names from the registries, with the parameters of the default grid."""
    from ..steps.catalogue import FAMILIES

    choices = {}
    for family in GRID:
        listed = Experiment.model_fields[family].get_default(call_default_factory=True)
        usual = {choice.label: choice.short_form() for choice in listed}
        options = {name: name for name in FAMILIES[family].registry.names()} | usual
        labels = st.multiselect(family.capitalize(), list(options), list(usual), key=f"own-{family}")
        choices[family] = [options[label] for label in labels]
    return choices


def _start(target: Target, name: str, folder: Path, preset: str | None, settings: dict[str, Any]) -> None:
    if not name:
        st.error("Enter a name.")
        return
    if st.session_state.get("started") == name and _works(target, name):
        return  # a second click
    st.session_state["started"] = name
    try:
        experiment = for_folder(folder, preset, name=name, results=target.results, **settings)
        processes.start(experiment)
    except LeukobenchError as error:
        st.error(in_words(error))
    else:
        st.toast(plain(f"Started {name}."))


def _works(target: Target, name: str) -> bool:
    benchmarks = processes.find(target.results) if target.results else []
    return any((one.name, one.state) == (name, "running") for one in benchmarks)


@st.fragment(run_every=2)
def _watch(results: Path) -> None:
    benchmarks = processes.find(results)
    if not benchmarks:
        st.html('<p class="lb-lead">None yet.</p>')
    for benchmark in benchmarks[:_SHOWN]:
        with st.container(border=True):
            _show(results, benchmark)
    if len(benchmarks) > _SHOWN:
        st.caption(f"{len(benchmarks) - _SHOWN} older ones are not shown.")


def _show(results: Path, benchmark: Benchmark) -> None:
    left, right = st.columns([4, 1], vertical_alignment="center")
    left.html(f'<div class="lb-benchmark"><b>{escape(benchmark.name)}</b> · {_WORDS[benchmark.state]}</div>')
    if benchmark.state == "running":
        left.progress(benchmark.share or 0.0, plain(benchmark.words or "Starting"))
        if benchmark.stoppable:
            _button(right, "Stop", benchmark.name, partial(processes.stop, results, benchmark.name))
        else:
            left.caption("Started outside this app: stop it there, with Ctrl-C.")
        return
    if benchmark.words:
        left.text(benchmark.words)
    if benchmark.state == "finished":
        _button(right, "Explore", benchmark.name, partial(_explore, benchmark.name))
    elif benchmark.resumable:
        _button(right, "Resume", benchmark.name, partial(processes.resume, results, benchmark.name))


def _button(place: DeltaGenerator, word: str, name: str, act: Callable[[], None]) -> None:
    if not place.button(word, key=f"{word}-{name}", width="stretch"):
        return
    try:
        act()
    except LeukobenchError as error:
        st.error(in_words(error))
    else:
        st.rerun(scope="fragment")


def _explore(name: str) -> None:
    st.session_state["run"] = name
    st.switch_page(st.session_state["pages"]["Explore"])

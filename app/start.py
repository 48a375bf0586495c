"""The page that starts benchmarks and shows how far they are."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from ..config.experiment import GRID, Experiment
from ..config.experiment_file import for_folder
from ..config.presets import presets
from ..config.run_name import is_name, name_problem
from ..errors import LeukobenchError
from . import processes
from .preview import preview
from .style import in_words, note, plain
from .target import Target
from .watch import watch

_DEFAULT, _OWN = "Default grid", "Custom"
_SPLITS = {
    "Ignore it: folds over all images": "ignore",
    "Keep it: score every combination on its test part": "given",
}
_VIEWS = {"of the best combination": "winner", "of every combination": "all", "none": "off"}
_NONE = "nothing"


def page(target: Target) -> None:
    """Draw it."""
    st.title("Run a benchmark", anchor=False)
    if target.images:
        _form(target)
    else:
        st.html(note("note", "View only.", "To start benchmarks, start the app with --images FOLDER."))
    st.header("Benchmarks and studies", anchor=False)
    watch(target.results or target.path)


def _form(target: Target) -> None:
    st.html(
        '<p class="lb-lead">Every combination of extractor, selector and classifier, on the same folds. A benchmark '
        "continues when this page is closed.</p>"
    )
    folders = {_folder_name(folder, target): folder for folder in target.images}
    with st.container(border=True):
        left, right = st.columns(2)
        name = left.text_input("Name", max_chars=60, placeholder="my-benchmark", key="name").strip()
        if name and not is_name(name):
            left.html(note("bad", "This name cannot be used:", f"{name_problem(name)}."))
        folder = folders[right.selectbox("Folder of images", list(folders))]
        protocols = presets()
        chosen = left.selectbox("Combinations", [_DEFAULT, *protocols, _OWN])
        if chosen in protocols:
            left.caption(f"{protocols[chosen].source}. How it differs: {protocols[chosen].differs}.")
        folds = right.number_input("Folds", 2, 20, 5)
        own = _own_choice() if chosen == _OWN else {}
        read = st.empty()
        with st.expander("Patients, sites, split and checks"):
            images, evaluation, permuted = _protocol(folder, read)
        if st.button("Start", type="primary"):
            preset = None if chosen in (_DEFAULT, _OWN) else chosen
            settings = {**own, "images": images, "evaluation": {"folds": folds, **evaluation}}
            _start(target, name, lambda: _experiment(target, name, folder, preset, settings, permuted))


def _protocol(folder: Path, read: DeltaGenerator) -> tuple[dict[str, Any], dict[str, Any], bool]:
    """Sections ``images`` and ``evaluation`` of the experiment, and whether labels are permuted; fills `read`."""
    split = st.radio("A split that comes with the images", list(_SPLITS), key="split", horizontal=True)
    group = st.text_input(
        "Patients: regular expression on the path",
        key="group",
        placeholder=r"patient_(\d+)/",
        help="Empty: as folders, names or a manifest say. Parentheses mark the patient; a group called site, scanner "
        "or batch becomes a column.",
    )
    seen = preview(folder, group, _SPLITS[split] == "given")
    read.html(note("bad", "Cannot be read so.", seen.error) if seen.error else note("note", "Read as:", seen.words))
    left, right = st.columns(2)
    site = left.selectbox("Also leave out of training, in turn, each", [_NONE, *seen.columns], key="site")
    views = right.selectbox("Views without colour, border, noise …", list(_VIEWS), key="views")
    evaluation: dict[str, Any] = {"split": _SPLITS[split], "views": _VIEWS[views]}
    if _SPLITS[split] == "given":
        evaluation["drop_leaks"] = st.checkbox("Leave out of training what has a patient or a copy in the test part")
    if site != _NONE:
        evaluation["leave_out"] = site
    permuted = st.checkbox("Sanity check: permute the labels, so that scores must drop to chance", key="permuted")
    return ({"group": group} if group else {}), evaluation, permuted


def _experiment(
    target: Target, name: str, folder: Path, preset: str | None, settings: dict[str, Any], permuted: bool
) -> Experiment:
    experiment = for_folder(folder, preset, name=name, results=target.results, **settings)
    return experiment.with_permuted_labels() if permuted else experiment


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


def _start(target: Target, name: str, experiment: Callable[[], Experiment]) -> None:
    if not is_name(name):
        st.error(plain(name_problem(name)) if name else "Enter a name.")
        return
    if st.session_state.get("started") == name and _works(target, name):
        return  # a second click
    st.session_state["started"] = name
    try:
        processes.start(experiment())
    except LeukobenchError as error:
        st.error(in_words(error))
    else:
        st.toast(plain(f"Started {name}."))


def _works(target: Target, name: str) -> bool:
    benchmarks = processes.find(target.results) if target.results else []
    return any((one.name, one.state) == (name, "running") for one in benchmarks)

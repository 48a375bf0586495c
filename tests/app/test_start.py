"""The form of the Run page: what it refuses, and what it lists."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import filelock
import psutil
import pytest
from streamlit.testing.v1 import AppTest

from leukobench.app.style import plain
from leukobench.app.target import Target, find_target
from leukobench.config.experiment import Experiment
from leukobench.config.presets import presets
from leukobench.config.run_name import name_problem


def run_page() -> None:
    from leukobench.app import start as run
    from leukobench.app.target import read_target

    run.page(read_target())


@pytest.fixture
def page(smears: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("LEUKOBENCH_APP", "")
    find_target(tmp_path / "results", [smears]).publish()
    found = AppTest.from_function(run_page, default_timeout=60).run()
    assert not found.exception
    return found


@pytest.mark.slow
@pytest.mark.parametrize("name", ["", " ", "../../outside", "a/b", ".hidden", "a\nb", "-x", "C:\\x"])
def test_a_name_that_is_no_name_starts_nothing(page: AppTest, tmp_path: Path, name: str) -> None:
    page.text_input(key="name").set_value(name)
    page.button[0].click().run()
    assert len(page.error) == 1
    assert page.error[0].value == ("Enter a name." if not name.strip() else plain(name_problem(name.strip())))
    assert "pattern" not in page.error[0].value
    assert not (tmp_path / "results").exists()


def test_the_form_becomes_an_experiment(page: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    experiments: list[Experiment] = []
    monkeypatch.setattr("leukobench.app.processes.start", experiments.append)
    assert "24 patients" in html_of(page)
    page.text_input(key="group").set_value(r"(P\d)\d_(?P<site>\d)").run()
    assert "3 patients" in html_of(page)
    page.selectbox(key="site").set_value("site")
    page.selectbox(key="views").set_value("none")
    page.checkbox(key="permuted").check()
    page.text_input(key="name").set_value("mine")
    page.button[0].click().run()
    (experiment,) = experiments
    assert (experiment.name, experiment.evaluation.permute) == ("mine-permuted", True)
    assert (experiment.evaluation.leave_out, experiment.evaluation.views) == ("site", "off")
    assert experiment.images.group == r"(P\d)\d_(?P<site>\d)"
    page.text_input(key="group").set_value("(").run()
    assert "regular expression for the group is invalid" in html_of(page)


def html_of(page: AppTest) -> str:
    return "\n".join(element.proto.body for element in page.get("html"))


def test_a_preset_says_beforehand_how_it_differs(page: AppTest) -> None:
    page.selectbox[0].set_value("tamim2025").run()
    assert presets()["tamim2025"].differs in page.caption[0].value


def test_the_list_says_what_each_is_and_is_filtered(page: AppTest, results: Path, tmp_path: Path) -> None:
    shutil.copytree(results / "small", tmp_path / "results" / "small")
    for name, files in (("mine", ["experiment.yaml"]), ("mine-leakage", ["experiment.yaml", "leakage.csv"])):
        (tmp_path / "results" / name).mkdir()
        for file in files:
            (tmp_path / "results" / name / file).write_text("name: mine")
    page.run()
    assert sorted(button.label for button in page.button) == ["Explore", "Resume", "Start"]
    assert "Leakage study</span>" in html_of(page)
    page.selectbox(key="state").set_value("Finished").run()
    assert [button.label for button in page.button] == ["Start", "Explore"]
    page.selectbox(key="state").set_value("any state")
    page.text_input(key="find").set_value("MINE").run()
    assert [button.label for button in page.button] == ["Start", "Resume"]


def test_a_grid_without_classifiers_is_refused(page: AppTest, tmp_path: Path) -> None:
    page.selectbox[0].set_value("Custom").run()
    page.multiselect(key="own-classifiers").set_value([]).run()
    page.text_input(key="name").set_value("mine")
    page.button[0].click().run()
    assert "classifiers" in page.error[0].value
    assert not (tmp_path / "results").exists()


def test_the_own_choice_begins_with_the_default_grid(page: AppTest) -> None:
    page.selectbox[0].set_value("Custom").run()
    default = Experiment.model_fields["classifiers"].get_default(call_default_factory=True)
    assert page.multiselect(key="own-classifiers").value == [choice.label for choice in default]
    assert page.multiselect(key="own-extractors").value == [
        "efficientnet_lite0",
        "efficientnet_lite0(pooling=multilevel)",
    ]


def test_a_second_click_on_start_is_no_mistake(page: AppTest, tmp_path: Path) -> None:
    folder = tmp_path / "results" / ".started"
    folder.mkdir(parents=True)
    (folder / "mine.yaml").write_text("images: somewhere")
    said = {"pid": os.getpid(), "created": psutil.Process().create_time()}
    (folder / "mine.json").write_text(json.dumps(said))
    (folder / "mine.log").write_text("[a](http://b.c) ![x](y)\n")
    page.text_input(key="name").set_value("mine")
    page.button[0].click().run()
    assert "is running" in page.error[0].value  # somebody else's
    page.session_state["started"] = "mine"
    page.button[0].click().run()
    assert not page.error
    words = page.get("progress")[0].proto.text
    assert words.startswith(r"\[a\]\(http\://b\.c\) \!\[x\]")


def test_a_run_of_the_command_line_cannot_be_stopped_here(page: AppTest, tmp_path: Path) -> None:
    run = tmp_path / "results" / "mine"
    run.mkdir(parents=True)
    (run / "experiment.yaml").write_text("name: mine")
    with filelock.FileLock(run / ".lock"):
        page.run()
    assert [button.label for button in page.button] == ["Start"]
    assert page.caption[-1].value == "Started outside this app: stop it there, with Ctrl-C."


@pytest.mark.parametrize("kind", ["bundle", "runs"])
def test_explore_is_there_before_the_first_run(
    smears: Path, tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEUKOBENCH_APP", "")
    Target(kind, tmp_path / "bundle.zip", (smears,), tmp_path / "results").publish()  # type: ignore[arg-type]
    found = AppTest.from_function(all_pages, default_timeout=60).run()
    assert {"Explore", "Run"} <= set(found.session_state["titles"])


def all_pages() -> None:
    import streamlit as st

    from leukobench.app.pages import _pages
    from leukobench.app.target import read_target

    st.session_state["titles"] = [page.title for page in _pages(read_target())]


def test_without_folders_there_is_only_watching(results: Path, shown: Any) -> None:
    found = AppTest.from_function(run_page, default_timeout=60).run()
    assert not found.text_input
    html = html_of(found)
    assert "View only" in html
    assert ">Finished</span>" in html
    assert [button.label for button in found.button] == ["Explore"]

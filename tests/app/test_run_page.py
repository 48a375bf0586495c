"""The form of the Run page: what it refuses, and what it lists."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from leukobench.app.target import find_target


def run_page() -> None:
    from leukobench.app import run
    from leukobench.app.target import published

    run.page(published())


@pytest.fixture
def page(smears: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("LEUKOBENCH_APP", "")
    find_target(tmp_path / "results", [smears]).publish()
    found = AppTest.from_function(run_page, default_timeout=20).run()
    assert not found.exception
    return found


@pytest.mark.parametrize("name", ["", " ", "../../outside", "a/b", ".hidden", "a\nb", "-x", "C:\\x"])
def test_a_name_that_is_no_name_starts_nothing(page: AppTest, tmp_path: Path, name: str) -> None:
    page.text_input(key="name").set_value(name)
    page.button[0].click().run()
    assert len(page.error) == 1
    assert not (tmp_path / "results").exists()


def test_a_grid_without_classifiers_is_refused(page: AppTest, tmp_path: Path) -> None:
    page.selectbox[0].set_value("Own choice").run()
    page.multiselect(key="own-classifiers").set_value([]).run()
    page.text_input(key="name").set_value("mine")
    page.button[0].click().run()
    assert "classifiers" in page.error[0].value
    assert not (tmp_path / "results").exists()


def test_the_own_choice_begins_with_the_default_grid(page: AppTest) -> None:
    from leukobench.config import Experiment

    page.selectbox[0].set_value("Own choice").run()
    default = Experiment.model_fields["classifiers"].get_default(call_default_factory=True)
    assert page.multiselect(key="own-classifiers").value == [choice.label for choice in default]
    assert page.multiselect(key="own-extractors").value == [
        "efficientnet_lite0",
        "efficientnet_lite0(pooling=multilevel)",
    ]


def test_without_folders_there_is_only_watching(results: Path, shown: Any) -> None:
    found = AppTest.from_function(run_page, default_timeout=20).run()
    assert not found.text_input
    html = "\n".join(element.proto.body for element in found.get("html"))
    assert "Only watching" in html
    assert "<b>small</b> · Finished" in html
    assert [button.label for button in found.button] == ["Explore"]

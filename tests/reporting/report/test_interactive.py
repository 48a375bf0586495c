"""Figures on the page: drawn without scripts, alive with them, and no name ends a script or starts one."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from leukobench.reporting.report.interactive import figure_html, script, style
from leukobench.reporting.report.page import write_report
from leukobench.reporting.vega import COLOURS, Figure, chart

from .drawn_run import Page

HOSTILE = ["</script><script>alert(1)</script>", "<!--", "\u2028 & \"quoted\" 'too'", "</svg><b>"]


def figure(narrow: bool = False) -> Figure:
    bars = chart([{"name": name} for name in HOSTILE]).mark_bar().encode(x="name:N", color="name:N")
    return Figure("trial", HOSTILE[0], HOSTILE[2], bars, bars if narrow else None, note=HOSTILE[3])


def test_no_name_becomes_markup_and_the_specification_is_whole() -> None:
    drawn = figure()
    found = Page(str(figure_html(drawn)))
    tags = [tag for tag, _ in found.tags]
    assert tags.count("script") == len(found.scripts) == 1
    assert "b" not in tags
    assert json.loads(found.scripts[0]) == [spec | {"background": "transparent"} for spec in drawn.specs]
    assert not re.search("[<>&\u2028]", found.scripts[0])
    assert HOSTILE[2] in [attrs.get("aria-label") for _, attrs in found.tags]


def test_ids_of_drawings_do_not_meet() -> None:
    html = str(figure_html(figure(narrow=True)))
    ids = re.findall(r'\bid="([^"]+)"', html)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r"url\(#([^)]+)\)", html)) <= set(ids)


@pytest.mark.slow
def test_the_page_of_a_run_is_alive_in_a_browser_and_drawn_without_scripts(folder: Path) -> None:
    playwright = pytest.importorskip("playwright.sync_api")
    if not Path("/usr/bin/chromium").exists():
        pytest.skip("no chromium")
    target = write_report(folder)
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        for scripts in (True, False):
            page = browser.new_context(java_script_enabled=scripts).new_page()
            faults: list[str] = []
            page.on("console", lambda message, faults=faults: faults.append(message.text))
            page.on("pageerror", lambda error, faults=faults: faults.append(str(error)))
            page.goto(target.as_uri())
            drawing = page.locator("#figure-leaderboard .drawing.wide")
            if scripts:
                drawing.last.scroll_into_view_if_needed()
                page.wait_for_selector("#figure-leaderboard .live.wide:not([hidden]) svg")
            assert drawing.first.locator("svg").count() == 1
            assert drawing.first.is_visible() is not scripts
            assert not faults
        browser.close()


def test_the_script_is_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    first = script()
    monkeypatch.setattr("vl_convert.javascript_bundle", lambda snippet: pytest.fail("made again"))
    assert script() == first
    assert "vegaEmbed" in first
    assert "</script" not in first.lower()


def test_every_colour_of_the_palette_has_one_in_the_dark() -> None:
    css = style() + (Path(__file__).parents[3] / "reporting/report/templates/report.css").read_text(encoding="utf-8")
    for name, colour in COLOURS.items():
        assert f'[fill="{colour}"] {{ fill: var(--{name}); }}' in css
        assert len(re.findall(rf"--{name}: #[0-9a-f]{{6}}", css)) == 2

"""The report in Chromium: wide and narrow, light and dark, with scripts and without; accessible, within its box."""

from __future__ import annotations

from typing import Any

import pytest

from leukobench.reporting.report.page import write_report

from .drawn_run import draw_run

pytestmark = pytest.mark.slow
_OVERFLOWING = """() => [...document.querySelectorAll("body *")].filter((one) =>
    one.getClientRects().length && !one.closest(".scroll, .hidden, .skip, svg, option, script")
    && (one.getBoundingClientRect().right > innerWidth + 1 || one.getBoundingClientRect().left < -1)
).map((one) => one.outerHTML.slice(0, 90))"""


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = draw_run(tmp_path_factory.mktemp("page") / "trial", extractors=1, images=160, patients=16)
    return write_report(folder).as_uri()


class Visit:
    """One page, and what its console said."""

    def __init__(self, browser: Any, address: str, width: int, theme: str = "light", scripts: bool = True) -> None:
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=theme, java_script_enabled=scripts
        )
        self.page = context.new_page()
        self.complaints: list[str] = []
        self.page.on("console", lambda line: self.complaints.append(line.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.goto(address)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_nothing_serious_is_in_the_way_of_anybody(browser: Any, report: str, width: int, theme: str) -> None:
    from axe_playwright_python.sync_playwright import Axe

    visit = Visit(browser, report, width, theme)
    visit.page.get_by_role("button", name="Open all sections").click()
    assert not visit.page.evaluate(_OVERFLOWING)
    assert visit.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    violations = Axe().run(visit.page).response["violations"]
    grave = [(one["id"], node["target"], node["html"][:200]) for one in violations for node in one["nodes"]
             if one["impact"] in ("serious", "critical")]  # fmt: skip
    assert not grave
    assert not visit.complaints


def test_the_leaderboard_is_sorted_and_filtered_by_keyboard(browser: Any, report: str) -> None:
    page = Visit(browser, f"{report}#leaderboard", 1280).page
    board = page.get_by_role("region", name="Leaderboard")
    board.wait_for()  # its fold was opened by the address
    head = board.get_by_role("button", name="combination")
    head.focus()
    page.keyboard.press("Enter")
    names = board.locator("tbody th").all_inner_texts()
    assert names == sorted(names, key=str.lower)
    assert board.locator("th[aria-sort=ascending]").inner_text().startswith("combination")
    page.get_by_label("Selector").select_option("pca")
    shown = board.locator("tbody tr:visible th").all_inner_texts()
    assert len(shown) == 5
    assert all("pca" in name for name in shown)
    assert "5 of" in page.locator(".filter output").inner_text()
    assert not board.get_by_role("columnheader", name="accuracy", exact=True).is_visible()
    page.get_by_label("More columns").check()
    assert board.get_by_role("columnheader", name="features").is_visible()


def test_nothing_is_cut_on_a4(browser: Any, report: str) -> None:
    page = Visit(browser, report, 703).page  # A4 within its margins
    page.emulate_media(media="print")
    assert not page.evaluate(_OVERFLOWING.replace(".scroll, ", ""))
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.locator("#glossary dd").first.is_visible()
    assert not page.get_by_role("link", name="How to test it").is_visible()


def test_a_word_leads_to_its_meaning(browser: Any, report: str) -> None:
    page = Visit(browser, report, 390).page
    page.locator("a.word").first.click()
    assert page.locator("dl div:target dd").is_visible()


def test_without_scripts_everything_can_be_read(browser: Any, report: str) -> None:
    page = Visit(browser, report, 390, scripts=False).page
    assert page.locator(".verdict").count() == 5
    assert page.locator(".filter").is_hidden()
    page.locator("summary", has_text="Leaderboard").click()
    assert page.get_by_role("region", name="Leaderboard").is_visible()
    assert not page.locator("#glossary dd").first.is_visible()
    page.emulate_media(media="print")
    assert page.locator("#glossary dd").first.is_visible()

"""The page of published rows in Chromium: filtered, sorted, compared; accessible, within its box."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

PAGE = Path(__file__).parents[1] / "results" / "reference" / "index.html"
pytestmark = pytest.mark.slow


def visit(browser: Any, width: int, theme: str = "light") -> tuple[Any, list[str]]:
    """The page, and what its console says."""
    page = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=theme).new_page()
    complaints: list[str] = []
    page.on("console", lambda line: complaints.append(line.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(PAGE.as_uri())
    return page, complaints


def test_rows_are_filtered_sorted_and_compared_beside_shortcuts(browser: Any) -> None:
    page, complaints = visit(browser, 1280)
    page.locator("select[name=run]").select_option(index=2)
    page.locator("select[name=selector]").select_option("pca")
    names = page.locator("#table tbody th")
    assert names.count() > 5
    assert all("pca" in name for name in names.all_inner_texts())
    page.locator("#table").get_by_role("button", name="combination").press("Enter")
    texts = [text.partition("\n")[0] for text in names.all_inner_texts()]
    assert texts == sorted(texts, key=str.lower)
    assert page.locator("#table th[aria-sort]").count() == 1
    assert page.evaluate("document.activeElement.textContent") == "combination"
    boxes = page.locator("#table").get_by_role("checkbox")
    boxes.nth(0).check()
    assert page.locator("#compare").is_hidden()
    boxes.nth(1).check()
    table = page.locator("#compare-table")
    assert table.locator("thead th").count() == 3
    assert "shortcut " in table.get_by_role("row", name="balanced accuracy").first.inner_text()
    assert "same images and folds" in page.locator("#compare-note").inner_text()
    page.locator("select[name=run]").select_option(index=3)
    boxes.nth(0).check()
    assert "different runs" in page.locator("#compare-note").inner_text()
    assert not complaints


@pytest.mark.parametrize(("width", "theme"), [(1280, "light"), (390, "dark")])
def test_nothing_serious_is_in_the_way_of_anybody(browser: Any, width: int, theme: str) -> None:
    from axe_playwright_python.sync_playwright import Axe

    page, complaints = visit(browser, width, theme)
    for place in (0, 1):
        page.locator("#table").get_by_role("checkbox").nth(place).check()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    violations = Axe().run(page).response["violations"]
    grave = [(one["id"], node["target"], node["html"][:200]) for one in violations for node in one["nodes"]
             if one["impact"] in ("serious", "critical")]  # fmt: skip
    assert not grave
    assert not complaints

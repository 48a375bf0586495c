"""The app in a real browser."""

from __future__ import annotations

import csv
import http.client
import io
import re
import shutil
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from leukobench.app.diagnosis import set_in_words
from leukobench.runs.folder import RunFolder
from leukobench.serving.output import percent

from .conftest import check_answer

pytestmark = pytest.mark.slow
_PATIENCE_MS = 30_000
_SOCKET = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
_SOCKET |= {"Sec-WebSocket-Key": "x3JJHMbDL1EzLkh9GBhXDw=="}


@pytest.fixture
def visitor(browser: Any, context: Any, server: Any) -> Iterator[Any]:
    """Make a page of a visitor of its own; it asks nothing of other hosts, and all that it needs it may have."""
    pages = []

    def make(path: str = "", stranger: bool = False) -> Any:
        page = browser.new_page() if stranger else context.new_page()
        page.set_default_timeout(_PATIENCE_MS)
        pages.append(page)
        page.on("request", lambda request: elsewhere.append(request.url))
        page.on("console", lambda line: "Content Security Policy" in line.text and refused.append(line.text))
        page.goto(f"{server.url}/{path}")
        page.get_by_role("heading", level=1).wait_for()
        return page

    elsewhere: list[str] = []
    refused: list[str] = []
    yield make
    for page in pages:
        page.close()
    assert [url for url in elsewhere if not url.startswith((server.url, "data:", "blob:"))] == []
    assert refused == []


@pytest.fixture(scope="module")
def bundle(model: Path) -> Any:
    import leukobench

    return leukobench.load(model / "net" / "model")


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory, smears: Path) -> list[Path]:
    """Twelve pictures that the model has not seen: mirrored smears."""
    folder = tmp_path_factory.mktemp("pictures")
    made = []
    for number, path in enumerate(sorted(smears.rglob("*.jpg"))[::8]):
        made.append(folder / f"mirrored-{number}.png")
        Image.open(path).transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(made[-1])
    return made


def drop(page: Any, files: Any) -> None:
    page.locator("input[type=file]").set_input_files(files)


def answer_of(page: Any, name: str) -> Any:
    """The card of one image."""
    card = page.locator(".lb-answer", has_text=name)
    card.wait_for()
    return card


def test_one_image_is_answered_as_the_bundle_does(visitor: Any, bundle: Any, pictures: list[Path]) -> None:
    page = visitor("diagnose")
    drop(page, pictures[0])
    expected = bundle.predict([pictures[0]])[0]
    assert len(expected.conformal_set) == 4  # so few training images rule no class out
    check_answer(answer_of(page, pictures[0].name), expected)
    page.set_viewport_size({"width": 390, "height": 844})
    for first in (page.locator(".lb-answer img"), page.locator(".lb-answer .lb-bad")):
        assert first.bounding_box()["y"] + first.bounding_box()["height"] < 844  # on a phone's first screen
    assert page.title() == "Diagnose · net · leukobench"
    page.get_by_text("What the model would have predicted").click()
    card = page.locator(".lb-folded")
    share = percent(expected.probabilities[expected.label])
    assert card.locator(".lb-label").inner_text() == f"{expected.label} {share}"
    shares = dict(zip(card.locator(".lb-bars .name").all_inner_texts(),
                      card.locator(".lb-bars .number").all_inner_texts(), strict=True))  # fmt: skip
    assert set(shares) == set(bundle.classes)
    for name, share in expected.probabilities.items():
        shown = float(re.sub(r"[^\d.]", "", shares[name]))
        assert shown == pytest.approx(100 * share, abs=0.11)
    assert card.locator(".lb-set").inner_text() == set_in_words(expected, 0.95)
    page.get_by_alt_text("The same image, overlaid with the regions that influenced the prediction").wait_for()
    page.get_by_role("heading", name="Nearest training images").wait_for()
    assert violations(page) == {}
    page.get_by_text("Model card").click()
    page.get_by_text("not a medical device").nth(1).wait_for()


def test_a_wrong_file_is_said_to_be_one(visitor: Any) -> None:
    page = visitor("diagnose")
    drop(page, {"name": "<b>letter</b>.png", "mimeType": "image/png", "buffer": b"Dear Sir or Madam"})
    said = page.locator(".lb-bad", has_text="cannot be read")
    said.wait_for()
    assert "<b>letter</b>.png" in said.inner_text()
    assert "not a JPEG" in said.inner_text()


def test_a_large_file_is_refused(visitor: Any, tmp_path: Path) -> None:
    large = tmp_path / "large.png"
    large.write_bytes(bytes(21 * 2**20))
    page = visitor("diagnose")
    drop(page, large)
    page.get_by_text("20MB or smaller").or_(page.get_by_text("must be 20")).first.wait_for()
    assert page.locator(".lb-answer, .lb-bad:has-text('cannot be read')").count() == 0


def test_more_files_than_allowed_are_refused(visitor: Any) -> None:
    page = visitor("diagnose")
    answers: list[int] = []
    page.on("response", lambda response: "/upload_file/" in response.url and answers.append(response.status))
    drop(page, [{"name": f"{n}.png", "mimeType": "image/png", "buffer": b"%d" % n} for n in range(203)])
    page.get_by_text("Further files were not read.").wait_for()
    page.get_by_text("200 unreadable").wait_for()
    assert sorted(answers) == [204] * 200 + [413] * 3
    page.get_by_role("button", name="Remove all images").click()
    page.get_by_text("200 unreadable").wait_for(state="detached")
    answers.clear()
    drop(page, {"name": "one.png", "mimeType": "image/png", "buffer": b"one"})
    page.locator(".lb-bad", has_text="cannot be read").wait_for()
    assert answers == [204]  # the first 200 are held no more: one beside them would be too many


def test_an_unexpected_error_is_an_apology_without_a_trace(visitor: Any, server: Any, model: Path) -> None:
    broken = shutil.copytree(model / "net", model / "broken")
    (broken / "leaderboard.csv").write_text("rank,extractor\n1,a\n")
    RunFolder(broken).refresh()  # else the page says in words that the table was changed
    try:
        page = visitor("explore?run=broken")
        said = page.get_by_text("An error occurred")
        said.wait_for()
        number = re.findall(r"error ([0-9a-f]{8})", said.inner_text())[0]
        assert "KeyError" not in page.content()
        assert "Traceback" not in page.content()
        assert f"Error {number}: KeyError" in server.log.read_text()
        server.expected.append(number)
    finally:
        shutil.rmtree(broken)


def test_many_files_become_a_table_and_a_download(visitor: Any, bundle: Any, pictures: list[Path]) -> None:
    page = visitor("diagnose")
    drop(page, pictures)
    page.get_by_role("heading", name=f"{len(pictures)} images").wait_for()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download the predictions (CSV)").click()
    rows = list(csv.DictReader(io.StringIO(Path(download.value.path()).read_text("utf-8-sig"))))
    expected = bundle.predict(pictures)
    assert [row["image"] for row in rows] == [path.name for path in pictures]
    assert [row["label"] for row in rows] == [row.label for row in expected]
    page.get_by_role("combobox", name="Image to show").click()
    page.get_by_role("option", name=pictures[5].name).click()
    answer_of(page, pictures[5].name)
    page.get_by_role("button", name="Remove all images").click()
    page.locator(".lb-answer").wait_for(state="detached")


def test_two_visitors_see_their_own_images(visitor: Any, bundle: Any, pictures: list[Path]) -> None:
    first, second = visitor("diagnose"), visitor("diagnose", stranger=True)
    drop(first, pictures[1])
    drop(second, pictures[7])
    for page, own, other in ((first, pictures[1], pictures[7]), (second, pictures[7], pictures[1])):
        card = answer_of(page, own.name)
        check_answer(card, bundle.predict([own])[0])
        assert page.get_by_text(other.name).count() == 0


def test_a_benchmark_is_found_again_after_a_reload(visitor: Any) -> None:
    page = visitor("run")
    page.get_by_label("Name", exact=True).fill("from the browser")
    page.get_by_role("combobox", name="Combinations").click()
    page.get_by_role("option", name="Custom").click()
    page.get_by_label("Folds", exact=True).fill("3")
    for family, kept in (("Extractors", 1), ("Selectors", 1), ("Classifiers", 2)):
        _keep(page, family, kept)
    page.get_by_role("button", name="Start", exact=True).click()
    running = _benchmark(page, "from the browser", "Running")
    running.get_by_role("button", name="Stop").wait_for()
    page.reload()
    _benchmark(page, "from the browser", "Running").get_by_role("button", name="Stop").click()
    _benchmark(page, "from the browser", "Stopped").get_by_role("button", name="Resume").click()
    page.locator(".lb-benchmark", has_text="Stopped").wait_for(state="detached")
    page.close()
    later = visitor("run")
    done = _benchmark(later, "from the browser", "Finished")
    done.get_by_role("button", name="Explore").click()
    later.get_by_role("heading", name="Explore").wait_for()
    later.locator("input[value='from the browser']").wait_for()


def _benchmark(page: Any, name: str, state: str) -> Any:
    found = page.locator(".lb-benchmark", has_text=name).filter(has_text=state)
    found.wait_for(timeout=120_000)
    return page.locator("[data-testid=stHorizontalBlock]").filter(has=found).last


def _keep(page: Any, family: str, count: int) -> None:
    """Remove all but the first names from a box of several."""
    box = page.locator("[data-testid=stMultiSelect]", has_text=family)
    box.wait_for()
    while box.get_by_role("button", name=re.compile("^Remove ")).count() > count:
        before = box.get_by_role("button", name=re.compile("^Remove ")).count()
        box.get_by_role("button", name=re.compile("^Remove ")).last.click()
        for _ in range(100):
            if box.get_by_role("button", name=re.compile("^Remove ")).count() < before:
                break
            time.sleep(0.05)


OF_STREAMLIT = {
    "presentation-role-conflict": "the drop zone of the file uploader has a role and can have the focus (minor)",
}
"""Rule of axe-core that Streamlit's own markup breaks -> where; nothing of it is in our power."""


@pytest.mark.parametrize("path", ["diagnose", "explore", "compare", "run"])
def test_a_phone_shows_it_without_scrolling_sideways_and_everybody_can_use_it(visitor: Any, path: str) -> None:
    page = visitor(path)
    page.emulate_media(color_scheme="dark", reduced_motion="reduce")
    page.set_viewport_size({"width": 390, "height": 844})
    page.locator("[data-test-script-state=notRunning]").wait_for()
    page.wait_for_timeout(500)
    assert page.evaluate("document.scrollingElement.scrollWidth") <= 390
    assert page.evaluate("document.querySelector('.stMain').scrollWidth") <= 390
    background = page.evaluate("getComputedStyle(document.querySelector('.stApp')).backgroundColor")
    assert max(map(int, re.findall(r"\d+", background)[:3])) < 60
    assert path.capitalize() in page.title()
    assert violations(page) == {}
    page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": 1280, "height": 900})
    page.wait_for_timeout(300)
    assert violations(page) == {}


def violations(page: Any) -> dict[str, list[str]]:
    """Rules of axe-core that our part of a page breaks, with the elements."""
    from axe_playwright_python.sync_playwright import Axe

    broken = Axe().run(page).response["violations"]
    return {rule["id"]: [node["html"] for node in rule["nodes"]] for rule in broken if rule["id"] not in OF_STREAMLIT}


def test_everything_is_reached_by_the_tab_key(visitor: Any) -> None:
    page = visitor("diagnose")
    page.get_by_text("Model card").wait_for()
    page.wait_for_timeout(1_000)
    reached = []
    for _ in range(12):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("(e => e.ariaLabel || e.innerText.trim())(document.activeElement)"))
    for name in ("Explore", "Run", "Upload", "Coverage level of the prediction set", "Model card"):
        assert [text for text in reached if text.endswith(name)], (name, reached)


def test_other_sites_can_neither_frame_it_nor_speak_to_it(server: Any) -> None:
    with urllib.request.urlopen(server.url, timeout=10) as answer:
        told = answer.headers["content-security-policy"].split("; ")
    assert {"frame-ancestors 'none'", "default-src 'self'", "img-src 'self' data: blob:"} <= set(told)
    strangers = [{"Origin": "http://evil.example"}, {"Host": "evil.example", "Origin": "http://evil.example"}]
    strangers += [{"Origin": "http://localhost:3000"}, {"Origin": "null"}, {}]  # another program of this machine; none
    for headers, status in [({"Origin": server.url}, 101), *((stranger, 403) for stranger in strangers)]:
        connection = http.client.HTTPConnection(server.url.removeprefix("http://"), timeout=10)
        connection.request("GET", "/_stcore/stream", headers=_SOCKET | headers)
        assert connection.getresponse().status == status, headers
        connection.close()

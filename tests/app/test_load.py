"""Many visitors at once, and a thousand hostile files."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageEnhance

from .hostile import hostile_files

_log = logging.getLogger(__name__)
pytestmark = pytest.mark.slow
_PATIENCE_MS = 120_000
_VISITORS = 20
_BATCHES, _BATCH = 5, 200


@pytest.fixture
def pages(browser: Any, server: Any) -> Iterator[Any]:
    """Open pages; each is a session of its own, they share what the browser has cached."""
    context = browser.new_context()
    context.set_default_timeout(_PATIENCE_MS)

    def make(count: int) -> list[Any]:
        found = [context.new_page() for _ in range(count)]
        for page in found:
            page.goto(f"{server.url}/diagnose", wait_until="commit")
        for page in found:
            page.locator("input[type=file]").wait_for(state="attached")
        return found

    yield make
    context.close()


def test_twenty_visitors_at_once_get_their_own_answers(
    pages: Any, server: Any, model: Path, smears: Path, tmp_path: Path
) -> None:
    import leukobench

    images = []
    for number, path in enumerate(sorted(smears.rglob("*.jpg"))[:: 96 // _VISITORS][:_VISITORS]):
        images.append(tmp_path / f"visitor-{number}.png")
        ImageEnhance.Brightness(Image.open(path)).enhance(0.97).save(images[-1])
    expected = leukobench.load(model / "net" / "model").predict(images)
    visitors = pages(_VISITORS)
    begun = time.monotonic()
    for page, image in zip(visitors, images, strict=True):
        page.locator("input[type=file]").set_input_files(image)
    for page, row in zip(visitors, expected, strict=True):
        card = page.locator(".lb-answer")
        card.wait_for()
        assert card.locator(".lb-name").inner_text() == row.image.rpartition("/")[2]
        assert card.locator(".lb-label").inner_text() == row.label
    _log.info("%d visitors answered within %.1f s", _VISITORS, time.monotonic() - begun)


def test_a_thousand_hostile_files_leave_the_server_as_it_was(pages: Any, server: Any, smears: Path) -> None:
    good = min(smears.rglob("*.jpg"))
    (page,) = pages(1)
    drop = page.locator("input[type=file]")
    drop.set_input_files(good)
    page.locator(".lb-answer", has_text=good.name).wait_for()
    held = [round(server.megabytes())]
    for batch in range(_BATCHES):
        page.get_by_role("button", name="Remove all images").click()
        page.locator(".lb-answer, .lb-caption").first.wait_for(state="detached")
        files = list(hostile_files(_BATCH, good, seed=batch))
        drop.set_input_files([{"name": name, "mimeType": "image/png", "buffer": data} for name, data, _ in files])
        page.locator(".lb-caption", has_text=f"{sum(not whole for *_, whole in files)} unreadable").wait_for()
        page.locator(".lb-bad", has_text="cannot be used").wait_for()
        held.append(round(server.megabytes()))
    page.close()
    _log.info("megabytes before, and after each %d files: %s", _BATCH, held)
    assert server.process.poll() is None
    assert held[-1] < held[1] + 60
    (page,) = pages(1)
    page.locator("input[type=file]").set_input_files(good)
    page.locator(".lb-answer", has_text=good.name).wait_for()

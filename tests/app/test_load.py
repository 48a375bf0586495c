"""Many visitors at once, and a thousand hostile files: some through the browser, the others without it."""

from __future__ import annotations

import logging
import time
import warnings
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import psutil
import pytest
from PIL import Image, ImageEnhance

from leukobench.app import models
from leukobench.serving.image_input import Upload

from .conftest import check_answer
from .hostile import hostile_files

_log = logging.getLogger(__name__)
pytestmark = pytest.mark.slow
_PATIENCE_MS = 120_000
_VISITORS = 20
_BATCH = 50


@pytest.fixture
def pages(context: Any, server: Any) -> Iterator[Any]:
    """Open pages."""
    opened = []

    def make(count: int) -> list[Any]:
        found = [context.new_page() for _ in range(count)]
        opened.extend(found)
        for page in found:
            page.set_default_timeout(_PATIENCE_MS)
            page.goto(f"{server.url}/diagnose", wait_until="commit")
        for page in found:
            page.locator("input[type=file]").wait_for(state="attached")
        return found

    yield make
    for page in opened:
        page.close()


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
        check_answer(card, row)
    _log.info("%d visitors answered within %.1f s", _VISITORS, time.monotonic() - begun)


def _answered(bundle: Path, good: Path) -> tuple[int, list[int]]:
    """Send hostile files through the turns that the page takes: wrong verdicts, and megabytes after each batch."""
    found, wrong, held = models.load_bundle(bundle), 0, []
    warnings.filterwarnings("ignore", module=r"PIL\.")  # as the server does
    for batch in range(1, 20):
        files = list(hostile_files(_BATCH, good, seed=batch))
        for start in range(0, _BATCH, models.AT_ONCE):
            sent = files[start : start + models.AT_ONCE]
            rows = models.predict(found, [Upload(name, data) for name, data, _ in sent], 0.95)
            wrong += sum((not row.error) != whole for row, (*_, whole) in zip(rows, sent, strict=True))
        held.append(round(psutil.Process().memory_info().rss / 2**20))
    models.close()
    return wrong, held


def test_hostile_files_are_told_from_images_and_leave_nothing(model: Path, smears: Path) -> None:
    """In a process of its own, since memory is looked at."""
    with ProcessPoolExecutor(1, get_context("spawn")) as alone:
        wrong, held = alone.submit(_answered, model / "net" / "model", min(smears.rglob("*.jpg"))).result()
    _log.info("megabytes after each %d files: %s", _BATCH, held)
    assert wrong == 0
    assert max(held[10:]) < max(held[:10]) + 60


@pytest.mark.thorough
def test_memory_of_uploads_is_given_back(pages: Any, server: Any, smears: Path, tmp_path: Path) -> None:
    good = min(smears.rglob("*.jpg"))
    (page,) = pages(1)
    drop = page.locator("input[type=file]")
    drop.set_input_files(good)
    page.locator(".lb-answer", has_text=good.name).wait_for()
    files = [tmp_path / f"{number}.png" for number in range(10)]
    for number, file in enumerate(files):
        file.write_bytes(good.read_bytes() + bytes(0 if number < 2 else 19 * 2**20))
    held = []
    for sent in (files[:2], files[2:]):  # the first are small: what the page itself takes
        page.get_by_role("button", name="Remove all images").click()
        page.locator(".lb-answer, .lb-caption").first.wait_for(state="detached")
        held.append(server.megabytes())
        drop.set_input_files(sent)
        page.locator(".lb-table tbody tr").nth(len(sent) - 1).wait_for()
        held.append(server.megabytes())
    page.get_by_role("button", name="Remove all images").click()
    page.locator(".lb-answer, .lb-caption").first.wait_for(state="detached")
    deadline = time.monotonic() + _PATIENCE_MS / 1000
    while server.megabytes() > held[2] + 20:
        assert time.monotonic() < deadline, (held, server.megabytes())
        time.sleep(0.1)
    assert held[3] > held[2] + 120
    page.close()


def test_hostile_files_leave_the_server_as_it_was(pages: Any, server: Any, smears: Path) -> None:
    good = min(smears.rglob("*.jpg"))
    (page,) = pages(1)
    drop = page.locator("input[type=file]")
    drop.set_input_files(good)
    page.locator(".lb-answer", has_text=good.name).wait_for()
    page.get_by_role("button", name="Remove all images").click()
    page.locator(".lb-answer, .lb-caption").first.wait_for(state="detached")
    before = server.megabytes()
    files = list(hostile_files(_BATCH, good, seed=0))
    drop.set_input_files([{"name": name, "mimeType": "image/png", "buffer": data} for name, data, _ in files])
    page.locator(".lb-caption", has_text=f"{sum(not whole for *_, whole in files)} unreadable").wait_for()
    page.locator(".lb-bad", has_text="cannot be read").wait_for()
    assert page.locator(".lb-table img, .lb-answer img, .lb-bad img").count() == 0
    assert page.locator(".lb-table tbody tr").count() == _BATCH
    page.close()
    _log.info("%.0f megabytes more after %d files", server.megabytes() - before, _BATCH)
    assert server.process.poll() is None
    (page,) = pages(1)
    page.locator("input[type=file]").set_input_files(good)
    page.locator(".lb-answer", has_text=good.name).wait_for()

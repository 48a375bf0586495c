"""One image's answer as the page draws it, and where the bytes of an upload are."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from leukobench.app import answer
from leukobench.app.limits import keep_uploads_in_memory
from leukobench.app.style import plain, table
from leukobench.serving.prediction import Prediction

SURE = Prediction("a.png", "00", "Early", {"Benign": 0.0004, "Early": 0.9996}, ("Early",), 1.0, 0.5)


@pytest.mark.parametrize(
    ("share", "text"),
    [(0.0, "0 %"), (1.0, "100 %"), (0.0004, "< 0.1 %"), (0.9996, "> 99.9 %"), (0.95, "95 %"), (0.1234, "12.3 %")],
)
def test_a_share_is_never_rounded_to_certainty(share: float, text: str) -> None:
    assert answer.percent(share) == text


@pytest.mark.parametrize(
    ("names", "text"),
    [(("A",), "only A"), (("A", "B"), "A or B"), (("A", "B", "C"), "A, B or C")],
)
def test_a_set_is_said_in_words(names: tuple[str, ...], text: str) -> None:
    row = Prediction("a", conformal_set=names, label="A")
    assert answer.set_in_words(row, 0.9) == f"With 90 % confidence: {text}"


def test_the_card_says_what_to_beware_of() -> None:
    assert "lb-note lb-" not in answer.card(SURE, 0.95)
    odd = Prediction("a", "00", "A", {"A": 0.6, "B": 0.4}, ("A", "B"), 7.25, 0.0, ood=True, trained_on=True)
    card = answer.card(odd, 0.95)
    assert "Unlike the training data" in card
    assert "7.2 times" in card
    assert "Was trained on" in card
    assert answer.beware(odd) == "unlike the training data, was trained on"
    assert card.index(">A<") < card.index(">B<")


def test_names_of_files_and_classes_are_text_not_markup() -> None:
    evil = "<img src=x onerror=alert(1)>"
    row = Prediction(evil, "00", evil, {evil: 1.0}, (evil,))
    assert "<img" not in answer.card(row, 0.95)
    assert "<img" not in table([evil], [[evil, evil]], evil)
    assert plain("![x](http://a) <b>") == r"\!\[x\]\(http\://a\) \<b\>"


def test_a_large_upload_does_not_touch_the_disk() -> None:
    from starlette.datastructures import Headers, UploadFile
    from starlette.formparsers import MultiPartParser

    head = b'--x\r\nContent-Disposition: form-data; name="f"; filename="f.png"\r\n\r\n'

    async def body() -> AsyncIterator[bytes]:
        yield head
        for _ in range(20):
            yield bytes(2**20)
        yield b"\r\n--x--\r\n"

    async def rolled() -> bool:
        headers = Headers({"content-type": "multipart/form-data; boundary=x"})
        form = await MultiPartParser(headers, body()).parse()
        upload = form["f"]
        assert isinstance(upload, UploadFile)
        assert upload.size == 20 * 2**20
        on_disk = bool(upload.file._rolled)  # type: ignore[attr-defined]
        await form.close()
        return on_disk

    usual = MultiPartParser.spool_max_size
    try:
        assert asyncio.run(rolled())
        keep_uploads_in_memory()
        assert not asyncio.run(rolled())
    finally:
        MultiPartParser.spool_max_size = usual

"""One image's answer as the page draws it, and where the bytes of an upload are."""

from __future__ import annotations

import asyncio
import codecs
import io
import math
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from leukobench.app import diagnose
from leukobench.app import diagnosis as answer
from leukobench.app.limits import keep_uploads_in_memory
from leukobench.app.spreadsheet import as_csv
from leukobench.app.style import heat_cell, number, plain, table, word_cell
from leukobench.serving.output import percent, prediction_line
from leukobench.serving.prediction import Prediction

SURE = Prediction("a.png", "00", "Early", {"Benign": 0.0004, "Early": 0.9996}, ("Early",), 1.0, 0.5)


@pytest.mark.parametrize(
    ("share", "text"),
    [(0.0, "0 %"), (1.0, "100 %"), (0.0004, "< 0.1 %"), (0.9996, "> 99.9 %"), (0.95, "95 %"), (0.1234, "12.3 %")],
)
def test_a_share_is_never_rounded_to_certainty(share: float, text: str) -> None:
    assert percent(share) == text


@pytest.mark.parametrize(
    ("names", "text"),
    [
        (("A",), "A"),
        (("A", "B"), "A or B"),
        (("A", "B", "C"), "A, B or C"),
        (("A", "B", "C", "D"), "all classes, so the model cannot decide"),
    ],
)
def test_a_set_is_said_in_words_that_promise_nothing_of_this_image(names: tuple[str, ...], text: str) -> None:
    row = Prediction("a", conformal_set=names, label="A", probabilities=dict.fromkeys("ABCD", 0.25))
    told = "Such sets contain the true class for 90 % of images like the training data."
    assert answer.set_in_words(row, 0.9) == f"Prediction set at 90 %: {text}. {told}"


def test_an_answer_that_may_be_relied_on_shows_its_class_first() -> None:
    card = answer.card(SURE, 0.95)
    assert "lb-note" not in card
    assert card.index("lb-label") < card.index("lb-set") < card.index("lb-bars")
    trained = answer.card(replace(SURE, trained_on=True), 0.95)
    assert trained.index("In the training data") < trained.index("lb-label")


ODD = Prediction("a", "00", "A", {"A": 0.6, "B": 0.3, "C": 0.1}, ("A", "B"), 7.25, 0.0, ood=True, trained_on=True)
OPEN = Prediction("a", "00", "A", {"A": 0.6, "B": 0.4}, ("A", "B"), 1.0, 0.5)


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (ODD, ["Unlike the training data", "7.2 times", "In the training data"]),
        (replace(ODD, ood_score=math.nan), ["Unlike the training data", "no distance", "In the training data"]),
        (OPEN, ["cannot decide"]),
    ],
)
def test_an_answer_that_is_not_to_be_relied_on_shows_no_class(row: Prediction, words: list[str]) -> None:
    assert not answer.is_reliable(row)
    card = answer.card(row, 0.95, b"picture")
    assert "lb-label" not in card
    assert "lb-bars" not in card
    places = [card.lower().index(word.lower()) for word in ["<img", *words, "What to do"]]
    assert places == sorted(places)


def test_a_line_on_a_screen_begins_with_what_warns_too() -> None:
    assert prediction_line(SURE) == "a.png: Early > 99.9 %; prediction set {Early}"
    line = prediction_line(ODD)
    assert line.startswith("a: UNLIKE THE TRAINING DATA, do not rely on it; would be A 60 %; ")
    assert line.endswith("; in the training data")


def test_the_table_says_why_an_answer_shows_no_class() -> None:
    assert diagnose._texts(SURE) == ["a.png", "Early", "> 99.9 %", "Early", ""]
    name, word, *others, why = diagnose._texts(ODD)
    assert (name, others, why) == ("a", ["", ""], "unlike the training data, in the training data")
    assert word.index("do not rely on it") < word.index("would be A")
    assert diagnose._texts(OPEN)[-1] == "cannot decide"
    assert diagnose._texts(Prediction("a", error="no image")) == ["a", "", "", "", "no image"]


@pytest.mark.parametrize("cell", ["", "<td>", "<th>", "</td><td>"])
def test_names_of_files_and_classes_are_text_not_markup(cell: str) -> None:
    evil = f"{cell}<img src=x onerror=alert(1)>"
    row = Prediction(evil, "00", evil, {evil: 1.0}, (evil,))
    assert "<img" not in answer.card(row, 0.95) + answer.card(replace(SURE, image=evil), 0.95)
    assert "<img" not in table([evil], [[evil, evil]], evil)
    assert "<img" not in table(
        [evil], [[number(evil, evil), heat_cell(evil, 1.0, small=evil), word_cell(evil, evil, evil)]], evil, words=2
    )
    assert plain("![x](http://a) <b>") == r"\!\[x\]\(http\://a\) \<b\>"


def test_a_spreadsheet_runs_nothing_of_a_download() -> None:
    texts = ["=cmd|' /C calc'!A0", "+1+1", "-1*2", "@x", "\ta", "\ra", "Müller", "1-2", "-1"]
    table = pd.DataFrame({"image": texts, "=p": [-0.5] * len(texts)})
    data = as_csv(table)
    assert data.startswith(codecs.BOM_UTF8)
    back = pd.read_csv(io.BytesIO(data), encoding="utf-8-sig", lineterminator="\n")
    assert back["image"].tolist() == [f"'{text}" for text in texts[:6]] + texts[6:]
    assert back.columns.tolist() == ["image", "'=p"]
    assert (back["'=p"] == -0.5).all()


def visit() -> None:
    import streamlit as st

    from leukobench.app import diagnose
    from leukobench.serving.prediction import Prediction

    if st.session_state.get("leave"):
        diagnose.forget()
    diagnose._forget_explanation([Prediction("a.png", name) for name in st.session_state["here"]])


@pytest.mark.parametrize(("here", "leave", "kept"), [("ab", False, True), ("b", False, False), ("ab", True, False)])
def test_the_picture_of_a_file_that_was_removed_or_left_is_forgotten(here: str, leave: bool, kept: bool) -> None:
    page = AppTest.from_function(visit)
    page.session_state["explained"] = (("digest", "a", 0.95), "pixels")
    page.session_state["here"], page.session_state["leave"] = here, leave
    assert not page.run().exception
    assert ("explained" in page.session_state) is kept


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

    def asked() -> bool:
        with ThreadPoolExecutor(1) as pool:  # a browser of another test may keep a loop in this thread
            return pool.submit(asyncio.run, rolled()).result()

    usual = MultiPartParser.spool_max_size
    try:
        assert asked()
        keep_uploads_in_memory()
        assert not asked()
    finally:
        MultiPartParser.spool_max_size = usual

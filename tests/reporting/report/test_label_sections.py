"""The report's sections on doubtful labels and on failures; absent where nothing was looked for or found."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd
from PIL import Image

from leukobench.runs.label_answer import Failures, LabelSuspects, WorsePart

from .drawn_run import CLASSES, page, read_answer, write_answer

SUSPECT = {
    "corrected": "", "path": "/data/a/<b>x.jpg", "label": CLASSES[3], "suggested": CLASSES[1], "p_label": 0.0123,
    "p_suggested": 0.9, "against": 0.975, "patient": "", "group": 1, "row": 1, "image_id": "ab",
}  # fmt: skip
PART = {
    "fact": "site", "part": "B & C", "images": 40, "units": 12, "wrong": 13.5, "rate": 0.3375, "low": 0.2, "high": 0.5,
    "elsewhere": 0.02, "expected_by_class": 0.031, "p": 1e-5, "p_holm": 0.0004, "worse": True,
}  # fmt: skip
PAIR = PART | {"fact": "label and prediction", "expected_by_class": None, "p_holm": 0.9, "worse": False}


def test_both_sections_show_their_tables_and_sheets(folder: Path) -> None:
    pd.DataFrame([SUSPECT]).to_csv(folder / "suspects.csv", index=False)
    pd.DataFrame([PART, PAIR]).to_csv(folder / "failures.csv", index=False)
    (folder / "sheets").mkdir()
    for name in ("suspects", "failures"):
        Image.new("RGB", (2000, 300), "red").save(folder / "sheets" / f"{name}-1.png")
    worse = WorsePart("site", "B & C", 40, 13.5, 0.3375, 0.2, 0.5, 0.02, 0.0004)
    found = LabelSuspects(480, 49, 7, 3, "words"), Failures(0.1, 21, (worse,), "words")
    write_answer(folder, replace(read_answer(folder), suspects=found[0], failures=found[1]))
    shown = page(folder)
    assert "3 of 480 images have a label that at least 90 % of the 49 best combinations contradict" in shown.text
    assert "<b>x.jpg" in shown.text  # as text, no markup
    assert "1.23 % 90.00 % 97.50 %" in shown.text
    assert "Patients are not (all) known" in shown.text
    assert "In 1 of 21 parts of the images it is wrong more often than elsewhere" in shown.text
    cells = ("B & C", "13.5 of 40", "33.75 % [20.00 to 50.00]", "2.00 %", "3.10 %", "0.0004")
    assert all(words in shown.text for words in cells)
    sheets = [attrs["src"] for tag, attrs in shown.tags if tag == "img" and "Contact sheet: images" in attrs["alt"]]
    assert len(sheets) == 2
    assert all(source.startswith("data:image/jpeg;base64,") for source in sheets)


def test_without_a_doubtful_label_or_an_error_there_is_no_section(folder: Path) -> None:
    write_answer(
        folder, replace(read_answer(folder), suspects=LabelSuspects(480, 49, 0, 0), failures=Failures(0.0, 21))
    )
    pd.DataFrame([PART | {"wrong": 0.0, "worse": False}]).to_csv(folder / "failures.csv", index=False)
    ids = {attrs.get("id") for tag, attrs in page(folder).tags if tag == "section"}
    assert not ids & {"suspects", "failures"}

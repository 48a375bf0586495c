"""The report's section on external tests; absent where there is none."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pandas as pd
from PIL import Image

from ..test_external import ANSWER
from .drawn_run import page


def test_a_test_is_shown_with_its_scores_and_pictures(folder: Path) -> None:
    assert "external" not in {attrs.get("id") for tag, attrs in page(folder).tags if tag == "section"}
    own = folder / "external" / "site-b"
    own.mkdir(parents=True)
    answer = replace(ANSWER, verdict="lower", sentences=("LOWER ELSEWHERE: <b>words</b>", "second"))
    (own / "answer.json").write_text(json.dumps(answer.to_json()))
    Image.new("RGB", (600, 200), "red").save(own / "worst-1.png")
    first = pd.read_csv(folder / "leaderboard.csv").head(1)
    first.to_csv(own / "leaderboard.csv", index=False)
    names = first[["extractor", "selector", "classifier"]].iloc[0].to_dict()
    counts = [names | {"label": a, "predicted": b, "count": 7} for a in ("hem", "ALL") for b in ("hem", "ALL")]
    pd.DataFrame(counts).to_parquet(own / "confusion.parquet")
    shown = page(folder)
    assert shown.text.index("External tests Lower") < shown.text.index("Best of 49 combinations")
    for words in (
        "LOWER ELSEWHERE: <b>words</b>",  # as text, no markup
        "80.00", "[70.00 to 88.00", "-15.00 points [-25.00 to -6.00]", "mean of red", "0.50 [0.30 to 0.70]",
        "14 wrong of 28", "patients used",
    ):  # fmt: skip
        assert words in shown.text.replace("\N{NO-BREAK SPACE}", " ")
    pictures = [attrs for tag, attrs in shown.tags if tag == "img" and "site-b" in attrs["alt"]]
    assert len(pictures) == 1
    assert pictures[0]["src"].startswith("data:image/jpeg;base64,")


def test_one_that_is_all_copies_has_its_sentence_alone(folder: Path) -> None:
    own = folder / "external" / "copies"
    own.mkdir(parents=True)
    images = replace(ANSWER.images, scored=0)
    empty = dict.fromkeys(("combinations", "calibration", "sets", "shifts", "shares", "recalibration"), ())
    answer = replace(ANSWER, images=images, verdict="copies", sentences=("ALL IMAGES ARE COPIES",), **empty)
    (own / "answer.json").write_text(json.dumps(answer.to_json()))
    assert "ALL IMAGES ARE COPIES" in page(folder).text

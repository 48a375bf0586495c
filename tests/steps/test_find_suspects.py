"""A run with wrong labels lists them to correct, and takes the corrections; a part whose labels are noise is named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from leukobench.evaluation.statistics.suspects import Suspects
from leukobench.images.index import CORRECTED, index_images
from leukobench.pipeline import run
from leukobench.steps.find_suspects import good_combinations, suspects_table, with_earlier


def test_combinations_that_may_be_the_best_and_the_first_ten_are_good() -> None:
    board = pd.DataFrame({"extractor": [f"e{place}" for place in range(14)], "selector": "none", "classifier": "c"})
    board["kind"] = ["combination"] * 13 + ["shortcut"]
    board["rank"] = pd.array([*range(1, 13), None, None], dtype="Int64")
    board["in_best_set"] = pd.array([True] * 2 + [False] * 9 + [True] + [None] * 2, dtype="boolean")
    assert {names[0] for names in good_combinations(board)} == {f"e{place}" for place in [*range(10), 11]}


def test_the_table_names_image_label_and_suggestion(smears: Path) -> None:
    index = index_images(smears)
    rows, classes = np.array([5, 2]), tuple(index.classes())
    table = suspects_table(
        Suspects(rows, np.array([1, 0]), *np.array([[0.1, 0.2], [0.8, 0.7], [1.0, 0.5]])), classes, index
    )
    assert list(table.columns[:4]) == ["corrected", "path", "label", "suggested"]
    assert table["path"].tolist() == index.images["path"].iloc[rows].tolist()
    assert table["suggested"].tolist() == [classes[1], classes[0]]
    assert table[["p_label", "p_suggested", "against", "row"]].to_numpy().tolist() == [
        [0.1, 0.8, 1.0, 5],
        [0.2, 0.7, 0.5, 2],
    ]


def test_what_was_filled_in_stays_when_the_table_is_written_again(tmp_path: Path) -> None:
    columns = [
        "corrected",
        "path",
        "label",
        "suggested",
        "p_label",
        "p_suggested",
        "against",
        "patient",
        "group",
        "row",
    ]
    rows = [["", f"/i/{name}.png", "a", "b", 0.1, 0.9, 1.0, "", 3, 4] for name in "xyz"]
    table = pd.DataFrame(rows, columns=columns).assign(image_id=["1", "2", "3"])
    earlier = tmp_path / "suspects.csv"
    assert with_earlier(table, earlier) is table
    table.to_csv(earlier, index=False)
    pd.testing.assert_frame_equal(with_earlier(table, earlier), table)
    table.assign(corrected=["b", "", "leave out"]).to_csv(earlier, index=False)
    again = with_earlier(table.iloc[1:].reset_index(drop=True), earlier)
    assert again["path"].tolist() == ["/i/y.png", "/i/z.png", "/i/x.png"]
    assert again["corrected"].tolist() == ["", "leave out", "b"]
    assert again["p_label"].tolist() == [0.1] * 3
    earlier.write_text("no,table\n")
    assert with_earlier(table, earlier) is table
    assert (tmp_path / "suspects.1.csv").exists()


@pytest.mark.slow
def test_doubtful_labels_are_listed_corrected_and_kept(experiment: Any, images: Path) -> None:
    index = index_images(images)
    table = index.images[["path", "label", "patient"]].assign(
        site="A", age=[str(row % 40) for row in range(len(index))]
    )
    table.loc[table.index[::6], "site"] = "B"
    table.loc[::7, "label"] = np.random.default_rng(0).permutation(table.loc[::7, "label"])
    table.to_csv(images / "manifest.csv", index=False)
    first = run(experiment(images={"folder": images / "manifest.csv"}, selectors=["none"]), workers=1)
    suspects = pd.read_csv(first.folder / "suspects.csv", dtype=str, keep_default_na=False)
    answer = first.answer
    assert answer.suspects
    assert answer.suspects.contradicted == len(suspects) > 3
    failures = pd.read_csv(first.folder / "failures.csv")
    assert {"label", "site", "age", "brightness", "distance to the training images"} <= set(failures["fact"])
    best = first.results.predictions_of(answer.best.names if answer.best else ("", "", "")).set_index("path")
    errors = (best["predicted"] != best["label"]).reindex(table["path"]).groupby(table["site"].to_numpy()).sum()
    sites = failures[failures["fact"] == "site"].set_index("part")["wrong"]
    assert sites.to_dict() == errors.astype(float).to_dict()
    sheets = {path.name for path in (first.folder / "sheets").glob("*-1.png")}
    assert sheets == {"failures-1.png", "suspects-1.png", "worst-1.png"}

    filled = suspects.assign(corrected=[*suspects["suggested"][:2], "leave out", *[""] * (len(suspects) - 3)])
    target = first.folder / "suspects.csv"
    filled.to_csv(target, index=False)
    section = {"folder": images / "manifest.csv", "corrections": str(target)}
    second = run(experiment(images=section, selectors=["none"]), workers=1)
    labels = second.results.images.set_index("path")["label"]
    assert labels[filled["path"][:2]].tolist() == filled["corrected"][:2].tolist()
    ledger = second.results.table("ledger.parquet").set_index("path")["reason"]
    assert ledger.str.startswith(CORRECTED).sum() == 2
    assert ledger[filled["path"][2]] == "leave out (suspects.csv)"
    assert any(
        line.startswith("by suspects.csv, labels corrected: 2; images left out: 1") for line in second.answer.protocol
    )
    kept = pd.read_csv(target, dtype=str, keep_default_na=False).set_index("path")["corrected"]
    assert kept[filled["path"][:3]].tolist() == filled["corrected"][:3].tolist()
    assert run(experiment(images=section, selectors=["none"]), workers=1).reused

"""What Explore shows, against what the run's files say."""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
from html import unescape
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from leukobench.app.target import find_target, read_target
from leukobench.errors import StorageError
from leukobench.reporting.report.numbers import title_of

FIRST = ["extractor", "selector", "classifier"]


def explore() -> None:
    from leukobench.app import explore
    from leukobench.app.target import read_target

    explore.page(read_target())


def opened(part: str, **state: Any) -> AppTest:
    page = AppTest.from_function(explore, default_timeout=60)
    page.session_state["part"] = part
    for key, value in state.items():
        page.session_state[key] = value
    page.run()
    assert not page.exception
    return page


def drawn(page: AppTest) -> str:
    return "\n".join(element.proto.body for element in page.get("html"))


def numbers(html: str) -> list[int]:
    """Counts of the first table's coloured cells."""
    return [int(text.replace(",", "")) for text in re.findall(r'style="--t:[\d.]+">([\d,]+)', html)]


@pytest.fixture
def board(results: Path, shown: Any) -> pd.DataFrame:
    return pd.read_csv(results / "small" / "leaderboard.csv")


@pytest.fixture
def told(results: Path, shown: Any) -> pd.DataFrame:
    return pd.read_parquet(results / "small" / "predictions.parquet")


def of(table: pd.DataFrame, row: pd.Series) -> pd.DataFrame:
    return table[(table[FIRST] == row[FIRST].tolist()).all(axis=1)]


def rows_of(page: AppTest) -> list[tuple[str, float]]:
    """Combination and score of each row of the leaderboard."""
    body = re.findall(r"<tbody>(.*?)</tbody>", drawn(page), re.DOTALL)[-1]
    lines = re.findall(r'title="([^"]*)">.*?</th><td>([\d.]+)', body)
    return [(unescape(names), float(score)) for names, score in lines]


def titles(board: pd.DataFrame) -> list[str]:
    return [title_of(row) for row in board[FIRST].to_numpy().tolist()]


def test_the_leaderboard_shows_every_row_in_its_order(board: pd.DataFrame) -> None:
    rows = rows_of(opened("Leaderboard"))
    assert [names for names, _ in rows] == titles(board)
    expected = (100 * board["balanced_accuracy"]).round(2).tolist()
    assert [score for _, score in rows] == pytest.approx(expected)


def test_it_is_sorted_as_asked_for(board: pd.DataFrame) -> None:
    page = opened("Leaderboard")
    page.selectbox(key="sorted").set_value("brier").run()
    expected = board.sort_values("brier", kind="stable", na_position="last")
    assert [names for names, _ in rows_of(page)] == titles(expected)


def test_filters_leave_what_was_picked(board: pd.DataFrame) -> None:
    page = opened("Leaderboard")
    page.multiselect(key="filter-classifier").set_value(["lda"]).run()
    assert len(rows_of(page)) == (board["classifier"] == "lda").sum() == 2
    page.multiselect(key="filter-selector").set_value(["none"]).run()
    assert len(rows_of(page)) == 1


def test_shortcuts_can_be_left_out(board: pd.DataFrame) -> None:
    page = opened("Leaderboard")
    assert (board["kind"] == "shortcut").any()
    assert drawn(page).count('class="lb-kind lb-shortcut">shortcut<') == (board["kind"] == "shortcut").sum()
    page.checkbox[1].uncheck().run()
    assert len(rows_of(page)) == (board["kind"] == "combination").sum()


def test_the_intervals_are_those_of_the_report(results: Path, shown: Any) -> None:
    from leukobench import load_results
    from leukobench.reporting.figures.intervals import intervals

    html, figure = drawn(opened("Intervals")), intervals(load_results(results / "small"))
    assert figure is not None
    drawings = re.findall(r'<img class="lb-(\w+)" alt="([^"]+)" src="data:image/svg\+xml;base64,([^"]+)"', html)
    assert [(shape, unescape(alt)) for shape, alt, _ in drawings] == [("wide", figure.alt), ("narrow", figure.alt)]
    assert [base64.b64decode(data).decode() for *_, data in drawings] == list(figure.svgs)


def test_the_heat_map_has_a_cell_for_each_combination(board: pd.DataFrame) -> None:
    html = drawn(opened("Heat map"))
    scores = board.loc[board["kind"] == "combination", "balanced_accuracy"]
    cells = [float(text) for text in re.findall(r'style="--t:[\d.]+">([\d.]+)<', html)]
    assert sorted(cells) == pytest.approx(sorted((100 * scores).round(2)))


def test_the_confusion_matrix_counts_the_predictions_of_the_chosen_one(board: pd.DataFrame, told: pd.DataFrame) -> None:
    page = opened("One combination")
    for place in (0, 2):
        page.selectbox(key="one").set_value(place).run()
        own = of(told, board[board["rank"].notna()].iloc[place])
        expected = pd.crosstab(own["label"], own["predicted"])
        expected = expected.reindex(index=sorted(own["label"].unique()), columns=sorted(own["label"].unique()))
        assert numbers(drawn(page)) == expected.fillna(0).astype(int).to_numpy().ravel().tolist()


def test_calibration_stands_there_as_a_table_too(board: pd.DataFrame, results: Path) -> None:
    html = drawn(opened("One combination"))
    bins = of(pd.read_parquet(results / "small" / "reliability.parquet"), board.iloc[0])
    for count in bins.loc[bins["count"] > 0, "count"]:
        assert f"<td>{count}</td>" in html


def test_wrong_pictures_are_those_that_were_predicted_wrongly(board: pd.DataFrame, told: pd.DataFrame) -> None:
    row = board[board["rank"].notna()].iloc[-1]
    wrong = of(told, row).query("label != predicted")
    page = opened("Misclassified images")
    page.selectbox(key="wrong").set_value(int(board["rank"].notna().sum()) - 1).run()
    assert len(wrong) > 0
    assert page.caption[0].value.startswith(f"{wrong['image_id'].nunique():,} images with wrong")
    assert drawn(page).count("<figure>") == min(wrong["image_id"].nunique(), 24)
    label = wrong["label"].iloc[0]
    page.selectbox(key="wrong-label").set_value(label).run()
    assert page.caption[0].value.startswith(
        f"{wrong.loc[wrong['label'] == label, 'image_id'].nunique():,} images with wrong"
    )


def test_two_side_by_side_count_who_is_right(board: pd.DataFrame, told: pd.DataFrame) -> None:
    ranked = board[board["rank"].notna()]
    last = len(ranked) - 1
    page = opened("Side by side", second=last)
    one, two = (of(told, ranked.iloc[place]).set_index("image_id") for place in (0, last))
    right = (one["label"] == one["predicted"], two["label"] == two["predicted"].reindex(one.index))
    html = drawn(page)
    assert f"both correct</th><td>{(right[0] & right[1]).sum():,}<" in html
    assert f"only the first correct</th><td>{(right[0] & ~right[1]).sum():,}<" in html
    assert f"only the second correct</th><td>{(~right[0] & right[1]).sum():,}<" in html
    assert f"both wrong</th><td>{(~right[0] & ~right[1]).sum():,}<" in html
    page.selectbox(key="second").set_value(0).run()
    assert "Select two different rows" in drawn(page)


def test_a_picture_that_is_gone_leaves_its_place(results: Path, tmp_path: Path) -> None:
    from leukobench.app.run_data import thumbnail

    row, other = pd.read_parquet(results / "small" / "images.parquet").iloc[:2].to_dict("records")
    assert thumbnail(str(tmp_path / "gone.jpg"), row["image_id"]) is None
    assert thumbnail("", row["image_id"]) is None
    os.mkfifo(tmp_path / "pipe.jpg")
    assert thumbnail(str(tmp_path / "pipe.jpg"), row["image_id"]) is None
    path = Path(shutil.copy(row["path"], tmp_path / "image.jpg"))
    assert (thumbnail(str(path), row["image_id"]) or b"").startswith(b"\xff\xd8")
    shutil.copy(other["path"], path)
    assert thumbnail(str(path), row["image_id"]) is None  # another image took its place


@pytest.fixture
def changed(results: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the finished run, to be changed before a page shows it."""
    monkeypatch.setenv("LEUKOBENCH_APP", "")
    run = Path(shutil.copytree(results / "small", tmp_path / "runs" / "small"))
    (run / "state.json").write_text('{"state": "", "files": {}}')  # any bytes are as it wrote them
    find_target(tmp_path / "runs").publish()
    return run


@pytest.mark.parametrize("part", ["One combination", "Misclassified images", "Side by side"])
def test_without_predictions_it_says_so(changed: Path, part: str) -> None:
    for name in ("predictions.parquet", "images.parquet", "confusion.parquet"):
        (changed / name).unlink()
    html = drawn(opened(part))
    assert "no stored predictions" in html
    assert "All its predictions are correct" not in html


def test_copies_are_counted_once_each(changed: Path) -> None:
    for name in ("images.parquet", "predictions.parquet"):
        table = pd.read_parquet(changed / name)
        copies = table["row"] < 40
        table.loc[copies, "image_id"] = table.loc[table["row"] == 0, "image_id"].iloc[0]  # forty files of one content
        table.to_parquet(changed / name)
    html = drawn(opened("Side by side", second=3))
    words = ("both correct", "only the first correct", "only the second correct", "both wrong")
    counts = [int(re.search(rf"{word}</th><td>([\d,]+)<", html)[1].replace(",", "")) for word in words]  # type: ignore[index]
    assert sum(counts) == 96


def test_a_class_may_be_called_all(changed: Path) -> None:
    told = pd.read_parquet(changed / "predictions.parquet")
    first = sorted(told["label"].unique())[0]
    told = told.replace({"label": {first: "all"}, "predicted": {first: "all"}}).rename(columns={f"p_{first}": "p_all"})
    told.to_parquet(changed / "predictions.parquet")
    wrong = of(told, pd.read_csv(changed / "leaderboard.csv").iloc[3]).query("label != predicted")
    page = opened("Misclassified images", wrong=3)
    counts = [wrong["image_id"].nunique(), wrong.loc[wrong["label"] == "all", "image_id"].nunique()]
    assert counts[0] > counts[1] > 0
    assert page.caption[0].value.startswith(f"{counts[0]:,} images with wrong")
    page.selectbox(key="wrong-label").set_value("all").run()
    assert page.caption[0].value.startswith(f"{counts[1]:,} images with wrong")


def test_pictures_without_probabilities_have_none_in_their_caption() -> None:
    from leukobench.app.pictures import _caption

    row = {"path": "a/b.jpg", "label": "A", "predicted": "B", "sure": float("nan")}
    assert _caption(row) == ("b.jpg", "A, predicted B")
    assert _caption(row | {"sure": 0.9996}) == ("b.jpg", "A, predicted B (> 99.9 %)")


def test_a_long_leaderboard_says_what_it_leaves_out(changed: Path) -> None:
    board = pd.read_csv(changed / "leaderboard.csv")
    pd.concat([board] * (600 // len(board) + 1)).head(600).to_csv(changed / "leaderboard.csv", index=False)
    page = opened("Leaderboard")
    assert len(rows_of(page)) == 500
    assert "500 of 600 rows" in drawn(page)
    assert "100 more match" in drawn(page)


def test_pictures_of_one_kind_are_found_in_any_repeat(changed: Path) -> None:
    told = pd.read_parquet(changed / "predictions.parquet")
    ranked = pd.read_csv(changed / "leaderboard.csv").query("rank.notna()")
    image = told["image_id"].iloc[0]
    keys = [
        told[FIRST].eq(ranked.iloc[place][FIRST].tolist()).all(axis=1) & (told["image_id"] == image) for place in (0, 1)
    ]
    label = told["label"].iloc[0]
    others = [name for name in sorted(told["label"].unique()) if name != label]
    again = told.assign(repeat=told["repeat"] + 1)
    told.loc[keys[0], "predicted"], told.loc[keys[1], "predicted"] = others[0], others[1]  # both wrong, in two ways
    again.loc[keys[0], "predicted"], again.loc[keys[1], "predicted"] = label, others[1]  # then only the second
    pd.concat([told, again]).to_parquet(changed / "predictions.parquet", index=False)
    found = set()
    for table in (told, again):
        one, two = (of(table, ranked.iloc[place]).set_index("image_id") for place in (0, 1))
        two = two.reindex(one.index)
        found |= set(one.index[(one["predicted"] == one["label"]) & (two["predicted"] != two["label"])])
    page = opened("Side by side")
    page.selectbox(key="differ").set_value("only the first correct").run()
    assert image in found
    assert f"{len(found):,} images are predicted differently" in [caption.value for caption in page.caption]


def test_a_run_that_is_gone_is_no_run(changed: Path) -> None:
    from leukobench.app.run_data import read_run

    (changed / "leaderboard.csv").unlink()
    (changed.parent / "broken").mkdir()
    (changed.parent / "broken" / "leaderboard.csv").symlink_to(changed / "leaderboard.csv")
    assert read_target().runs() == []
    with pytest.raises(StorageError, match="no longer there"):
        read_run(changed)


def test_a_run_in_which_all_failed_says_so_first(changed: Path) -> None:
    board = pd.read_csv(changed / "leaderboard.csv")
    failed = board["kind"] == "combination"
    board = board.astype({"status": "object"})
    board.loc[failed, "status"], board.loc[failed, "rank"] = "failed in 3 of 3 folds", float("nan")
    board.to_csv(changed / "leaderboard.csv", index=False)
    note = dict.fromkeys(["extractor", "selector", "classifier"], "x") | {
        "kind": "error",
        "text": "ValueError: too few",
    }
    pd.DataFrame([note]).to_csv(changed / "notes.csv", index=False)
    answer = json.loads((changed / "answer.json").read_text()) | {"best": None}
    (changed / "answer.json").write_text(json.dumps(answer))
    html = drawn(opened("Leaderboard"))
    assert "All 4 combinations failed." in html
    assert html.index("ValueError: too few") < html.index("lb-table")
    assert html.count('class="lb-kind lb-failed">failed<') == 4

"""What Explore shows, against what the run's files say."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

FIRST = ["extractor", "selector", "classifier"]


def explore() -> None:
    from leukobench.app import explore
    from leukobench.app.target import published

    explore.page(published())


def opened(part: str, **state: Any) -> AppTest:
    page = AppTest.from_function(explore, default_timeout=20)
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


def rows_of(page: AppTest) -> list[list[str]]:
    """Cells of the leaderboard, line by line."""
    body = re.findall(r"<tbody>(.*?)</tbody>", drawn(page), re.DOTALL)[-1]
    lines = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", line) for line in re.findall(r"<tr>(.*?)</tr>", body)]
    return [[text.replace("\N{NO-BREAK SPACE}%", "") for text in line] for line in lines]


def test_the_leaderboard_shows_every_row_in_its_order(board: pd.DataFrame) -> None:
    rows = rows_of(opened("Leaderboard"))
    assert [row[1:4] for row in rows] == board[FIRST].to_numpy().tolist()
    expected = (100 * board["balanced_accuracy"]).round(2).tolist()
    assert [float(row[4]) for row in rows] == pytest.approx(expected)


def test_it_is_sorted_as_asked_for(board: pd.DataFrame) -> None:
    page = opened("Leaderboard")
    page.selectbox(key="sorted").set_value("brier").run()
    expected = board.sort_values("brier", kind="stable", na_position="last")
    assert [row[1:4] for row in rows_of(page)] == expected[FIRST].to_numpy().tolist()


def test_filters_leave_what_was_picked(board: pd.DataFrame) -> None:
    page = opened("Leaderboard")
    page.multiselect(key="filter-classifier").set_value(["lda"]).run()
    assert len(rows_of(page)) == (board["classifier"] == "lda").sum() == 2
    page.multiselect(key="filter-selector").set_value(["none"]).run()
    assert len(rows_of(page)) == 1


def test_shortcuts_can_be_left_out(board: pd.DataFrame) -> None:
    page = opened("Leaderboard")
    assert (board["kind"] == "shortcut").any()
    page.checkbox[1].uncheck().run()
    assert len(rows_of(page)) == (board["kind"] == "combination").sum()


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
    page = opened("Wrong pictures")
    page.selectbox(key="wrong").set_value(int(board["rank"].notna().sum()) - 1).run()
    assert len(wrong) > 0
    assert page.caption[0].value.startswith(f"{wrong['image_id'].nunique():,} pictures")
    assert drawn(page).count("<figure>") == min(wrong["image_id"].nunique(), 24)
    label = wrong["label"].iloc[0]
    page.selectbox(key="wrong-label").set_value(label).run()
    assert page.caption[0].value.startswith(f"{wrong.loc[wrong['label'] == label, 'image_id'].nunique():,} pictures")


def test_two_side_by_side_count_who_is_right(board: pd.DataFrame, told: pd.DataFrame) -> None:
    ranked = board[board["rank"].notna()]
    last = len(ranked) - 1
    page = opened("Side by side", second=last)
    one, two = (of(told, ranked.iloc[place]).set_index("image_id") for place in (0, last))
    right = (one["label"] == one["predicted"], two["label"] == two["predicted"].reindex(one.index))
    html = drawn(page)
    assert f"both right</th><td>{(right[0] & right[1]).sum():,}<" in html
    assert f"only the first right</th><td>{(right[0] & ~right[1]).sum():,}<" in html
    assert f"only the second right</th><td>{(~right[0] & right[1]).sum():,}<" in html
    assert f"both wrong</th><td>{(~right[0] & ~right[1]).sum():,}<" in html
    page.selectbox(key="second").set_value(0).run()
    assert "Choose two that differ" in drawn(page)


def test_a_picture_that_is_gone_leaves_its_place(results: Path, tmp_path: Path) -> None:
    from leukobench.app.one_run import thumbnail

    assert thumbnail(str(tmp_path / "gone.jpg")) is None
    path = pd.read_parquet(results / "small" / "images.parquet")["path"].iloc[0]
    assert (thumbnail(path) or b"").startswith(b"\xff\xd8")

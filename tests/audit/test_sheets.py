"""Contact sheets show the worst pairs first, turned back; the summary says in words what was found."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from leukobench.audit.sheets import draw_sheets
from leukobench.audit.summary import summarise
from leukobench.config.experiment_file import for_folder
from leukobench.images.synthetic import draw_image
from leukobench.pipeline import audit_images

from .planting import ALIKE, FILE, NEAR, PIXELS, compared, listed, written

THUMB, GAP, PAIR_WIDTH, PAIR_HEIGHT, PER_SHEET = 180, 8, 392, 266, 12


def colours(folder: Path, count: int) -> list[str]:
    """Pictures of one colour each, by which a place on a sheet tells which picture it shows."""
    paths = []
    for number in range(count):
        path = folder / f"{number:03d}.png"
        Image.new("RGB", (50, 50), colour(number)).save(path)
        paths.append(str(path))
    return paths


def colour(number: int) -> tuple[int, int, int]:
    return (3 * number, 255 - 4 * number, 128)


def pairs(paths: list[str], **columns: Any) -> pd.DataFrame:
    """Each path beside itself."""
    table = pd.DataFrame({"kind": NEAR, "path_a": paths, "path_b": paths, "label_a": "a", "label_b": "a"})
    table = table.assign(similarity=0.9, turned=0.0, mirrored=False)
    table = table.assign(**columns)
    return table.assign(labels_differ=table["label_a"] != table["label_b"])


def thumbs(sheet: Image.Image, position: int) -> tuple[np.ndarray, np.ndarray]:
    """The two pictures of the pair at a position."""
    x, y = (position % 3) * PAIR_WIDTH + GAP, (position // 3) * PAIR_HEIGHT + GAP
    both = [sheet.crop((left, y, left + THUMB, y + THUMB)) for left in (x, x + THUMB + GAP)]
    return np.asarray(both[0]), np.asarray(both[1])


def shown(path: Path, position: int) -> tuple[int, ...]:
    with Image.open(path) as sheet:
        middles = {tuple(map(int, side[90, 90])) for side in thumbs(sheet, position)}
    assert len(middles) == 1
    return middles.pop()


@pytest.mark.parametrize(
    ("count", "limit", "sheets"), [(0, 4, 0), (1, 4, 1), (12, 4, 1), (13, 4, 2), (40, 2, 2), (5, 0, 0)]
)
def test_sheets_hold_twelve_pairs_in_the_order_of_the_table_up_to_the_limit(
    tmp_path: Path, count: int, limit: int, sheets: int
) -> None:
    table = pairs(colours(tmp_path, count))
    made = draw_sheets(table, tmp_path / "sheets", limit)
    assert [path.name for path in made] == [f"copies-{number + 1}.png" for number in range(sheets)]
    for number in range(min(count, limit * PER_SHEET)):
        assert shown(made[number // PER_SHEET], number % PER_SHEET) == colour(number)


def test_a_sheet_is_a_png_no_larger_than_its_pairs_need(tmp_path: Path) -> None:
    paths, sizes = colours(tmp_path, 14), []
    for count in (1, 2, 3, 4, 14):
        draw_sheets(pairs(paths[:count]), tmp_path / f"{count:02d}", 4)
    for path in sorted(tmp_path.glob("*/*.png")):
        with Image.open(path) as sheet:
            assert (sheet.format, sheet.mode) == ("PNG", "RGB")
            sizes.append((sheet.width / PAIR_WIDTH, sheet.height / PAIR_HEIGHT))
    assert sizes == [(1, 1), (2, 1), (3, 1), (3, 2), (3, 4), (2, 1)]


def test_sheets_of_an_earlier_audit_are_removed_and_other_files_are_not(tmp_path: Path) -> None:
    table, folder = pairs(colours(tmp_path, 30)), tmp_path / "sheets"
    assert len(draw_sheets(table, folder, 4)) == 3
    (folder / "mine.png").write_bytes(b"mine")
    assert len(draw_sheets(table[:2], folder, 4)) == 1
    assert sorted(path.name for path in folder.iterdir()) == ["copies-1.png", "mine.png"]
    assert draw_sheets(table[:0], folder, 4) == []
    assert [path.name for path in folder.iterdir()] == ["mine.png"]


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("quarters", [0, 1, 2, 3])
def test_the_second_picture_is_shown_as_the_first_one_lies(tmp_path: Path, quarters: int, mirrored: bool) -> None:
    first = draw_image(0, 4, 1, 96)[0]
    second = np.rot90(first[:, ::-1] if mirrored else first, quarters)
    copies = compared(listed(tmp_path, {"a.png": written(first, compress_level=1), "b.png": written(second)}))
    with Image.open(draw_sheets(copies, tmp_path, 1)[0]) as sheet:
        one, other = (side.astype(float) for side in thumbs(sheet, 0))
    assert np.abs(one - other)[5:-5, 5:-5].mean() < 1
    assert np.corrcoef(one.ravel(), np.rot90(other).ravel())[0, 1] < 0.9


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("turned", [0, 40, 90])
def test_a_part_of_the_first_picture_is_shown_where_it_lies(tmp_path: Path, turned: int, mirrored: bool) -> None:
    first = Image.fromarray(draw_image(0, 4, 1, 400)[0]).resize((400, 320))
    part = first.crop((140, 100, 300, 260))  # a fifth of the first, 20 to the right and 20 below its middle
    part = part.rotate(-turned, Image.Resampling.BICUBIC)
    part = part.transpose(Image.Transpose.FLIP_TOP_BOTTOM) if mirrored else part
    first.save(tmp_path / "a.png")
    part.save(tmp_path / "b.png")
    paths = {"path_a": str(tmp_path / "a.png"), "path_b": str(tmp_path / "b.png")}
    placed = {"turned": float(turned), "mirrored": mirrored, "zoom": 5**0.5, "shift_x": 20 / 400, "shift_y": 20 / 320}
    sheets = draw_sheets(pairs([paths["path_a"]], **paths, **placed), tmp_path, 1)
    with Image.open(sheets[0]) as sheet:
        one, other = (side[72:130, 72:130].astype(float) for side in thumbs(sheet, 0))
    assert np.abs(one - other).mean() < 6
    assert np.abs(one - np.roll(other, 8, axis=1))[:, 8:].mean() > 6


def test_pairs_that_look_alike_have_sheets_of_their_own(tmp_path: Path) -> None:
    table = pairs(colours(tmp_path, 3), kind=[ALIKE, NEAR, ALIKE], similarity=[0.5, 0.9, np.nan])
    table = table.assign(grouped=table["kind"] == NEAR, reason=["looks alike", "", "looks alike"])
    sheets = draw_sheets(table, tmp_path / "sheets", 4)
    assert [sheet.name for sheet in sheets] == ["copies-1.png", "looks-alike-1.png"]
    assert [shown(sheets[0], 0), shown(sheets[1], 0), shown(sheets[1], 1)] == [colour(1), colour(0), colour(2)]
    assert draw_sheets(table[:0], tmp_path / "sheets", 4) == []
    assert list((tmp_path / "sheets").iterdir()) == []


def test_pairs_that_hold_a_group_together_are_shown_before_those_that_do_not(tmp_path: Path) -> None:
    paths = colours(tmp_path, 5)
    ends = [(0, 1, 0.7), (1, 2, 0.8), (0, 2, 0.9), (3, 4, 0.95)]
    columns = {f"path_{side}": [paths[end[place]] for end in ends] for place, side in enumerate("ab")}
    table = pairs(paths[:4], **columns, similarity=[similarity for *_, similarity in ends])
    [sheet] = draw_sheets(table, tmp_path / "sheets", 1)
    with Image.open(sheet) as drawn:
        firsts = [tuple(map(int, thumbs(drawn, position)[0][90, 90])) for position in range(4)]
    assert firsts == [colour(number) for number in (1, 0, 3, 0)]


def ink(path: Path, position: int) -> np.ndarray:
    """The caption of a pair."""
    with Image.open(path) as sheet:
        x, y = (position % 3) * PAIR_WIDTH, (position // 3) * PAIR_HEIGHT + GAP + THUMB
        return np.asarray(sheet.crop((x, y, x + PAIR_WIDTH, y + PAIR_HEIGHT - GAP - THUMB))).astype(int)


def test_different_labels_are_red(tmp_path: Path) -> None:
    table = pairs(colours(tmp_path, 2), label_b=["b", "a"])
    sheet = draw_sheets(table, tmp_path, 1)[0]
    red = [(ink(sheet, position)[..., 0] - ink(sheet, position)[..., 2]).max() for position in (0, 1)]
    assert red[0] > 100
    assert red[1] < 20


@pytest.mark.parametrize(
    ("column", "same", "other"),
    [("turned", [0.0, 359.0], 90.0), ("mirrored", [False, False], True), ("kind", [NEAR, NEAR], FILE)],
)
def test_captions_tell_kind_turn_and_mirror(tmp_path: Path, column: str, same: list[Any], other: Any) -> None:
    [path] = colours(tmp_path, 1)
    sheet = draw_sheets(pairs([path] * 3, **{column: [*same, other]}), tmp_path, 1)[0]
    captions = [ink(sheet, position) for position in range(3)]
    assert (captions[0] < 200).any()
    np.testing.assert_array_equal(captions[0], captions[1])
    assert (captions[0] != captions[2]).any()


def test_unreadable_files_long_names_and_foreign_letters_do_not_stop_a_sheet(tmp_path: Path) -> None:
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    names = [str(tmp_path / "broken.png"), str(tmp_path / "absent.png"), str(tmp_path / ("x" * 200 + ".png"))]
    table = pairs(names, label_a="lymphoblast " * 30, label_b="白血病 żółć")
    [made] = draw_sheets(table, tmp_path, 1)
    assert [shown(made, position) for position in range(3)] == [(228, 231, 235)] * 3
    captions = ink(made, 0)
    assert (captions[:, THUMB + GAP : THUMB + 2 * GAP] > 200).all(), "a name runs into the one beside it"


@pytest.mark.parametrize("size", [(1, 1), (2, 390), (900, 30), (3, 2)])
def test_pictures_of_any_shape_are_shown(tmp_path: Path, size: tuple[int, int]) -> None:
    Image.new("RGB", size, (200, 10, 20)).save(tmp_path / "a.png")
    [made] = draw_sheets(pairs([str(tmp_path / "a.png")]), tmp_path / "sheets", 1)
    assert shown(made, 0) == (200, 10, 20)


@pytest.mark.slow
def test_the_audit_leaves_sheets_and_tables_with_documented_columns(tmp_path: Path) -> None:
    for number in range(12):
        folder = tmp_path / "images" / ("one", "two")[number % 2]
        folder.mkdir(parents=True, exist_ok=True)
        picture = draw_image(number, 12, 4, 96)[0]
        (folder / f"{number}.png").write_bytes(written(picture))
        if number in (3, 4):
            (folder / f"{number}-turned.png").write_bytes(written(np.rot90(picture)))
    said = for_folder(tmp_path / "images", results=tmp_path / "results")
    folder, summary = audit_images(said, workers=1)
    copies = pd.read_parquet(folder / "audit" / "copies.parquet")
    sides = [f"{name}_{side}" for name in ("row", "image_id", "path", "label") for side in "ab"]
    assert list(copies) == [
        "kind",
        *sides,
        "similarity",
        "turned",
        "mirrored",
        "zoom",
        "shift_x",
        "shift_y",
        "labels_differ",
        "decision",
        "grouped",
        "reason",
    ]
    assert copies["kind"].tolist() == [PIXELS, PIXELS]
    assert (copies["image_id_a"].str.len() == 64).all()
    assert copies["similarity"].dtype == np.float64
    assert copies["labels_differ"].dtype == copies["mirrored"].dtype == np.bool_
    [sheet] = (folder / "audit" / "sheets").iterdir()
    with Image.open(sheet) as picture:
        assert picture.size == (2 * PAIR_WIDTH, PAIR_HEIGHT)
    columns = ["row", "image_id", "label", "patient", "path", "copies", "group"]
    assert list(pd.read_parquet(folder / "images.parquet")) == columns
    assert summary["identical_pixels"] == summary["clusters"] == 2
    for name in ("3-turned.png", "4-turned.png"):
        next((tmp_path / "images").rglob(name)).unlink()
    folder, _ = audit_images(said, workers=1)
    assert pd.read_parquet(folder / "audit" / "copies.parquet").empty
    assert list((folder / "audit" / "sheets").iterdir()) == []


# The summary.

IDS = [f"{number:02d}" for number in range(8)]
NOTHING = pd.DataFrame(columns=["fact", "a", "b", "separation", "verdict"])


def summary_of(found: list[tuple[str, int, int]], labels: str, differences: pd.DataFrame = NOTHING) -> dict[str, Any]:
    """Summary of eight images of these labels; copies are kind and two numbers."""
    images = pd.DataFrame({"image_id": IDS, "label": list(labels), "path": IDS})
    rows = [(kind, IDS[a], IDS[b]) for kind, a, b in found]
    copies = pd.DataFrame(rows, columns=["kind", "image_id_a", "image_id_b"]).assign(grouped=True, reason="")
    return summarise(images, copies.astype({"grouped": bool}), differences)


def test_no_copies_are_said_in_three_words() -> None:
    found = summary_of([], "aaaabbbb")
    assert found["words"] == "Copies: none found."
    assert found["lines"] == ["Copies: none found.", "No file fact or colour differs between the classes by much."]
    assert found["warnings"] == []
    assert [found[name] for name in ("identical_files", "near_duplicates", "clusters", "label_conflicts")] == [0] * 4


def test_copies_are_counted_by_kind_and_by_picture() -> None:
    found = summary_of([(FILE, 0, 1), (NEAR, 1, 2), (NEAR, 3, 0), (PIXELS, 4, 5), (NEAR, 6, 7)], "aaaabbbb")
    assert found["words"] == (
        "Copies: 1 identical file, 1 file with identical pixels, 3 near-duplicates (whole or in part); "
        "3 images occur more than once, none under more than one label. Copies share a group."
    )
    assert [found[name] for name in ("identical_files", "identical_pixels", "near_duplicates")] == [1, 1, 3]
    assert (found["clusters"], found["label_conflicts"], found["warnings"]) == (3, 0, [])


@pytest.mark.parametrize(
    ("labels", "count", "said"),
    [
        ("aabbaabb", 1, "1 image has more than one label"),
        ("abcaabaa", 2, "2 images have more than one label"),
    ],
)
def test_pictures_under_several_labels_are_warned_of(labels: str, count: int, said: str) -> None:
    found = summary_of([(FILE, 0, 1), (NEAR, 1, 2), (PIXELS, 4, 5), (NEAR, 6, 7)], labels)
    assert found["label_conflicts"] == count
    assert f"{count} under more than one label" in found["words"]
    assert found["warnings"][0].startswith(said)
    assert len(found["warnings"]) == 1


def test_the_five_strongest_facts_have_a_line_each_with_a_value_for_every_class() -> None:
    verdicts = ["differs strongly between classes"] * 4 + ["differs between classes"] * 3 + ["much the same"]
    rows = [(f"fact {n}", f"{n}", f"{10 * n}", 0.9 - n / 10, verdict) for n, verdict in enumerate(verdicts)]
    rows.append(("fact 8", "1", "1", 0.0, "the same everywhere"))
    lines = summary_of([], "aaaabbbb", pd.DataFrame(rows, columns=list(NOTHING)))["lines"][1:]
    assert len(lines) == 5
    assert lines[1] == "fact 1 differs strongly between classes (separation 0.80): a 1, b 10"
    assert lines[4] == "fact 4 differs between classes (separation 0.50): a 4, b 40"


def test_a_sheet_of_the_same_pairs_stays_and_any_other_is_drawn_anew(tmp_path: Path) -> None:
    table, folder = pairs(colours(tmp_path, 3)), tmp_path / "sheets"
    [sheet] = draw_sheets(table, folder, 1)
    drawn, age = sheet.read_bytes(), sheet.stat().st_mtime_ns
    assert draw_sheets(table, folder, 1)[0].stat().st_mtime_ns == age
    for spoil in (lambda: draw_sheets(table[:2], folder, 1), lambda: sheet.write_bytes(drawn[:40])):
        spoil()
        assert sheet.read_bytes() != drawn
        draw_sheets(table, folder, 1)
        assert sheet.read_bytes() == drawn

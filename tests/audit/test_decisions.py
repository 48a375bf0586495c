"""A person's table of decisions: read as spreadsheets save it, refused in words where it cannot be used."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from leukobench.audit.decisions import read_decisions, with_decisions
from leukobench.errors import ConfigurationError

from .test_clusters import images_of, pairs_of

IMAGES = images_of(9)
COLUMNS = ["image_id_a", "image_id_b", "path_a", "path_b", "decision"]


def table(folder: Path, *rows: tuple[str, ...], name: str = "copies.csv", **settings: Any) -> Path:
    written = pd.DataFrame(rows, columns=COLUMNS)
    path = folder / name
    if name.endswith(".parquet"):
        written.to_parquet(path, index=False)
    else:
        written.to_csv(path, index=False, **settings)
    return path


def decided(path: Path) -> dict[tuple[str, str], str]:
    return read_decisions(path).of(IMAGES, Path("/images"))


@pytest.mark.parametrize(
    "settings",
    [{}, {"sep": ";"}, {"sep": "\t", "lineterminator": "\r\n"}, {"encoding": "utf-8-sig"}, {"name": "copies.parquet"}],
)
def test_a_table_is_read_as_it_is_saved_and_pairs_join_by_id_then_by_path(
    tmp_path: Path, settings: dict[str, Any]
) -> None:
    path = table(
        tmp_path,
        ("002", "001", "/renamed/x.png", "", " Same "),
        ("", "", "/images/003.png", "004.png", "DIFFERENT"),
        ("005", "006", "", "", ""),
        ("absent", "gone", "", "", ""),
        ("unknown", "008", "/images/007.png", "", "same"),
        **settings,
    )
    assert decided(path) == {("001", "002"): "same", ("003", "004"): "different", ("007", "008"): "same"}


def test_names_that_a_spreadsheet_would_run_come_back(tmp_path: Path) -> None:
    images = IMAGES.assign(path=["/images/=1+1.png", *IMAGES["path"][1:]])
    (tmp_path / "copies.csv").write_text("path_a,path_b,decision\n'=1+1.png,001.png,same\n")
    assert read_decisions(tmp_path / "copies.csv").of(images, Path("/images")) == {("000", "001"): "same"}


def test_names_of_columns_may_be_capital_and_further_ones_there(tmp_path: Path) -> None:
    (tmp_path / "copies.csv").write_text('Decision,note,Path_A,Path_B\nsame,"a\nb",001.png,002.png\n,,,\n')
    assert decided(tmp_path / "copies.csv") == {("001", "002"): "same"}


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([("001", "002", "", "", "maybe")], "unknown decisions.*same, different, or nothing.*line 2: maybe"),
        ([("001", "gone", "", "/x/gone.png", "same")], "images that are not there.*line 2: /x/gone.png"),
        ([("001", "002", "", "", "same"), ("002", "001", "", "", "different")], "contradicts itself.*line 3.*same"),
        ([("001", "001", "", "", "different")], "contradicts itself.*line 2: the same file twice"),
        (
            [("001", "002", "", "", "same"), ("002", "003", "", "", "same"), ("001", "003", "", "", "different")],
            "contradicts itself.*001 and 003 are called different",
        ),
    ],
)
def test_a_table_that_cannot_be_followed_is_refused(tmp_path: Path, rows: list[tuple[str, ...]], words: str) -> None:
    with pytest.raises(ConfigurationError, match=f"(?s){words}"):
        decided(table(tmp_path, *rows))


def test_images_that_are_left_out_need_no_decision(tmp_path: Path) -> None:
    path = table(tmp_path, ("001", "gone", "", "/x/gone.png", "same"), ("003", "004", "", "", "same"))
    assert read_decisions(path).of(IMAGES, tmp_path, {"/x/gone.png"}) == {("003", "004"): "same"}


def test_images_that_are_not_there_may_be_passed_over(tmp_path: Path) -> None:
    path = table(tmp_path, ("001", "gone", "", "", "same"), ("001", "002", "", "", "same"))
    assert read_decisions(path).of(IMAGES, tmp_path, strict=False) == {("001", "002"): "same"}


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("copies.csv", None, "cannot be read.*No such file"),
        ("copies.csv", b"", "lacks columns"),
        ("copies.csv", b"image_id_a,image_id_b\n1,2\n", "lacks columns.*expected: decision.*received: image_id_a"),
        ("copies.csv", b"path_a,decision\nx,same\n", "lacks columns"),
        ("copies.parquet", b"PAR1 no parquet", "cannot be read"),
        ("copies.csv", b"\x89PNG\r\n\x1a\n\x00\x01", "lacks columns"),
    ],
)
def test_a_file_that_is_no_such_table_is_refused(tmp_path: Path, name: str, content: bytes | None, words: str) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(ConfigurationError, match=f"(?s){words}"):
        read_decisions(tmp_path / name)


def test_decisions_fill_the_table_of_pairs_and_add_the_pairs_that_it_lacks() -> None:
    pairs = pairs_of(("001", "002"), ("004", "003")).drop(columns="decision")
    pairs = pairs.assign(turned=0.0, mirrored=False, zoom=1.0, shift_x=0.0, shift_y=0.0, labels_differ=False)
    filled = with_decisions(
        pairs, {("003", "004"): "different", ("005", "006"): "same", ("007", "zzz"): "same"}, IMAGES
    )
    assert filled["decision"].tolist() == ["", "different", "same"]
    assert filled.loc[2, ["image_id_a", "path_b", "kind"]].tolist() == ["005", "/images/006.png", "looks alike"]
    assert np.isnan(filled.loc[2, "similarity"])
    assert filled.dtypes[pairs.columns].equals(pairs.dtypes)
    empty = with_decisions(pairs[:0], {("005", "006"): "same"}, IMAGES)
    assert empty["decision"].tolist() == ["same"]


def test_a_path_that_a_spreadsheet_would_run_is_the_path_that_it_was(tmp_path: Path) -> None:
    images = IMAGES.assign(path=[f"/images/={name}.png" for name in IMAGES["image_id"]])
    path = table(tmp_path, ("", "", "'=001.png", "=002.png", "same"))
    assert read_decisions(path).of(images, Path("/images")) == {("001", "002"): "same"}

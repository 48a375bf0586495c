"""Given splits: names of parts, folds, and what cannot be a split."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from leukobench.errors import ImagesError
from leukobench.images.index import index_images
from leukobench.images.splits import check_parts, given_folds, given_parts, part_of

from .trees import PRELIMINARY, write_image, write_tree


@pytest.mark.parametrize(
    ("part", "names"),
    [
        ("train", "train Training TRAIN_SET train-2 my_train trainset"),
        ("validation", "val valid Validation validate dev val_data"),
        ("test", "test Testing test_set holdout hold-out TestA TestB test_prelim"),
        ("", "eval fold_0 0 trainer contest latest train_test all unused"),
    ],
)
def test_names_of_parts(part: str, names: str) -> None:
    assert {name: part_of(name) for name in [*names.split(), ""]} == dict.fromkeys(names.split(), part) | {"": ""}


def table(**columns: Any) -> pd.DataFrame:
    return pd.DataFrame(columns, dtype="str")


def test_parts_come_from_the_column_split_and_folds_alone_are_for_training() -> None:
    images = table(label=list("abab"), split=["Train", "train", "VAL", "test"])
    assert given_parts(images).tolist() == ["train", "train", "validation", "test"]
    assert given_parts(table(fold=["0", "1"])).tolist() == ["train", "train"]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"label": ["a"]}, "have no given split"),
        ({"split": ["train", "", "test"]}, "1 images are in no part of the given split"),
        ({"split": ["0", "1", "1"]}, "belongs into the column fold"),
        ({"split": ["train", "eval"]}, "'eval'"),
    ],
)
def test_what_is_no_split_is_refused_in_words(columns: dict[str, list[str]], message: str) -> None:
    with pytest.raises(ImagesError, match=message):
        given_parts(table(**columns))


@pytest.mark.parametrize(
    ("folds", "message"),
    [
        (["0", "0", "1", ""], "1 of 4 images for training have no given fold"),
        (["0", "0", "0", "0"], "one given fold alone"),
        (["0", "1", "1", "1"], "one given fold alone for b"),
    ],
)
def test_folds_that_cannot_be_tested_are_refused(folds: list[str], message: str) -> None:
    with pytest.raises(ImagesError, match=message):
        given_folds(table(label=list("aabb"), fold=folds))


def test_folds_are_taken_as_they_are_and_empty_ones_are_none() -> None:
    assert given_folds(table(label=list("abab"), fold=["x", "x", "y", "y"])) == ("x", "x", "y", "y")
    assert given_folds(table(label=list("ab"), fold=["", ""])) == () == given_folds(table(label=["a"]))


def test_a_part_needs_every_class_and_the_test_part_more_than_one_patient() -> None:
    parts, groups = np.array(["train", "train", "train", "test", "test"]), np.array([0, 1, 2, 3, 4])
    check_parts(list("abaab"), parts, groups, known=True)
    with pytest.raises(ImagesError, match="no image of c in the given test part") as refused:
        check_parts(list("abcab"), parts, groups, known=True)
    assert "a 1, b 1, c 0" in str(refused.value)
    with pytest.raises(ImagesError, match="no image of b in the given train part"):
        check_parts(list("aaaab"), parts, groups, known=True)
    with pytest.raises(ImagesError, match="no image of b in the given validation part"):
        check_parts(list("abaab"), np.array(["train", "train", "validation", "test", "test"]), groups, known=True)
    for known, whose in ((True, "patient"), (False, "image and its copies")):
        with pytest.raises(ImagesError, match=f"test part is all of one {whose}"):
            check_parts(list("abaab"), parts, np.array([0, 1, 2, 3, 3]), known)


@pytest.mark.parametrize(("folders", "column"), [("train test", "split"), ("fold_0 fold_1", "fold")])
def test_folders_above_names_of_a_known_data_set_are_read_with_split_alone(
    tmp_path: Any, folders: str, column: str
) -> None:
    for number, folder in enumerate(folders.split()):
        for label in ("Benign", "Pro"):
            write_image(tmp_path / "images" / folder / label / f"synthetic-P0{number}_000{len(label)}.jpg", 10 * number)
            write_image(tmp_path / "images" / folder / label / f"synthetic-P0{number}_100{len(label)}.jpg", 5 + number)
    images = index_images(tmp_path / "images", split=True).images
    assert sorted(set(images[column])) == sorted(folders.split())
    assert column not in index_images(tmp_path / "images").images


def test_cnmc_as_it_is_unpacked_has_its_folds_and_the_preliminary_set_as_test(tmp_path: Any) -> None:
    folder = write_tree(tmp_path, "cnmc_challenge")
    for number in range(1, 13):  # the final set numbers its images alike, and has no labels
        write_image(folder / "testing_data" / "C-NMC_test_final_phase_data" / f"{number}.bmp", 100 + number)
    for fold in range(3):
        for cell in range(10):
            write_image(
                folder / "training_data" / f"fold_{fold}" / "all" / f"UID_{fold}_{cell}_1_all.bmp",
                200 + 10 * fold + cell,
            )
    images = index_images(folder, split=True).images
    tested = images[images["split"] == "test"]
    assert sorted(tested["patient"]) == ["57", "57", "H26"]
    assert set(images["fold"][images["split"] == "train"]) == {"fold_0", "fold_1", "fold_2"}
    assert set(tested["fold"]) == {""}
    assert len(PRELIMINARY.splitlines()) - 1 == len(tested)
    assert index_images(folder).layout == "cnmc"  # the test part stays out of folds that are drawn
    assert "split" not in index_images(folder).images

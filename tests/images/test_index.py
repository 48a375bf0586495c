"""The index knows images by their content, and its ledger knows every other file."""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leukobench.errors import ConfigurationError, ImagesError
from leukobench.images import identification
from leukobench.images.groups import clusters
from leukobench.images.index import ImageIndex, index_images

from .trees import write_image

CLASSES = ["blast", "normal"]


@pytest.fixture
def folder(tmp_path):
    for number in range(6):
        write_image(tmp_path / "root" / CLASSES[number % 2] / f"patient{number // 2}" / f"{number}.png", number)
    return tmp_path / "root"


def reasons(index, folder):
    return {path[len(str(folder)) + 1 :]: reason for path, reason in index.ledger.itertuples(index=False)}


def test_columns_are_text_and_sorted_by_content(folder):
    index = index_images(folder)
    assert set(index.images.columns) == {"image_id", "label", "patient", "path"}
    assert index.images["image_id"].is_monotonic_increasing
    first = index.images.iloc[0]
    assert first["image_id"] == hashlib.sha256(Path(first["path"]).read_bytes()).hexdigest()
    assert os.path.isabs(first["path"])
    assert len(index) == 6


@pytest.mark.slow
@settings(deadline=None, max_examples=40)
@given(names=st.lists(st.text("abcXYZ0189 -é", min_size=1, max_size=12), min_size=6, max_size=6, unique_by=str.lower))
def test_renaming_and_moving_files_changes_nothing(names, tmp_path_factory):
    root = tmp_path_factory.mktemp("renamed")
    for number, name in enumerate(names):
        copies = 0 if number == 3 else number  # 0 and 3 hold the same bytes, under two patients and two labels
        write_image(root / "before" / CLASSES[number % 2] / f"P{number // 2}" / f"{number}.png", copies)
        write_image(root / "after" / CLASSES[number % 2] / f"P{number // 2}" / name / f"{name}.png", copies)
    before, after = (index_images(root / name, group=r"/P(\d)/") for name in ("before", "after"))
    facts = ["image_id", "label", "patient"]
    assert before.images[facts].equals(after.images[facts])
    assert before.group.tolist() == after.group.tolist()
    shutil.rmtree(root)


def test_groups_join_patients_and_copies(folder):
    shutil.copy(folder / "blast" / "patient0" / "0.png", folder / "normal" / "patient2" / "copy.png")
    index = index_images(folder, group=r"(patient\d)")
    groups = dict(zip(index.images["path"].map(os.path.basename), index.group, strict=True))
    assert groups["0.png"] == groups["1.png"] == groups["copy.png"] == groups["5.png"]
    assert groups["2.png"] == groups["3.png"] != groups["0.png"]
    assert sorted(set(index.group)) == [0, 1]
    assert index.group[0] == 0


def test_without_patients_every_content_is_a_group(folder):
    shutil.copy(folder / "blast" / "patient0" / "0.png", folder / "blast" / "copy.png")
    index = index_images(folder)
    assert index.patients == "none"
    assert index.group.max() == 5
    assert index.counts().to_dict("index") == {
        "blast": {"images": 4, "distinct": 3, "groups": 3},
        "normal": {"images": 3, "distinct": 3, "groups": 3},
    }


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from(["", "x", "y", "z"])), min_size=1))
def test_clusters_are_the_chains_of_equal_keys(pairs):
    first, second = (np.array(column, dtype=object) for column in zip(*pairs, strict=True))
    numbers = clusters(first, second)
    expected = np.arange(len(pairs))
    for _ in pairs:
        for i, (a, b) in enumerate(pairs):
            same = np.array([a == c or (b == d != "") for c, d in pairs])
            expected[i] = expected[same].min()
    assert [list(numbers).index(number) for number in numbers] == expected.tolist()
    assert numbers.dtype == np.int64
    assert numbers.max() + 1 == len(set(numbers.tolist()))


def test_the_same_content_under_two_labels_is_kept_and_told(folder):
    assert len(index_images(folder).conflicts()) == 0
    shutil.copy(folder / "blast" / "patient0" / "0.png", folder / "normal" / "copy.png")
    index = index_images(folder)
    assert index.conflicts()["label"].tolist() == CLASSES
    assert len(index) == 7


def test_every_file_that_is_not_used_has_its_reason(folder):
    for path in (".DS_Store", "blast/Thumbs.db", "blast/.hidden.png", ".git/x.png", "list.csv", "README", "a/b.gif"):
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_bytes(b"x")
    (folder / "__MACOSX" / "blast").mkdir(parents=True)
    (folder / "__MACOSX" / "blast" / "1.png").write_bytes(b"x")
    (folder / "blast" / "empty.png").touch()
    write_image(folder / "stray.png", 7)
    assert reasons(index_images(folder), folder) == {
        ".DS_Store": "hidden file or folder",
        ".git/x.png": "hidden file or folder",
        "README": "not a supported image file (no extension)",
        "__MACOSX/blast/1.png": "left over from a macOS archive",
        "a/b.gif": "not a supported image file (.gif)",
        "blast/.hidden.png": "hidden file or folder",
        "blast/Thumbs.db": "not a supported image file (.db)",
        "blast/empty.png": "empty file",
        "list.csv": "not a supported image file (.csv)",
        "stray.png": "not in a class folder",
    }


def test_links_are_followed_once(folder, tmp_path):
    write_image(tmp_path / "elsewhere" / "7.png", 7)
    (folder / "aaa").symlink_to(folder / "blast")
    (folder / "blast" / "loop").symlink_to(folder)
    (folder / "more").symlink_to(tmp_path / "elsewhere")
    (folder / "blast" / "broken.png").symlink_to("nowhere.png")
    (folder / "blast" / "self.png").symlink_to("self.png")
    (folder / "blast" / "link.png").symlink_to(tmp_path / "elsewhere" / "7.png")
    os.mkfifo(folder / "blast" / "pipe.png")
    index = index_images(folder)
    assert index.counts()["images"].to_dict() == {"blast": 4, "more": 1, "normal": 3}
    assert reasons(index, folder) == {
        "aaa": "symbolic link to a folder that was already listed",
        "blast/broken.png": "broken symbolic link",
        "blast/loop": "symbolic link to a folder that was already listed",
        "blast/pipe.png": "not a regular file: named pipe",
        "blast/self.png": "cannot be read: Too many levels of symbolic links",
    }


def test_names_that_are_not_utf_8_are_refused_and_printable(folder):
    write_image(folder / "blast" / os.fsdecode(b"caf\xe9.png"), 7)
    write_image(folder / "normal" / "café.png", 8)
    index = index_images(folder)
    assert reasons(index, folder) == {"blast/caf\\xe9.png": "name is not valid UTF-8"}
    assert len(index) == 7


def test_a_folder_that_may_not_be_read_is_refused(folder, monkeypatch):
    def scandir(path):
        if Path(path).name == "patient1":
            raise PermissionError(13, "Permission denied")
        return real(path)

    real = os.scandir
    monkeypatch.setattr(os, "scandir", scandir)
    index = index_images(folder)
    assert reasons(index, folder) == {
        "blast/patient1": "folder cannot be read: Permission denied",
        "normal/patient1": "folder cannot be read: Permission denied",
    }
    assert len(index) == 4


def test_a_file_that_vanishes_while_it_is_identified_is_refused(folder, monkeypatch):
    def vanish(path):
        raise FileNotFoundError(2, "No such file or directory") if path.name == "3.png" else OSError(5, "I/O error")

    monkeypatch.setattr(identification, "file_digest", vanish)
    with pytest.raises(
        ImagesError, match="blast: 3 x cannot be opened: I/O error; normal: 2 x cannot be opened: I/O error, 1 x"
    ):
        index_images(folder)


def test_images_that_do_not_decode_move_to_the_ledger(folder):
    index = index_images(folder)
    one, other = index.images["image_id"][0], index.images["path"][4]
    smaller = index.without({one: "truncated", other: "not an image"})
    assert len(smaller) == 4
    assert one not in set(smaller.images["image_id"])
    assert sorted(smaller.ledger["reason"]) == ["not an image", "truncated"]
    assert len(smaller.group) == 4
    assert len(index.without({})) == len(index) == 6
    with pytest.raises(ImagesError, match="1 of the images"):
        index.without({"absent": "?"})


def test_labels_that_cannot_work_are_told_with_their_counts(folder):
    index = index_images(folder, group=r"(patient\d)")
    index.check(3)
    with pytest.raises(ImagesError, match="too small for 4 folds: blast, normal") as caught:
        index.check(4)
    assert "blast 3 images in 3 groups" in caught.value.received
    shutil.rmtree(folder / "normal")
    with pytest.raises(ImagesError, match="at least two classes") as caught:
        index_images(folder).check(2)
    assert "blast 3 images" in caught.value.received


def test_copies_do_not_make_a_class_large_enough(tmp_path):
    for number in range(10):
        write_image(tmp_path / "a" / f"{number}.png", number)
        write_image(tmp_path / "b" / f"{number}.png", 50 + number % 2)
    with pytest.raises(ImagesError, match="too small for 5 folds: b"):
        index_images(tmp_path).check(5)


def test_the_group_expression(folder):
    index = index_images(folder, group=r"(?P<other>[a-z]+)/(?P<patient>patient[01])")
    assert index.patients.startswith("regular expression")
    assert set(index.images["patient"]) == {"patient0", "patient1"}
    assert set(index.ledger["reason"]) == {"no patient: the regular expression for the group does not match"}
    assert len(index.ledger) == 2
    assert "2 of 6 images are left out" in index.warnings[0]
    assert "blast/patient2/4.png" in index.warnings[0]
    with pytest.raises(ConfigurationError, match="is invalid"):
        index_images(folder, group="(")
    with pytest.raises(ConfigurationError, match="no capture group"):
        index_images(folder, group=r"patient\d")


def test_a_group_expression_that_matches_nothing_shows_a_path(folder):
    with pytest.raises(ImagesError, match=r"finds a patient in no image\.\n.*such as in blast/patient0/0.png"):
        index_images(folder, group=r"case(\d)")


def test_a_group_expression_that_loses_a_class_is_refused(folder):
    with pytest.raises(ImagesError, match=r"in no image of blast\.\n.*such as in blast/patient0/0.png") as caught:
        index_images(folder, group=r"normal/patient(\d)")
    assert "--exclude-class blast" in caught.value.fix
    assert index_images(folder, group=r"normal/patient(\d)", exclude_classes=["blast"]).classes() == ["normal"]


@pytest.mark.parametrize("name", ["absent", "file.png"])
def test_a_path_that_holds_no_images_stops(tmp_path, name):
    (tmp_path / "file.png").touch()
    with pytest.raises(ImagesError, match="no images to index"):
        index_images(tmp_path / name)


def test_progress_counts_every_file(folder):
    seen = []
    index_images(folder, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(number, 6) for number in range(1, 7)]


def test_corrected_labels_are_those_of_a_folder_that_had_them(tmp_path: Path) -> None:
    for label, names in {"a": "xy", "b": "zw"}.items():
        (tmp_path / "wrong" / label).mkdir(parents=True)
        for name in names:
            (tmp_path / "wrong" / label / f"{name}.png").write_bytes(name.encode())
    index = index_images(tmp_path / "wrong")
    assert index.with_labels({}, "none.csv").digest() == index.digest()
    image_id = index.images.loc[index.images["path"].str.endswith("x.png"), "image_id"].item()
    corrected = index.with_labels({image_id: "b"}, "suspects.csv")
    shutil.copytree(tmp_path / "wrong", tmp_path / "right")
    shutil.move(tmp_path / "right" / "a" / "x.png", tmp_path / "right" / "b" / "x.png")
    assert corrected.digest() == index_images(tmp_path / "right").digest()
    assert corrected.whole_ledger()["reason"].tolist() == ["label corrected: a -> b (suspects.csv)"]


def test_a_ledger_that_is_not_published_has_no_unused_files():
    assert len(ImageIndex(pd.DataFrame(), pd.DataFrame(), "folders", "none").unused) == 0

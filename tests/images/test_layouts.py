"""The contract of every layout, on tiny copies of the public data sets, and what each one refuses."""

from __future__ import annotations

import pytest

from leukobench.errors import ImagesError, UnknownNameError
from leukobench.images.files import find_files
from leukobench.images.index import index_images
from leukobench.images.layouts import LAYOUTS, FolderLayout, find_layout, get_layout

from .trees import TREES, write_image, write_tree


def found(index, folder):
    return {
        str(row.path)[len(str(folder)) + 1 :]: (row.label, row.patient) for row in index.images.itertuples(index=False)
    }


@pytest.mark.parametrize("layout", LAYOUTS.names())
class TestEveryLayout:
    def test_reads_its_data_set(self, layout, tmp_path):
        folder = write_tree(tmp_path, layout)
        assert found(index_images(folder, layout), folder) == TREES[layout]

    def test_is_found_automatically(self, layout, tmp_path):
        folder = write_tree(tmp_path, layout)
        assert find_layout(folder) == layout
        assert index_images(folder).layout == layout

    def test_says_where_patients_come_from(self, layout, tmp_path):
        index = index_images(write_tree(tmp_path, layout))
        assert (index.patients != "none") == any(patient for _, patient in TREES[layout].values())

    def test_uses_or_refuses_every_file(self, layout, tmp_path):
        folder = write_tree(tmp_path, layout)
        write_image(folder / "stray" / "stray.png", 99)
        write_image(folder / "stray.png", 98)
        (folder / "notes.txt").write_text("hello")
        index = index_images(folder, layout)
        everything = sorted(str(path) for path in folder.rglob("*") if path.is_file())
        assert sorted([*index.images["path"], *index.ledger["path"]]) == everything
        assert (index.ledger["reason"] != "").all()

    def test_refuses_a_folder_without_images(self, layout, tmp_path):
        (tmp_path / "empty").mkdir()
        with pytest.raises(ImagesError):
            index_images(tmp_path / "empty", layout)


def test_every_layout_has_a_tree():
    assert sorted(LAYOUTS.names()) == sorted(TREES)


def test_an_unknown_layout_lists_the_known_ones(tmp_path):
    write_image(tmp_path / "a" / "1.png")
    with pytest.raises(UnknownNameError, match=r"folders.* or the meaning of each level of folders"):
        index_images(tmp_path, "folder")


def test_a_layout_of_ones_own_is_taken_by_its_dotted_name(tmp_path):
    write_image(tmp_path / "a" / "1.png")
    assert index_images(tmp_path, "leukobench.images.layouts:FolderLayout").classes() == ["a"]
    assert isinstance(get_layout("folders"), FolderLayout)


def test_cnmc_keeps_the_h_of_healthy_subjects(tmp_path):
    index = index_images(write_tree(tmp_path, "cnmc"))
    assert {"8", "H8"} <= set(index.images["patient"])
    assert index.group.max() == 3
    assert set(index.images["fold"]) == {"fold_0", "fold_1", "fold_2"}


def test_cnmc_refuses_names_that_contradict_their_folder(tmp_path):
    folder = write_tree(tmp_path, "cnmc")
    write_image(folder / "fold_0" / "hem" / "UID_2_1_1_all.bmp", 9)
    write_image(folder / "fold_0" / "all" / "UID_2_1_1_all(1).bmp", 10)
    assert len(index_images(folder).ledger) == 2


@pytest.mark.parametrize("second", ["Segmented", "original_copy"])
def test_two_trees_of_the_all_set_are_refused(tmp_path, second):
    folder = write_tree(tmp_path, "all")
    write_image(folder / second / "Pro" / "WBC-Malignant-Pro-001.jpg", 9)
    with pytest.raises(ImagesError, match="Original/ and Segmented/"):
        index_images(folder)
    assert len(index_images(folder / "Original")) == 4


def test_crops_and_originals_of_all_idb_are_refused_together(tmp_path):
    folder = write_tree(tmp_path, "allidb")
    write_image(folder / "ALL_IDB1" / "im" / "Im001_1.jpg", 9)
    with pytest.raises(ImagesError, match="ALL-IDB1"):
        index_images(folder)
    assert index_images(folder / "ALL_IDB1").classes() == ["ALL"]


def test_images_without_any_folder_fit_no_layout(tmp_path):
    write_image(tmp_path / "1.png")
    with pytest.raises(ImagesError, match="1 images directly in the folder"):
        find_layout(tmp_path)


def test_an_empty_folder_is_called_empty(tmp_path):
    (tmp_path / "a").mkdir()
    with pytest.raises(ImagesError, match="is empty"):
        find_layout(tmp_path)


def test_an_archive_without_images_is_to_be_unpacked(tmp_path):
    (tmp_path / "archive.zip").write_bytes(b"PK")
    with pytest.raises(ImagesError, match=r"unpack archive.zip first"):
        find_layout(tmp_path)


def test_the_preliminary_set_needs_one_file_a_row(tmp_path):
    folder = write_tree(tmp_path, "cnmc_preliminary")
    (folder / "C-NMC_test_prelim_phase_data" / "2.bmp").unlink()
    with pytest.raises(ImagesError, match=r"line 3: 0 files called 2.bmp"):
        index_images(folder)


def test_names_decide_nothing_that_the_index_would_not(tmp_path):
    files = find_files(write_tree(tmp_path, "folders"))
    rows = get_layout("folders").read(files).rows
    assert [row.path for row in rows] == sorted(TREES["folders"])

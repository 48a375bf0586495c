"""Folders whose top level is not the classes: read rightly where names leave no doubt, else every reading is named."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from leukobench.errors import ImagesError
from leukobench.images.files import FileList
from leukobench.images.index import index_images
from leukobench.images.levels import advice, kind_of
from leukobench.images.listing import read_layout

from .trees import write_image


def write(folder, paths):
    for number, path in enumerate(paths):
        write_image(folder / path, number)
    return folder


def tree(tops, classes, between=""):
    return [f"{top}/{between}{name}/{top}{name}{n}.png" for top in tops for name in classes for n in range(2)]


def read(paths, layout="auto", exclude_files=()):
    """What is read from files of these names; nothing has to be written for that."""
    files = FileList(Path("/absent"), tuple(sorted(paths)))
    listing = read_layout(files, layout, (), exclude_files)[1]
    return replace(listing, warnings=(*listing.warnings, *filter(None, [advice(listing)])))


def classes(listing):
    return sorted({row.label for row in listing.rows})


def options(error):
    return re.findall(r"--layout (\S+)|--exclude-files '?(.+?)'?  ", error.fix)


AMBIGUOUS = {
    "raabin": [*tree(["Train", "TestA"], ["Basophil", "Lymphocyte", "Neutrophil"]), *tree(["TestB"], ["Lymphocyte"])],
    "numbered": [*tree(["train"], ["cats", "dogs"]), "test1/1.png", "test1/2.png"],
    "doubled": [f"{top}/{path}" for top in ("seg_train", "seg_test") for path in tree([top], ["buildings", "sea"])],
    "folds": tree(["fold_0", "fold_1", "fold_2"], ["all", "hem"]),
    "magnifications": tree(["40X", "100X"], ["benign", "malignant"]),
    "patients": ["patient_1/blast/1.png", "patient_2/normal/1.png", "patient_3/blast/2.png"],
    "sites": tree(["Berlin", "Paris"], ["benign", "malignant", "other"]),
    "case": ["Berlin/Benign/1.png", "Berlin/Pro/1.png", "Paris/benign/2.png", "Paris/PRO/2.png"],
    "truth": ["photo/cat/1.png", "photo/dog/1.png", "truth/cat/1.png", "truth/dog/1.png"],
    "twice": ["yes/1.png", "no/1.png", "brain/yes/1.png", "brain/no/1.png"],
    "unlabelled": [*tree(["train"], ["cats", "dogs"]), "extra/1.png"],
    "splits_of_patients": tree(["train/patient_1", "test/patient_2"], ["blast", "normal"]),
    "inside": [f"data/{path}" for path in tree(["setA", "setB"], ["L1", "L2", "L3"])],
    "sites_of_splits": [f"{site}/{path}" for site in "AB" for path in tree(["train", "test"], ["cat", "dog"])],
    "sites_of_patients": [f"{site}/{path}" for site in "AB" for path in tree(["P01", "P02"], ["cat", "dog"])],
    "sites of unlike classes": [*tree(["SiteA"], ["ALL", "AML"]), *tree(["SiteB"], ["ALL", "normal"])],
    "patients of both": [*(f"Patient{n}/1.png" for n in range(3)), "Control1/1.png", "Control2/1.png"],
    "patients with their class": ["ALL_patient_1/1.png", "AML_patient_2/1.png"],
    "parts": ["HAM10000_images_part_1/1.png", "HAM10000_images_part_2/2.png"],
    "special": ["yes/1.png", "no/1.png", "[set] *a/yes/1.png", "[set] *a/no/1.png"],
    "ground truth": [*tree(["Main"], ["yes", "no"]), *tree(["Ground Truth"], ["yes", "no"])],
    "flat": ["train/1.png", "test/1.png"],
    "classes_like_splits": ["test_positive/1.png", "test_negative/1.png"],
}


@pytest.mark.parametrize("name", AMBIGUOUS)
def test_several_readings_are_asked_and_each_option_works(name):
    with pytest.raises(ImagesError, match="more than one way") as caught:
        read(AMBIGUOUS[name])
    assert options(caught.value)
    for shape, pattern in options(caught.value):
        listing = read(AMBIGUOUS[name], shape or "auto", [pattern] if pattern else [])
        assert listing.rows
        assert not pattern or classes(listing) == ["no", "yes"]
        assert not shape or set(classes(listing)) <= words_after(caught.value, shape)


def words_after(error, shape):
    line = next(line for line in error.fix.splitlines() if f"--layout {shape} " in line)
    return set(line.partition("classes: ")[2].partition(";")[0].split(", "))


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("raabin", "split/class"),
        ("doubled", "split/any/class"),
        ("folds", "fold/class"),
        ("magnifications", "magnification/class"),
        ("patients", "patient/class"),
        ("inside", "any/split/class"),
        ("splits_of_patients", "split/patient/class"),
        ("sites_of_splits", "group/split/class"),
        ("sites_of_patients", "split/patient/class"),
    ],
)
def test_the_likely_reading_comes_first(name, first):
    with pytest.raises(ImagesError) as caught:
        read(AMBIGUOUS[name])
    assert options(caught.value)[0][0] == first


def test_every_usual_reading_is_among_the_options():
    with pytest.raises(ImagesError) as caught:
        read(AMBIGUOUS["sites"])
    assert [shape for shape, _ in options(caught.value)] == ["split/class", "group/class", "site/class", "class"]


def test_versions_of_the_same_files_are_named_with_their_folder(tmp_path):
    with pytest.raises(ImagesError, match=re.escape(f"{tmp_path / 'photo'} ")):
        index_images(write(tmp_path, AMBIGUOUS["truth"]))
    assert index_images(tmp_path / "photo").classes() == ["cat", "dog"]


def test_the_top_level_becomes_a_column_or_the_patient(tmp_path):
    folder = write(tmp_path, AMBIGUOUS["raabin"])
    index = index_images(folder, "split/class")
    assert index.classes() == ["Basophil", "Lymphocyte", "Neutrophil"]
    assert index.table().groupby("split").size().to_dict() == {"TestA": 6, "TestB": 2, "Train": 6}
    grouped = index_images(folder, "group/class")
    assert grouped.group.max() + 1 == 3
    assert grouped.patients == "folder names, group/class"


UNAMBIGUOUS = {
    "usual": (["Benign/1.png", "Pro/1.png"], ["Benign", "Pro"]),
    "bccd": ([f"images/{path}" for path in tree(["TRAIN", "TEST", "TEST_SIMPLE"], ["EOSINOPHIL", "MONOCYTE"])],
             ["EOSINOPHIL", "MONOCYTE"]),
    "splits": (tree(["training_set", "Val"], ["a", "b"]), ["a", "b"]),
    "kaggle": ([f"{top}/{path}" for top in ("training_set", "test_set") for path in tree([top], ["cats", "dogs"])],
               ["cats", "dogs"]),
    "pbc": (["PBC_dataset_normal_DIB/basophil/BA_47.jpg", "PBC_dataset_normal_DIB/ig/MY_1.jpg"], ["basophil", "ig"]),
    "breakhis": ([f"breast/{c}/SOB/{t}/SOB_B_A_14-22549AB/{m}/1.png" for c, t in (("benign", "adenosis"), ("malignant",
                 "lobular")) for m in ("40X", "100X")], ["benign", "malignant"]),
    "patients below": (tree(["blast", "normal"], ["patient1", "P2"]), ["blast", "normal"]),
    "magnifications below": (tree(["blast", "normal"], ["40X", "100X"]), ["blast", "normal"]),
    "splits below": (tree(["blast", "normal"], ["train", "test"]), ["blast", "normal"]),
    "doubled": (["cat/cat/1.png", "dog/dog/2.png"], ["cat", "dog"]),
    "same single folder": (["a/images/1.png", "b/images/2.png"], ["a", "b"]),
    "one named like a split": (["test/1.png", "healthy/1.png"], ["healthy", "test"]),
    "numbers": (["0/1.png", "1/1.png"], ["0", "1"]),
    "subtypes": (["L1/1.png", "L2/1.png"], ["L1", "L2"]),
    "one class with patients": (["blast/patient1/1.png", "blast/patient2/2.png"], ["blast"]),
}  # fmt: skip


@pytest.mark.parametrize("name", UNAMBIGUOUS)
def test_plain_folders_are_read_without_a_question(name):
    paths, expected = UNAMBIGUOUS[name]
    listing = read(paths)
    assert classes(listing) == expected
    assert len(listing.rows) == len(paths)


def test_a_reading_that_is_not_just_classes_is_said():
    listing = read([*UNAMBIGUOUS["splits"][0], "Val/lost.png"])
    assert {row.columns["split"] for row in listing.rows} == {"training_set", "Val"}
    assert listing.warnings[0].startswith("The folders are read as split/class: the classes are a, b. Splits by their")
    assert "1 of 9 images are left out: they lie outside the class folders, such as Val/lost.png" in listing.warnings[1]


def test_folders_of_patients_below_the_classes_are_advised_and_the_option_works(tmp_path):
    folder = write(tmp_path, UNAMBIGUOUS["patients below"][0])
    assert "--layout class/patient keeps" in index_images(folder).warnings[0]
    index = index_images(folder, "class/patient")
    assert set(index.images["patient"]) == {"patient1", "P2"}
    assert index.warnings == ()
    assert index_images(folder, group=r"/([pP]\w+)/").warnings == ()


def test_folders_of_splits_below_the_classes_are_advised():
    paths = UNAMBIGUOUS["splits below"][0]
    assert "--layout class/split keeps them as the column split" in read(paths).warnings[0]
    assert {row.columns["split"] for row in read(paths, "class/split").rows} == {"train", "test"}


def test_folders_without_meaning_below_the_classes_are_named_with_both_readings():
    paths = ["cancer/colon/1.png", "cancer/lung/2.png", "healthy/colon_n/3.png"]
    files = FileList(Path("/absent"), tuple(paths))
    listing = read_layout(files, "auto")[1]
    words = advice(listing, automatic=True)
    assert words.startswith("Folders below the classes are passed over: colon, colon_n, lung.")
    assert advice(listing) == "" == advice(replace(listing, patients="given"), automatic=True)
    shapes = re.findall(r"--layout (\S+)", words)
    assert [classes(read(paths, shape)) for shape in shapes] == [["cancer", "healthy"], ["colon", "colon_n", "lung"]]
    same = FileList(Path("/absent"), ("a/images/1.png", "b/images/2.png"))
    assert advice(read_layout(same, "auto")[1], automatic=True) == ""


def test_a_split_without_labels_is_named():
    words = read([*tree(["train"], ["a", "b"]), "test/unknown/1.png", "test/unknown/2.png"]).warnings[0]
    assert words.endswith("test holds unknown alone: if that is no class, leave it out with --exclude-class unknown.")
    assert "alone" not in read([*tree(["train"], ["a", "b"]), "test/a/1.png"]).warnings[0]


@pytest.mark.parametrize(
    ("kind", "names"),
    {
        "split": "train Test TestA test1 seg_train train_set Training-Data val validation my_test holdout setB",
        "fold": "fold_0 fold1 Fold-3 cv_fold_2 5fold part2",
        "magnification": "40X 100x 2.5x X200 mag40",
        "patient": "patient_1 Patient12 P07 subject-3 case_0042 sub-01 donor_b slide_12a pat3 ALL_patient7",
        "site": "site_A hospital1 Center-2 scanner_X batch3 dataset2",
        "content": "images IMG left 2019 2021-03-04",
        "": "benign Pro Early 0 12 L1 M7 label_a subtype1 stainless contest latest valley patience casein grade_2 a",
    }.items(),
)
def test_names_that_are_hardly_classes(kind, names):
    assert {name: kind_of(name) for name in names.split()} == dict.fromkeys(names.split(), kind)

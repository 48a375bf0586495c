"""A class or an image that a reading loses is named; a lost class is a refusal that prints the way out."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from leukobench.errors import ImagesError
from leukobench.images.index import index_images

from .trees import write_image, write_tree


@pytest.fixture
def folder(tmp_path):
    for number in range(12):
        write_image(tmp_path / "root" / "abc"[number % 3] / f"{number}.png", number)
    return tmp_path / "root"


def unreadable(monkeypatch, *names):
    def scandir(path):
        if os.path.basename(path) in names:
            raise PermissionError(13, "Permission denied")
        return real(path)

    real = os.scandir
    monkeypatch.setattr(os, "scandir", scandir)


def test_a_class_folder_that_cannot_be_read_is_refused(folder, monkeypatch):
    unreadable(monkeypatch, "c")
    with pytest.raises(ImagesError, match="The class c would be left out") as caught:
        index_images(folder)
    assert "folder cannot be read: Permission denied" in caught.value.received
    assert "--exclude-class c" in caught.value.fix
    assert index_images(folder, exclude_classes=["c"]).classes() == ["a", "b"]


AS_ANOTHER_USER = """
import os, sys
from leukobench.errors import ImagesError
from leukobench.images.index import index_images
index_images(sys.argv[1])  # that user may not be able to load a library later
if os.geteuid() == 0:
    os.setuid(54321)
for folder in sys.argv[2:]:
    try:
        index_images(folder)
    except ImagesError as error:
        print(error.what, error.received)
"""


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="needs POSIX permissions")
def test_a_user_without_permission_is_told(folder):
    with tempfile.TemporaryDirectory() as apart:  # others may not enter the usual folder of tests
        closed = [Path(shutil.copytree(folder, Path(apart) / name)) for name in ("class", "files", "all")]
        modes = [closed[0] / "c", *sorted((closed[1] / "b").iterdir()), closed[2]]
        os.chmod(apart, 0o755)
        for path in modes:
            path.chmod(0o000)
        command = [sys.executable, "-c", AS_ANOTHER_USER, folder, *closed]
        words = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
        for path in modes:
            path.chmod(0o755)
    assert words[0] == "The class c would be left out. c: 1 x folder cannot be read: Permission denied"
    assert words[1].endswith("b: 4 x cannot be opened: Permission denied")
    assert "Permission denied" in words[2]


def test_a_folder_inside_a_class_that_cannot_be_read_is_named_first(folder, monkeypatch):
    write_image(folder / "a" / "inner" / "13.png", 13)
    unreadable(monkeypatch, "inner", "lost+found")
    (folder / "lost+found").mkdir()
    first, *_ = index_images(folder).warnings
    assert first.startswith("Folders that cannot be read: a/inner (Permission denied), lost+found (Permission denied).")


def test_a_class_of_files_that_leukobench_does_not_read_is_refused(folder):
    (folder / "d").mkdir()
    for number in range(2):
        (folder / "d" / f"{number}.gif").write_bytes(b"GIF89a")
    with pytest.raises(ImagesError, match=r"d: 2 x not a supported image file \(.gif\)"):
        index_images(folder)
    assert len(index_images(folder, exclude_classes=["d"])) == 12


@pytest.mark.parametrize("name", ["img{}", "{}.JPG_large", "{}.orig"])
def test_a_class_of_pictures_that_are_called_otherwise_is_refused(folder, name):
    for number in range(2):
        picture = write_image(folder / "d" / f"{number}.png", 50 + number)
        picture.rename(folder / "d" / name.format(number))
        (folder / "notes" / f"{number}").parent.mkdir(exist_ok=True)
        (folder / "notes" / f"{number}").write_text("no picture")
    with pytest.raises(ImagesError, match="The class d would be left out") as caught:
        index_images(folder)
    assert "or give them the extension of images" in caught.value.fix


def test_archives_and_pictures_of_other_kinds_are_named_with_their_class(folder):
    (folder / "more.zip").write_bytes(b"PK\x03\x04")
    for number in range(3):
        (folder / "b" / f"x{number}.HEIC").write_bytes(b"1234ftypheic")
    assert index_images(folder).warnings == (
        "Archives are not unpacked: more.zip.",
        "Pictures of b are left out, 3 of 7: 3 x not a supported image file (.heic).",
    )
    (folder / "d").mkdir()
    (folder / "more.zip").rename(folder / "d" / "more.zip")
    with pytest.raises(ImagesError, match="The class d would be left out"):
        index_images(folder)


UNREAD = {
    "1.heic": (b"1234ftypheic", "convert the files"),
    "1": (b"\xff\xd8\xff", "give the files the extension"),
    "2": (b"\0" * 128 + b"DICM", "convert the files"),
    "1.txt": (b"text", r"get images: .* \.bmp"),
}


@pytest.mark.parametrize("name", UNREAD)
def test_what_to_do_with_files_of_which_none_is_read(tmp_path, name):
    content, words = UNREAD[name]
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / name).write_bytes(content)
    with pytest.raises(ImagesError, match=f"fix: {words}"):
        index_images(tmp_path)


def test_links_to_files_that_are_not_there_are_to_be_fetched(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "1.png").symlink_to("absent")
    with pytest.raises(ImagesError, match="fix: get the files that the symbolic links name"):
        index_images(tmp_path)


def test_a_class_whose_files_are_empty_is_refused(folder):
    for path in (folder / "b").iterdir():
        path.write_bytes(b"")
    with pytest.raises(
        ImagesError, match=r"The class b would be left out(.*\n)*.*b: 4 x empty file(.*\n)*.*--exclude-class b"
    ):
        index_images(folder)
    assert index_images(folder, exclude_classes=["b"]).classes() == ["a", "c"]


def test_a_class_of_which_most_files_are_empty_is_said(folder):
    for path in sorted((folder / "b").iterdir())[1:]:
        path.write_bytes(b"")
    assert index_images(folder).warnings == ("Most images of b cannot be used, 3 of 4: 3 x empty file.",)


def test_a_class_that_the_detected_layout_loses_is_refused_and_the_option_takes_it(tmp_path):
    folder = write_tree(tmp_path, "all")
    for number in range(3):
        write_image(folder / "Original" / "Healthy" / f"{number}.jpg", 50 + number)
    for layout in ("auto", "all"):
        with pytest.raises(ImagesError, match="The class Healthy would be left out") as caught:
            index_images(folder, layout)
        assert ("--layout any/class takes" in caught.value.fix) == (layout == "auto")
    assert len(index_images(folder, "any/class")) == 7
    assert index_images(folder, exclude_classes=["Healthy"]).classes() == ["Benign", "Early", "Pre", "Pro"]


def test_images_that_the_detected_layout_drops_are_counted_with_the_option_that_takes_them(tmp_path):
    folder = write_tree(tmp_path, "all")
    write_image(folder / "Original" / "Pro" / "other.jpg", 50)
    warning = index_images(folder).warnings[0]
    assert warning.startswith("1 of 5 images are left out by the detected layout all: 1 x name is not <class>/WBC-")
    assert warning.endswith("such as Original/Pro/other.jpg. --layout any/class takes them.")
    assert len(index_images(folder, "any/class")) == 5


def test_images_above_the_classes_are_counted_in_a_reading_that_was_chosen_too(folder):
    write_image(folder / "train" / "a" / "50.png", 50)
    words = (
        "12 of 13 images are left out: they lie outside the class folders, such as a/0.png. A manifest can take them."
    )
    assert words in index_images(folder, "split/class").warnings


def test_images_that_are_not_in_the_manifest_are_counted(tmp_path):
    folder = write_tree(tmp_path, "manifest")
    write_image(folder / "a" / "unlisted.png", 77)
    first = "1 of 4 images are left out: not in manifest.csv, such as a/unlisted.png. Add them to the table."
    assert index_images(folder).warnings[0] == first


def test_a_class_to_exclude_has_to_exist(folder):
    with pytest.raises(ImagesError, match="There is no class called C to exclude"):
        index_images(folder, exclude_classes=["C"])
    write_image(folder / "d\x1b[31m" / "1.png", 99)
    index = index_images(folder, exclude_classes=["c", "d\\x1b[31m"])  # as messages show it
    assert index.classes() == ["a", "b"]
    assert len(index) == 8


@pytest.mark.skipif(sys.platform != "linux", reason="needs names that are not UTF-8")
def test_the_option_for_a_class_whose_name_is_not_utf8_works(folder):
    lost = Path(os.fsdecode(os.fsencode(folder) + b"/x\xe4"))
    for number in range(2):
        write_image(lost / f"{number}.png", 50 + number)
    with pytest.raises(ImagesError, match="would be left out") as caught:
        index_images(folder)
    name = caught.value.args[0].partition("--exclude-class '")[2].partition("'")[0]
    assert name == "x\\udce4"
    assert index_images(folder, exclude_classes=[name]).classes() == ["a", "b", "c"]


def test_files_of_a_table_are_excluded_too(tmp_path):
    folder = write_tree(tmp_path, "manifest")
    for images in (folder, folder / "manifest.csv"):
        index = index_images(images, exclude_files=["b/*"])
        assert index.classes() == ["01", "NA"]
        assert index.ledger["reason"].tolist()[:1] == ["excluded files: b/*"]
        with pytest.raises(ImagesError, match="No image is called like"):
            index_images(images, exclude_files=["c/*"])

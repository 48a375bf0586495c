"""Masks beside pictures are refused with the option that leaves them out; pictures of equal names are not."""

from __future__ import annotations

import itertools
import os
import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from leukobench.errors import ImagesError
from leukobench.images.index import index_images
from leukobench.images.masks import _FLAT, _flatness


def photograph(path, number):
    write(path, np.random.default_rng(number).integers(0, 256, (48, 48, 3)))


def mask(path, number):
    rows, columns = np.ogrid[:48, :48]
    write(path, np.where((rows - 20 - number) ** 2 + (columns - 24) ** 2 < 100, 255, 0))


def write(path, pixels):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels.astype(np.uint8)).save(path)


BESIDE = {  # where the masks are
    "{c}/{n}.bmp": "{c}/{n}.png",
    "{c}/{c} ({n}).png": "{c}/{c} ({n})_mask.png",
    "{c}/x{n}.jpg": "{c}/x{n}_Segmentation.jpg",
    "images/{c}/{n}.jpg": "masks/{c}/{n}.png",
    "{c}/images/{n}.jpg": "{c}/masks/{n}.png",
    "{c}/pictures/{n}.png": "{c}/ground truth/{n}_gt.png",
    "{c}/photo/{n}.jpg": "{c}/binary/{n}.jpg",
    "{c}/{n}.jpg": "{c}/GT/{n}.png",
    "train/images/{c}/{n}.png": "train/labels/{c}/{n}.png",
    "{c}/1-{n:03}.bmp": "{c}/1-{n:03}-d.bmp",
    "{c}/IMG{n}.jpg": "{c}/IMG{n}Mask.png",
    "{c}/{n}.png": "{c}/mask_{n}.png",
    "{c}/b{n}.png": "{c}/bin[b{n}.png",
    "{c}/img_{n}.jpg": "{c}/mask_{n}.png",
    "{c}/{n}_image.jpg": "{c}/{n}_GT.jpg",
    "{c}/a{n}/image.jpg": "{c}/a{n}/mask.png",
    "{c}/pic_{n}.jpg": "{c}/lab_{n}.png",
    "{c}/{n}_rgb.png": "{c}/{n}_bw.png",
    "{c}/smear_{n}_rgb.png": "{c}/smear_{n}_bw.png",
    "{c}/image{n}.png": "{c}/bw{n}.png",
    "{c}/{n}/images/{n}.jpg": "{c}/{n}/masks/cell.png",
    "{c}/{n}.tif": "{c}/superpixels/{n}_superpixels.png",
}


@pytest.mark.parametrize("picture", BESIDE)
def test_masks_are_refused_and_the_printed_option_leaves_them_out(tmp_path, picture):
    for number in range(8):
        place = {"c": ("Lymphocyte", "Neutrophil")[number % 2], "n": number}
        photograph(tmp_path / picture.format(**place), number)
        mask(tmp_path / BESIDE[picture].format(**place), number)
    with pytest.raises(ImagesError, match="8 of 16 images look like masks") as caught:
        index_images(tmp_path)
    words = shlex.split(re.sub(r" \(exclude_files.*", "", caught.value.fix))
    patterns = [word for before, word in itertools.pairwise(words) if before == "--exclude-files"]
    index = index_images(tmp_path, exclude_files=patterns)
    assert index.classes() == ["Lymphocyte", "Neutrophil"]
    assert len(index) == 8
    assert set(index.ledger["reason"]) == {f"excluded files: {pattern}" for pattern in patterns}


def test_one_picture_with_several_masks(tmp_path):
    for number in range(4):
        photograph(tmp_path / f"{number % 2}" / f"{number}.png", number)
        for part in range(8):
            mask(tmp_path / f"{number % 2}" / f"{number}_mask_{part}.png", part)
    with pytest.raises(ImagesError, match="32 of 36") as caught:
        index_images(tmp_path)
    assert "--exclude-files '*_mask_*.*'" in caught.value.fix
    assert len(index_images(tmp_path, exclude_files=["*_mask_*.*"])) == 4


def test_classes_that_are_called_masks_can_be_chosen(tmp_path):
    for number in range(4):
        photograph(tmp_path / "mask" / f"{number}.png", number)
        photograph(tmp_path / "nomask" / f"{number}.png", 9 + number)
    with pytest.raises(ImagesError, match="--layout class if mask is a class"):
        index_images(tmp_path)
    assert index_images(tmp_path, "class").classes() == ["mask", "nomask"]


def test_a_mask_is_refused_in_a_layout_that_was_chosen_too(tmp_path):
    for number in range(8):
        folder = tmp_path / f"set{number // 4}" / f"{number % 2}"
        photograph(folder / f"{number}.bmp", number)
        mask(folder / f"{number}.png", number)
    with pytest.raises(ImagesError, match=r"the \.png files hold hardly any colours"):
        index_images(tmp_path, "split/class")


def test_pictures_of_equal_names_are_used_and_said(tmp_path):
    for number in range(6):
        folder = tmp_path / "ab"[number % 2]
        photograph(folder / f"{number}.png", number)
        photograph(folder / f"{number}.jpg", 9 + number)
    index = index_images(tmp_path)
    assert len(index) == 12
    assert index.warnings[0].startswith("6 names occur with two extensions in one folder, such as a/0.jpg and a/0.png.")


def test_a_word_more_in_a_name_is_no_mask(tmp_path):
    for number in range(8):
        for name in (f"{number}", f"{number}_left", f"copy of {number}"):
            photograph(tmp_path / "ab"[number % 2] / f"{name}.png", number)
    assert len(index_images(tmp_path)) == 24


def test_a_class_of_blank_pictures_is_none_of_masks(tmp_path):
    for number in range(4):
        write(tmp_path / "blank" / f"{number}.png", np.full((8, 8), 40 * number))
        photograph(tmp_path / "other" / f"{number}.png", number)
    assert len(index_images(tmp_path)) == 8


def test_a_pattern_that_matches_nothing_is_refused(tmp_path):
    photograph(tmp_path / "a" / "1.png", 1)
    with pytest.raises(ImagesError, match=r"No image is called like '\*_mask.png'(.*\n)*.*a/1.png"):
        index_images(tmp_path, exclude_files=["*_mask.png"])


@pytest.mark.real
@pytest.mark.parametrize("images", ["all/Original/Pro/*", "cells/images/*", "brain/*/*"])
def test_real_pictures_are_not_flat(images):
    original = Path(os.environ.get("LEUKOBENCH_TEST_IMAGES", "absent"))
    paths = sorted(original.parent.parent.glob(images))[::20]
    if not original.is_dir() or not paths:
        pytest.skip(f"LEUKOBENCH_TEST_IMAGES names no folder beside which there is {images}")
    assert max(_flatness(path)[0] for path in paths) < _FLAT - 0.02

"""Keypoints: descriptors that a flip only reorders, a surround without any, and a file that gives back what it got."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from leukobench.errors import UnreadableImageError
from leukobench.images.keypoints import COUNT, MIRRORED, KeypointFile, content_mask, find_keypoints, grey_version
from leukobench.images.synthetic import draw_image


def grey(number: int, size: int = 128) -> np.ndarray:
    return grey_version(draw_image(number, patients=24, seed=5, size=size)[0])


@pytest.mark.parametrize(("shape", "size"), [((128, 128), (128, 128)), ((64, 256), (64, 256)), ((400, 100), (256, 64))])
def test_grey_versions_have_as_many_pixels_as_a_square(shape: tuple[int, int], size: tuple[int, int]) -> None:
    assert grey_version(np.zeros((*shape, 3), np.uint8)).shape == size
    assert grey_version(np.zeros((5000, 1, 3), np.uint8)).shape == (512, 1)


def test_a_flip_reorders_the_numbers_of_a_descriptor() -> None:
    """OpenCV's own description of a place in the flipped image, on a picture without noise."""
    upright = cv2.GaussianBlur(grey(0), (0, 0), 2)
    middle = np.float32(upright.shape[::-1]) / 2 - 0.5
    sift = cv2.SIFT_create()
    turned = [cv2.KeyPoint(*middle.tolist(), 20, angle) for angle in (30.0, 330.0)]
    _, (plain,) = sift.compute(upright, turned[:1])
    _, (flipped,) = sift.compute(np.ascontiguousarray(upright[::-1]), turned[1:])
    assert np.corrcoef(plain[MIRRORED], flipped)[0, 1] > 0.98
    assert np.corrcoef(plain, flipped)[0, 1] < 0.8
    assert sorted(MIRRORED) == list(range(128))
    np.testing.assert_array_equal(MIRRORED[MIRRORED], np.arange(128))


def test_the_black_surround_has_no_keypoints() -> None:
    framed = np.zeros((128, 128), np.uint8)
    framed[30:100, 20:110] = grey(1)[30:100, 20:110]
    content = content_mask(framed)
    assert content[33:97, 23:107].all()
    assert content.sum() <= 64 * 84 + 10
    places = find_keypoints(framed).places
    assert len(places) > 10
    assert ((places[:, 0] > 22) & (places[:, 0] < 107) & (places[:, 1] > 32) & (places[:, 1] < 97)).all()
    assert content_mask(grey(1)).all()
    inner = grey(1).copy()
    inner[50:60, 50:60] = 0  # black that does not reach the border is content
    assert content_mask(inner).all()


@pytest.mark.parametrize("value", [0, 9, 255])
def test_one_grey_has_no_keypoints(value: int) -> None:
    keypoints = find_keypoints(np.full((128, 128), value, np.uint8))
    assert (keypoints.places.shape, keypoints.descriptors.shape) == ((0, 4), (0, 128))


def test_the_file_gives_back_what_it_got_and_reads_what_it_lacks(tmp_path: Path) -> None:
    sets = {f"{number}": find_keypoints(grey(number)) for number in range(8)}
    with KeypointFile(tmp_path / "new") as file:
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda item: file.add(*item), sets.items()))
        for name, keypoints in sets.items():
            for own, kept in zip(keypoints, file.of(name, "nowhere"), strict=True):
                np.testing.assert_array_equal(own, kept)
        Image.fromarray(draw_image(9, patients=24, seed=5, size=128)[0]).save(path := tmp_path / "9.png")
        np.testing.assert_array_equal(file.of("9", str(path)).places, find_keypoints(grey(9)).places)
        path.unlink()
        assert 0 < len(file.of("9", str(path)).places) <= COUNT
        with pytest.raises(UnreadableImageError):
            file.of("10", str(path))
    assert list((tmp_path / "new").iterdir()) == []

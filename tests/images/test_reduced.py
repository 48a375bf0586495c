"""Large JPEG files are decoded at reduced scale where they will be scaled down anyway; everything else is not."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from leukobench.errors import UnreadableImageError
from leukobench.images.decoding import decode
from leukobench.images.reading import resize
from leukobench.images.synthetic import draw_image

from .formats import encode, oriented

LARGE = draw_image(1, size=1000)[0][:, :900]
SIZE = (120, 120)


@pytest.mark.parametrize(("least", "scale"), [(84, 1), (83, 2), (42, 2), (41, 4), (21, 4), (20, 8), (5, 8)])
def test_the_scale_leaves_at_least_three_times_what_is_wanted(least: int, scale: int) -> None:
    height, width = decode(encode(LARGE[:, :500], "JPEG"), target_size=(5, least)).shape[:2]
    assert height == -(-1000 // scale)
    assert width == -(-500 // scale)


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"subsampling": 0}, {"quality": 60}])
def test_scaled_pixels_are_those_of_the_whole_picture_to_a_third_of_a_grey_level(options: dict[str, int]) -> None:
    data = encode(LARGE, "JPEG", **options)
    whole, reduced = (resize(decode(data, target_size=size), SIZE).astype(int) for size in (None, SIZE))
    difference = np.abs(whole - reduced)
    assert 0 < difference.mean() < 0.33
    assert difference.max() <= 6


@pytest.mark.parametrize("orientation", range(1, 9))
def test_turned_pictures_come_out_upright(orientation: int) -> None:
    whole = resize(LARGE, SIZE).astype(int)
    found = resize(decode(oriented(LARGE, "JPEG", orientation), target_size=SIZE), SIZE)
    assert np.abs(found - whole).mean() < 2


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "WEBP"])
def test_other_formats_and_small_pictures_are_decoded_whole(kind: str) -> None:
    options = {"lossless": True} if kind == "WEBP" else {}
    np.testing.assert_array_equal(decode(encode(LARGE, kind, **options), target_size=(10, 10)), LARGE)
    small = encode(LARGE[:300, :300], "JPEG")
    np.testing.assert_array_equal(decode(small, target_size=SIZE), decode(small))


@pytest.mark.parametrize("mode", ["L", "CMYK"])
def test_grey_and_cmyk_are_reduced_too(mode: str) -> None:
    data = encode(Image.fromarray(LARGE).convert(mode), "JPEG", quality=95)
    whole, reduced = (resize(decode(data, target_size=size), SIZE).astype(int) for size in (None, SIZE))
    assert np.abs(whole - reduced).mean() < 1


@pytest.mark.parametrize("share", [0.2, 0.7, 0.99])
def test_a_truncated_picture_is_refused_at_any_scale(share: float) -> None:
    data = encode(LARGE, "JPEG")
    for ending in (b"", b"\xff\xd9"):
        with pytest.raises(UnreadableImageError, match=r"decode completely|truncated"):
            decode(data[: int(len(data) * share)] + ending, target_size=(20, 20))


def test_the_limit_of_pixels_is_that_of_the_file() -> None:
    with pytest.raises(UnreadableImageError, match="too large"):
        decode(encode(LARGE, "JPEG"), max_pixels=800_000, target_size=(20, 20))

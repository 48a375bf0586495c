from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from leukobench.errors import ConfigurationError
from leukobench.images.reading import decode
from leukobench.serving.image_input import Pixels, Upload, as_images, image_bytes, name_of

RGB = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)


def read(image: Any) -> np.ndarray:
    (named,) = as_images(image)
    return decode(image_bytes(named))


@pytest.mark.parametrize("image", [RGB, Image.fromarray(RGB), [RGB], RGB[None], np.asfortranarray(RGB)])
def test_pixels_come_back_as_they_are(image: Any) -> None:
    assert np.array_equal(read(image), RGB)


@pytest.mark.parametrize("pixels", [RGB[..., 0], np.dstack([RGB, RGB[..., :1]])])
def test_grey_and_transparency_are_converted_as_those_of_a_file(pixels: np.ndarray) -> None:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    assert np.array_equal(read(pixels), decode(stream.getvalue()))


def test_a_pillow_image_is_turned_as_its_file_says() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    stream = io.BytesIO()
    Image.fromarray(RGB).save(stream, "PNG", exif=exif)
    assert np.array_equal(read(Image.open(io.BytesIO(stream.getvalue()))), decode(stream.getvalue()))
    assert np.array_equal(read(stream.getvalue()), np.rot90(RGB, -1))


def test_colours_of_print_are_read() -> None:
    assert read(Image.fromarray(RGB).convert("CMYK")).shape == RGB.shape


def test_each_has_a_name(tmp_path: Path) -> None:
    images = as_images([tmp_path / "a.png", "b.png", RGB, b"bytes", Upload("upload", b""), Pixels("mine", RGB)])
    assert [name_of(image) for image in images] == [
        str(tmp_path / "a.png"), "b.png", "image 3", "image 4", "upload", "mine"
    ]  # fmt: skip
    assert [name_of(image) for image in as_images("alone.png")] == ["alone.png"]
    assert as_images([]) == []


@pytest.mark.parametrize(
    "wrong", [[None], [RGB.astype(float)], RGB[:0], np.zeros((4, 4, 2), np.uint8), [7], np.zeros(3, np.uint8)]
)
def test_what_is_no_image_is_refused(wrong: Any) -> None:
    with pytest.raises(ConfigurationError, match="is none that can be predicted"):
        as_images(wrong)

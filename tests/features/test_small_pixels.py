"""Downscaled pixels: what Pillow makes of the file, one number after the other."""

import io

import numpy as np
from PIL import Image

from leukobench.features.extractor import Extractor
from leukobench.features.small_pixels import SmallPixels


def test_an_image_becomes_its_downscaled_pixels() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(file := io.BytesIO(), "PNG")
    small = np.asarray(Image.fromarray(pixels).resize((16, 16), Image.Resampling.BILINEAR), dtype=np.float32)
    extractor = SmallPixels()
    with extractor.open(1) as ready:
        (vector,) = ready.vectors([extractor.read(file.getvalue())])
    assert isinstance(extractor, Extractor)
    assert vector.dtype == np.float32
    np.testing.assert_array_equal(vector, small.ravel())
    position = list(ready.feature_names).index("row03_column05_b")
    assert vector[position] == small[3, 5, 2]

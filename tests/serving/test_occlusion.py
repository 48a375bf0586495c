from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from leukobench.images.drawing import Morphology, draw_smear, draw_stain
from leukobench.serving.occlusion import occlusion


def test_occlusion_peaks_where_a_made_up_classifier_looks() -> None:
    pixels = draw_smear(
        Morphology(9, 0.9, 0, 0.1, 0.02, 3), draw_stain(np.random.default_rng(0)), np.random.default_rng(2)
    )
    pixels = pixels.copy()
    for row, column in ((40, 60), (120, 180), (200, 20)):
        block = (slice(row - 8, row + 8), slice(column - 8, column + 8))
        pixels[block] = (250, 250, 10)

        def margins(pictures: Iterator[np.ndarray], block: Any = block) -> np.ndarray:
            return np.array([-float(picture[block][..., 2].mean()) for picture in pictures])

        heat = occlusion(pixels, margins)
        assert heat.shape == (224, 224)
        peak = np.unravel_index(heat.argmax(), heat.shape)
        assert max(abs(peak[0] - row), abs(peak[1] - column)) <= 8  # on the block
        rows, columns = np.mgrid[:224, :224]
        far = np.maximum(np.abs(rows - row), np.abs(columns - column)) > 64
        assert np.abs(heat[far]).max() == 0
        assert heat.max() > 0


@pytest.mark.parametrize("size", [(32, 32), (75, 75), (299, 299), (100, 160)])
def test_occlusion_takes_any_size_and_covers_all_of_it(size: tuple[int, int]) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
    changed = np.zeros(size, dtype=bool)

    def margins(pictures: Iterator[np.ndarray]) -> np.ndarray:
        seen = list(pictures)
        np.testing.assert_array_equal(seen[0], pixels)
        for picture in seen[1:]:
            changed[(picture != pixels).any(axis=-1)] = True
        return np.zeros(len(seen))

    np.testing.assert_array_equal(occlusion(pixels, margins), np.zeros(size))
    assert changed.mean() > 0.97

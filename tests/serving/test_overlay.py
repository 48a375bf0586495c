from __future__ import annotations

import io

import numpy as np
from PIL import Image

from leukobench.serving.overlay import overlay


def test_the_overlay_is_clear_where_nothing_is_hot_and_differs_for_and_against() -> None:
    pixels = np.full((64, 64, 3), 200, dtype=np.uint8)
    heat = np.zeros((64, 64), dtype=np.float32)
    heat[10:20, 10:20], heat[40:50, 40:50] = 1, -1
    seen = np.asarray(Image.open(io.BytesIO(overlay(pixels, heat))))
    scale = seen.shape[0] // 64
    warm, cold, clear = (seen[scale * at, scale * at].astype(int) for at in (15, 45, 30))
    assert warm[0] > warm[2] + 50
    assert cold[2] > cold[0] + 50
    np.testing.assert_allclose(clear, 200, atol=1)
    slight = np.asarray(Image.open(io.BytesIO(overlay(pixels, heat, slight=100))))
    assert np.abs(slight.astype(int) - 200).max() <= 1

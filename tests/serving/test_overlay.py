from __future__ import annotations

import io

import numpy as np
from PIL import Image

from leukobench.serving.overlay import AGAINST, FOR, full_heat, overlay, with_legend


def test_the_overlay_is_clear_where_nothing_is_hot_and_differs_for_and_against() -> None:
    pixels = np.full((64, 64, 3), 200, dtype=np.uint8)
    heat = np.zeros((64, 64), dtype=np.float32)
    heat[10:20, 10:20], heat[40:50, 40:50] = 1, -1
    seen = np.asarray(Image.open(io.BytesIO(overlay(pixels, heat, full_heat(heat)))))
    scale = seen.shape[0] // 64
    warm, cold, clear = (seen[scale * at, scale * at].astype(int) for at in (15, 45, 30))
    assert warm[0] > warm[2] + 50
    assert cold[2] > cold[0] + 50
    np.testing.assert_allclose(clear, 200, atol=1)
    slight = np.asarray(Image.open(io.BytesIO(overlay(pixels, heat, full_heat(heat, slight=100)))))
    assert np.abs(slight.astype(int) - 200).max() <= 1


def test_the_legend_has_both_colours_and_leaves_the_overlay_as_it_is() -> None:
    picture = overlay(np.full((64, 64, 3), 200, dtype=np.uint8), np.zeros((64, 64), dtype=np.float32), 1.0)
    seen = np.asarray(Image.open(io.BytesIO(picture)))
    sheet = np.asarray(Image.open(io.BytesIO(with_legend(picture, "A against B", ("B, 1", "1, A"), ["why"]))))
    inside = sheet[:, 12 : 12 + seen.shape[1]]
    top = next(row for row in range(len(inside)) if (inside[row : row + len(seen)] == seen).all())
    below = inside[top + len(seen) :].astype(int)
    bar = next(row for row in below if row[0, 2] > row[0, 0] + 50)  # blue at its left end
    assert bar[-1, 0] > bar[-1, 2] + 50
    np.testing.assert_allclose(bar[len(bar) // 2], 255, atol=1)
    for colour, end in ((AGAINST, bar[0]), (FOR, bar[-1])):
        np.testing.assert_allclose(end, 255 + 0.6 * (np.array(colour) - 255), atol=1)
    longer = with_legend(picture, "A against B " * 20, ("B, 1", "1, A"), ["why"])
    assert Image.open(io.BytesIO(longer)).height > sheet.shape[0]

from __future__ import annotations

import numpy as np
import pytest

from leukobench.features.border import measure_border


def field(rng: np.random.Generator, spots: int) -> np.ndarray:
    pixels = rng.normal(200, 3, (96, 120, 3))
    for row, column in zip(rng.integers(0, 90, spots), rng.integers(0, 114, spots), strict=True):
        pixels[row : row + 6, column : column + 6] -= rng.uniform(40, 120)
    return np.clip(pixels, 0, 255).astype(np.uint8)


def test_the_middle_changes_nothing_and_a_mark_changes_its_place_most() -> None:
    pixels = field(np.random.default_rng(0), 10)
    middle, marked = pixels.copy(), pixels.copy()
    middle[20:70, 20:100] = 0
    marked[1:5, 1:5] = 0
    plain = measure_border(pixels)
    assert measure_border(middle) == plain
    assert measure_border(marked)["top 1.darkest"] == 0.0 < plain["top 1.darkest"]


@pytest.mark.parametrize("spots", [5, 60])
def test_on_average_no_place_differs_whatever_the_number_of_objects(spots: int) -> None:
    rng = np.random.default_rng(spots)
    rows = [list(measure_border(field(rng, spots)).values()) for _ in range(80)]
    ranks = np.array(rows)[:, :32].reshape(80, 16, 2)
    np.testing.assert_allclose(ranks.mean(axis=1), 0.5)
    assert np.abs(ranks.mean(axis=0) - 0.5).max() < 0.18


def test_a_frame_is_a_step_that_a_line_of_objects_is_not() -> None:
    pixels = field(np.random.default_rng(1), 30)
    framed = pixels.copy()
    framed[:4] = 0
    assert measure_border(pixels)["top.frame"] == 0.0
    steps = np.abs(framed[4, :, 1].astype(int))
    assert measure_border(framed)["top.frame"] == np.median(steps)
    assert measure_border(framed)["left.frame"] == 0.0

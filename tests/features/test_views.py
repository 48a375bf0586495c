"""Views: each takes one kind of information away, by the pixels of the image alone."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageFilter

from leukobench.features.views import VIEWS, View
from leukobench.steps.score_shortcuts import _ROWS

BY_NAME = {view.name: view for view in VIEWS}
LUMA = np.array([0.299, 0.587, 0.114])


def field(seed: int = 0, shift: float = 0.0, size: int = 120) -> np.ndarray:
    """Dark discs on a bright ground, with the sensor's noise."""
    rng = np.random.default_rng(seed)
    pixels = np.tile(np.array([215.0, 205.0, 195.0]), (size, size, 1))
    across, down = np.meshgrid(np.arange(size), np.arange(size))
    for row, column in ((30, 30), (80, 75)):
        pixels[np.hypot(down - row, across - column) < 12] = (120, 60, 140)
    noisy = pixels + shift + rng.normal(0, 2, pixels.shape)
    return np.clip(np.rint(noisy), 0, 255).astype(np.uint8)


def power(pixels: np.ndarray, least: float) -> float:
    """Of the grey levels at frequencies above `least`, in cycles a pixel."""
    grey = pixels @ LUMA
    spectrum = np.abs(np.fft.fft2(grey - grey.mean())) ** 2
    frequency = np.hypot(np.fft.fftfreq(len(grey))[:, None], np.fft.fftfreq(grey.shape[1]))
    return float(spectrum[frequency > least].sum())


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.name)
@pytest.mark.parametrize("shape", [(120, 120, 3), (90, 131, 3), (9, 40, 3), (1, 1, 3)])
def test_a_view_is_a_function_of_the_pixels(view: View, shape: tuple[int, int, int]) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, shape).astype(np.uint8)
    before = pixels.copy()
    changed = view.change(pixels)
    assert changed.dtype == np.uint8
    assert changed.ndim == 3
    assert changed.size
    np.testing.assert_array_equal(pixels, before)
    np.testing.assert_array_equal(changed, view.change(before))


def test_names_and_answers_are_those_of_the_leaderboard() -> None:
    assert len(BY_NAME) == len(VIEWS)
    assert {row for view in VIEWS for row in view.answers} <= {name for _, name, *_ in _ROWS}


def test_a_tint_is_gone_where_colour_is_normalised() -> None:
    pixels = field()
    tinted = np.rint(pixels * np.array([0.85, 1.0, 0.95])).astype(np.uint8)
    plain, other = (BY_NAME["colour normalised"].change(one).astype(float) for one in (pixels, tinted))
    np.testing.assert_allclose(plain.mean(axis=(0, 1)), 140, atol=0.5)
    np.testing.assert_allclose(plain.std(axis=(0, 1)), 30, atol=0.5)
    assert np.abs(plain - other).max() <= 2


def test_grey_is_the_luminance_in_every_channel() -> None:
    pixels = field()
    grey = BY_NAME["grey"].change(pixels)
    np.testing.assert_allclose(grey, np.repeat((pixels @ LUMA)[:, :, None], 3, axis=2), atol=0.6)


def test_a_mark_at_the_border_is_cut() -> None:
    pixels = field()
    marked = pixels.copy()
    marked[:9], marked[:, -9:] = 0, 0
    cut = BY_NAME["border cut"].change
    np.testing.assert_array_equal(cut(pixels), pixels[9:-9, 9:-9])
    np.testing.assert_array_equal(cut(pixels), cut(marked))


def test_a_focus_blur_leaves_next_to_no_trace_where_all_is_blurred() -> None:
    pixels = field()
    soft = np.asarray(Image.fromarray(pixels).filter(ImageFilter.GaussianBlur(1)))
    before = power(pixels, 0.15) / power(soft, 0.15)
    after = power(BY_NAME["blurred"].change(pixels), 0.15) / power(BY_NAME["blurred"].change(soft), 0.15)
    assert before > 5
    assert after < 1.4


@pytest.mark.parametrize("name", ["noise levelled", "blurred"])
def test_noise_of_any_strength_becomes_one(name: str) -> None:
    rng = np.random.default_rng(2)
    flat = np.full((200, 200, 3), 150.0)
    noisy = [np.rint(flat + rng.normal(0, noise, flat.shape)).astype(np.uint8) for noise in (0, 3, 8)]
    spreads = [BY_NAME[name].change(one).std() for one in noisy]
    assert max(one.std() for one in noisy) > 7.9
    np.testing.assert_allclose(spreads, spreads[0], rtol=0.05)


def test_the_same_patches_lie_elsewhere() -> None:
    pixels = field()
    shuffled = BY_NAME["patches shuffled"].change(pixels)

    def patches(image: np.ndarray) -> list[bytes]:
        return [image[r : r + 15, c : c + 15].tobytes() for r in range(0, 120, 15) for c in range(0, 120, 15)]

    assert sorted(patches(shuffled)) == sorted(patches(pixels))
    assert sum(one == other for one, other in zip(patches(shuffled), patches(pixels), strict=True)) < 16


def test_the_background_is_the_same_in_all_where_the_foreground_is_alone() -> None:
    change = BY_NAME["foreground only"].change
    plain, darker = change(field()), change(field(shift=-20))
    away = np.hypot(*(np.mgrid[:120, :120] - np.array([30, 30])[:, None, None])) > 14
    away &= np.hypot(*(np.mgrid[:120, :120] - np.array([80, 75])[:, None, None])) > 14
    assert (plain[away] == 200).all()
    assert (darker[away] == 200).all()
    np.testing.assert_array_equal(plain[23:37, 23:37], field()[23:37, 23:37])


def test_nothing_that_is_pictured_is_left_where_the_background_is_alone() -> None:
    alone = BY_NAME["background only"].change(field())
    assert alone.shape == (120, 120, 3)
    assert np.abs(alone.reshape(-1, 3).astype(float) - (215, 205, 195)).max() < 14
    dark = np.zeros((64, 64, 3), np.uint8)
    assert (BY_NAME["background only"].change(dark) == 200).all()
    np.testing.assert_array_equal(BY_NAME["foreground only"].change(dark), dark)

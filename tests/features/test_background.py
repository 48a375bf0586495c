"""The background is measured where nothing is pictured: it follows light, noise and focus, and not the objects."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageFilter

from leukobench.features.background import measure_background

LUMA = np.array([0.299, 0.587, 0.114])


def field(seed: int, objects: int, noise: float = 2.0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    pixels = np.tile(np.array([200.0, 190.0, 180.0]), (160, 160, 1))
    across, down = np.meshgrid(np.arange(160), np.arange(160))
    for row, column in rng.integers(0, 160, (objects, 2)):
        pixels[np.hypot(down - row, across - column) < 9] = rng.uniform(60, 130)
    soft = np.asarray(Image.fromarray(pixels.astype(np.uint8)).filter(ImageFilter.GaussianBlur(0.5)), float)
    return np.clip(np.rint(soft + rng.normal(0, noise, soft.shape)), 0, 255).astype(np.uint8)


def test_colour_and_light_are_those_between_the_objects() -> None:
    pixels = field(0, 12)
    measured = measure_background(pixels)["background"]
    assert [measured[f"mean.{c}"] for c in "rgb"] == pytest.approx([200, 190, 180], abs=0.7)
    slope = np.linspace(-10, 10, 160)[None, :, None]
    sloped = measure_background(np.clip(pixels + slope, 0, 255).astype(np.uint8))["background"]
    assert sloped["across"] == pytest.approx(10, abs=1.5)
    assert abs(sloped["down"]) < 1.5


def test_noise_is_that_of_the_sensor_and_does_not_follow_the_objects() -> None:
    few, many = (measure_background(field(1, count))["sharpness"] for count in (3, 25))
    loud = measure_background(field(1, 3, noise=5.0))["sharpness"]
    expected = np.log(2 * 2.0**2 * np.square(LUMA).sum())  # of differences between neighbours, from the sensor's noise
    assert few["across"] == pytest.approx(expected, abs=0.15)
    assert many["across"] == pytest.approx(few["across"], abs=0.15)
    assert loud["across"] > few["across"] + 1.5


def test_blur_makes_outlines_less_steep_and_noise_coarser() -> None:
    pixels = field(2, 12)
    blurred = np.asarray(Image.fromarray(pixels).filter(ImageFilter.GaussianBlur(0.7)))
    sharp, soft = (measure_background(one)["sharpness"] for one in (pixels, blurred))
    assert soft["one to three"] < 0.9 * sharp["one to three"]
    assert soft["band 8 to 14"] - soft["band 3 to 4"] < sharp["band 8 to 14"] - sharp["band 3 to 4"] - 0.5


def test_the_grid_of_a_jpeg_is_seen_on_it_and_not_beside_it() -> None:
    pixels = field(3, 8, noise=0.5).astype(int)
    blocks = np.add.outer(np.arange(160) // 8, np.arange(160) // 8) % 2 * 3
    on_grid, beside = (
        np.clip(pixels + np.roll(blocks, by, (0, 1))[..., None], 0, 255).astype(np.uint8) for by in (0, 4)
    )
    plain = measure_background(pixels.astype(np.uint8))["sharpness"]["grid"]
    assert measure_background(on_grid)["sharpness"]["grid"] > plain + 1.5
    assert measure_background(beside)["sharpness"]["grid"] < plain + 0.3


def test_a_dark_surround_and_a_picture_full_of_objects_have_no_credible_background() -> None:
    rng = np.random.default_rng(4)
    scan = np.zeros((160, 160, 3), np.uint8)
    scan[40:120, 40:120] = rng.integers(30, 200, (80, 80, 1))
    full = np.repeat(rng.integers(0, 255, (40, 40, 3)), 4, axis=0).repeat(4, axis=1).astype(np.uint8)
    assert measure_background(scan)["credible"]["share"] == 0
    assert measure_background(full)["credible"]["share"] == 0
    assert measure_background(field(4, 12))["credible"]["share"] > 0.2

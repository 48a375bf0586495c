"""Fingerprints turn with the picture, and with nothing else."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from leukobench.images.fingerprint import COARSE, Disc, correlations, fingerprint
from leukobench.images.synthetic import draw_image

SHAPE = (COARSE.radii, COARSE.angles)
QUARTER = COARSE.angles // 4
"""Samples in a quarter turn."""


def smear(number: int, size: int = 96) -> np.ndarray:
    return draw_image(number, patients=24, seed=5, size=size)[0]


def shaped(pixels: np.ndarray) -> np.ndarray:
    return fingerprint(pixels).reshape(SHAPE)


def spectrum(vector: np.ndarray) -> np.ndarray:
    return np.fft.rfft(vector, axis=-1).astype(np.complex64)


def inner(first: np.ndarray, second: np.ndarray) -> float:
    return float((first * second).sum())


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_a_quarter_turn_shifts_the_angles_by_a_quarter(quarters: int) -> None:
    turned = np.rot90(smear(0), quarters).copy()
    assert inner(shaped(turned), np.roll(shaped(smear(0)), -quarters * QUARTER, axis=1)) > 0.999
    assert inner(shaped(turned), shaped(smear(0))) < 0.9


def test_a_picture_turned_upside_down_has_its_angles_reversed() -> None:
    np.testing.assert_allclose(shaped(smear(1)[::-1].copy()), shaped(smear(1))[:, ::-1], atol=1e-5)


def test_a_turn_by_any_angle_shifts_the_angles_too() -> None:
    step = 360 / COARSE.angles
    turned = np.array(Image.fromarray(smear(2, 192)).rotate(5 * step, Image.Resampling.BICUBIC))
    products = [inner(shaped(turned), np.roll(shaped(smear(2, 192)), shift, axis=1)) for shift in range(COARSE.angles)]
    assert int(np.argmax(products)) == COARSE.angles - 5
    assert max(products) > 0.97


def test_inner_products_are_correlations_weighted_with_the_area() -> None:
    disc = Disc(side=24, radii=7, angles=16)
    one, other = (disc.grey(smear(number)) for number in (3, 4))
    samples = []
    for grey in (one, other):
        values = np.empty((7, 16))
        for ring, radius in enumerate((np.arange(7) + 0.5) / 7 * 11):
            for step, angle in enumerate((np.arange(16) + 0.5) / 16 * 2 * np.pi):
                x, y = 11.5 + radius * np.cos(angle), 11.5 + radius * np.sin(angle)
                left, top = int(x), int(y)
                near = grey[top : top + 2, left : left + 2].astype(float)
                values[ring, step] = np.array([1 - y + top, y - top]) @ near @ np.array([1 - x + left, x - left])
        samples.append(values.ravel())
    area = np.repeat(np.arange(7) + 0.5, 16)
    everywhere = np.ones((24, 24), np.float32)
    covariance = np.cov(*samples, aweights=area, bias=True)
    expected = covariance[0, 1] / np.sqrt(covariance[0, 0] * covariance[1, 1])
    assert inner(disc.vector(one, everywhere, 0.1), disc.vector(other, everywhere, 0.1)) == pytest.approx(
        expected, abs=1e-5
    )


@settings(max_examples=40, deadline=None)
@given(height=st.integers(1, 90), width=st.integers(1, 90), seed=st.integers(0, 1000), spread=st.integers(0, 235))
def test_every_fingerprint_has_norm_one_or_is_all_zeros(height: int, width: int, seed: int, spread: int) -> None:
    pixels = np.random.default_rng(seed).integers(255 - spread, 256, (height, width, 3), np.uint8)
    found = fingerprint(pixels)
    assert found.shape == (768,)
    assert found.dtype == np.float32
    assert np.linalg.norm(found) == pytest.approx(1, abs=1e-4) or not found.any()
    areas = np.sqrt(np.repeat(np.arange(COARSE.radii) + 0.5, COARSE.angles))
    assert float(areas @ found) == pytest.approx(0, abs=1e-3)


@pytest.mark.parametrize("size", [(1, 1), (3, 3), (64, 64), (40, 2000)])
@pytest.mark.parametrize("grey", [0, 128, 255])
def test_a_picture_of_one_grey_cannot_be_compared(size: tuple[int, int], grey: int) -> None:
    assert not fingerprint(np.full((*size, 3), grey, np.uint8)).any()


def test_a_faint_picture_can_be_compared_and_a_fainter_one_cannot() -> None:
    board = np.indices((64, 64)).sum(axis=0) // 16 % 2
    assert fingerprint(np.repeat((120 + 4 * board)[..., None], 3, axis=2).astype(np.uint8)).any()
    assert not fingerprint(np.repeat((120 + 2 * board)[..., None], 3, axis=2).astype(np.uint8)).any()


def test_light_and_contrast_do_not_matter() -> None:
    darker = np.clip(smear(5) * 0.6 + 20, 0, 255).astype(np.uint8)
    assert inner(shaped(darker), shaped(smear(5))) > 0.999


@pytest.mark.parametrize("size", [48, 60, 96, 163, 400])
def test_size_does_not_matter(size: int) -> None:
    scaled = np.array(Image.fromarray(smear(6, 200)).resize((size, size), Image.Resampling.BICUBIC))
    assert inner(shaped(scaled), shaped(smear(6, 200))) > 0.995


@pytest.mark.parametrize("axis", [0, 1])
def test_only_the_central_square_is_seen(axis: int) -> None:
    square = smear(7)
    beside = np.random.default_rng(0).integers(0, 255, (96, 30, 3), np.uint8)
    beside = beside if axis else beside.transpose(1, 0, 2)
    long = np.concatenate([beside, square, beside], axis=axis)
    np.testing.assert_allclose(fingerprint(long), fingerprint(square), atol=1e-5)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000), radii=st.integers(1, 5), half=st.integers(1, 12))
def test_correlations_are_the_inner_products_at_every_turn(seed: int, radii: int, half: int) -> None:
    rng, angles = np.random.default_rng(seed), 2 * half
    first, second = rng.normal(size=(2, 3, radii, angles)).astype(np.float32)
    plain, mirrored = correlations(spectrum(first), spectrum(second), angles)
    for pair, (one, other) in enumerate(zip(first, second, strict=True)):
        reversed_ = other[:, (-np.arange(angles)) % angles]
        for shift in range(angles):
            assert plain[pair, shift] == pytest.approx(inner(np.roll(one, shift, 1), other), abs=1e-3)
            assert mirrored[pair, shift] == pytest.approx(inner(np.roll(one, shift, 1), reversed_), abs=1e-3)


def test_different_smears_are_less_alike_than_any_copy() -> None:
    vectors = np.stack([shaped(smear(number)) for number in range(24)])
    first, second = np.triu_indices(24, 1)
    found = correlations(spectrum(vectors[first]), spectrum(vectors[second]), COARSE.angles)
    assert max(side.max() for side in found) < 0.9
    again = np.stack([shaped(np.rot90(smear(number)[:, ::-1]).copy()) for number in range(24)])
    assert correlations(spectrum(vectors), spectrum(again), COARSE.angles)[1].max(axis=1).min() > 0.99

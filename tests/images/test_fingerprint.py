"""Fingerprints: those of copies are alike, those of other images are not; checksums know equal pixels."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from leukobench.images.fingerprint import CHECKSUMS, fingerprint, pooled, rooted, symmetric, vocabulary
from leukobench.images.keypoints import MIRRORED, find_keypoints, grey_version
from leukobench.images.synthetic import draw_image


def smear(number: int, size: int = 160) -> np.ndarray:
    return draw_image(number, patients=24, seed=5, size=size)[0]


def described(pixels: np.ndarray) -> np.ndarray:
    return fingerprint(pixels, find_keypoints(grey_version(pixels)))


def test_pooling_is_vlad() -> None:
    """As Jegou et al. define it, one descriptor after the other."""
    middle, projection, words = vocabulary()
    descriptors = find_keypoints(grey_version(smear(0))).descriptors
    sums = np.zeros(words.shape)
    for numbers in (symmetric(descriptors).astype(float) - middle) @ projection:
        nearest = np.linalg.norm(words - numbers, axis=1).argmin()
        sums[nearest] += (numbers - words[nearest]) / np.linalg.norm(numbers - words[nearest])
    signed = np.sign(sums) * np.sqrt(np.abs(sums))
    lengths = np.linalg.norm(signed, axis=1, keepdims=True)
    rows = np.divide(signed, lengths, where=lengths > 0, out=np.zeros_like(signed))
    np.testing.assert_allclose(pooled(descriptors), rows.ravel() / np.linalg.norm(rows), atol=1e-4)


def test_descriptors_and_their_mirror_images_are_pooled_alike() -> None:
    descriptors = find_keypoints(grey_version(smear(1))).descriptors
    np.testing.assert_allclose(pooled(descriptors), pooled(descriptors[:, MIRRORED]), atol=1e-6)
    np.testing.assert_allclose((rooted(descriptors) ** 2).sum(axis=1), 1, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize(
    "change",
    [
        lambda p: np.rot90(p).copy(),
        lambda p: p[:, ::-1].copy(),
        lambda p: np.array(Image.fromarray(p).resize((100, 100))),
        lambda p: p[16:, :-20].copy(),
        lambda p: (p * 0.8).astype(np.uint8),
    ],
    ids=["turned", "mirrored", "scaled", "cropped", "darker"],
)
def test_copies_are_more_alike_than_other_images(change: object) -> None:
    prints = np.stack([described(smear(number))[CHECKSUMS:] for number in range(12)])
    copy = described(change(smear(0)))[CHECKSUMS:]  # type: ignore[operator]
    likeness = prints @ copy
    assert likeness.argmax() == 0
    assert likeness[0] > likeness[1:].max() + 0.05


def test_checksums_are_equal_where_the_pixels_are_in_whatever_orientation() -> None:
    first = described(smear(3))
    for view in (np.rot90(smear(3)).copy(), smear(3)[::-1].copy()):
        np.testing.assert_array_equal(described(view)[:CHECKSUMS], first[:CHECKSUMS])
    other = smear(3).copy()
    other[0, 0, 0] ^= 1
    assert (described(other)[:CHECKSUMS] != first[:CHECKSUMS]).any()


@settings(max_examples=30, deadline=None)
@given(height=st.integers(1, 90), width=st.integers(1, 90), seed=st.integers(0, 1000), spread=st.integers(0, 235))
def test_every_fingerprint_has_norm_one_or_is_all_zeros(height: int, width: int, seed: int, spread: int) -> None:
    pixels = np.random.default_rng(seed).integers(255 - spread, 256, (height, width, 3), np.uint8)
    numbers = described(pixels)
    assert numbers.dtype == np.float32
    assert numbers.shape == (CHECKSUMS + 2048,)
    norm = np.linalg.norm(numbers[CHECKSUMS:])
    assert norm == pytest.approx(1, abs=1e-4) or not numbers[CHECKSUMS:].any()

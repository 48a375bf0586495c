"""Augmentation changes what a camera or a stain might, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leukobench.classifiers.cnns.augmentation import Augmentation

MOVES = Augmentation(shift=0, brightness=0, stain=0)
NOTHING = Augmentation(flips=False, rotations=False, shift=0, brightness=0, stain=0)


def images(count: int = 6, height: int = 12, width: int = 12) -> np.ndarray:
    return np.random.default_rng(3).uniform(0, 255, (count, height, width, 3)).astype(np.float32)


@given(st.integers(0, 10_000))
def test_pixels_stay_pixels(seed: int) -> None:
    made = Augmentation(shift=0.3, brightness=0.5, stain=0.5)(images(), np.random.default_rng(seed))
    assert made.shape == (6, 12, 12, 3)
    assert made.dtype == np.float32
    assert np.isfinite(made).all()
    assert 0 <= made.min() <= made.max() <= 255


def test_turning_and_mirroring_give_all_eight_orientations_and_no_other() -> None:
    one = images(1)
    made = MOVES(np.repeat(one, 400, axis=0), np.random.default_rng(0))
    turned = [np.rot90(side, k) for side in (one[0], one[0][:, ::-1]) for k in range(4)]
    found = [next(k for k, other in enumerate(turned) if np.array_equal(image, other)) for image in made]
    assert set(found) == set(range(8))
    assert np.bincount(found).min() > 20


def test_an_image_that_is_not_square_keeps_its_shape() -> None:
    one = images(1, 4, 8)
    made = MOVES(np.repeat(one, 200, axis=0), np.random.default_rng(0))
    assert {image.tobytes() for image in made} == {
        side.tobytes() for side in (one[0], one[0][::-1], one[0][:, ::-1], one[0][::-1, ::-1])
    }


def test_nothing_asked_nothing_done() -> None:
    np.testing.assert_array_equal(NOTHING(images(), np.random.default_rng(0)), images())


def test_a_shift_repeats_the_edge() -> None:
    ramp = np.broadcast_to(np.arange(20, dtype=np.float32)[None, None, :, None], (200, 20, 20, 3)).copy()
    shifted = Augmentation(flips=False, rotations=False, shift=0.2, brightness=0, stain=0)
    made = shifted(ramp, np.random.default_rng(0))
    steps = np.diff(made[:, 0, :, 0], axis=1)
    assert set(steps.ravel()) == {0.0, 1.0}
    assert (19 - steps.sum(axis=1)).max() == 4


def test_stain_keeps_white_white_and_changes_the_rest_as_beer_and_lambert_say() -> None:
    jitter = Augmentation(flips=False, rotations=False, shift=0, brightness=0, stain=0.2)
    white = np.full((50, 2, 2, 3), 255, np.float32)
    assert jitter(white, np.random.default_rng(0)).min() > 245
    # One stain alone: its density is multiplied by one factor in all three colours.
    density = 0.5 * np.array([0.65, 0.70, 0.29])
    stained = np.broadcast_to(256 * np.exp(-density) - 1, (200, 2, 2, 3)).astype(np.float32).copy()
    made = -np.log((jitter(stained, np.random.default_rng(0)) + 1) / 256)
    factors = made[:, 0, 0] / density
    assert 0.7 < factors.min() < 0.95
    assert 1.05 < factors.max() < 1.3


@pytest.mark.parametrize(
    ("said", "message"), [({"flip": True}, "unknown flip"), ({"shift": 1.5}, "shift must be"), ({"stain": -1}, "stain")]
)
def test_what_cannot_be_is_refused(said: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Augmentation.of(said)


def test_what_a_parameter_says() -> None:
    assert Augmentation.of(False) is None
    assert Augmentation.of(True) == Augmentation()
    assert Augmentation.of({"stain": 0.2}) == Augmentation(stain=0.2)

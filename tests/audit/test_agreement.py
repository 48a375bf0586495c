"""Agreement of two images that lie on one another: of their structure, not of their light."""

from __future__ import annotations

import numpy as np
import pytest

from leukobench.audit.agreement import agreement
from leukobench.images.keypoints import grey_version
from leukobench.images.synthetic import draw_image


def test_agreement_is_that_of_the_structure_whatever_the_light() -> None:
    first = grey_version(draw_image(6, 24, 9, 160)[0]).astype(np.float32)
    second = grey_version(draw_image(7, 24, 9, 160)[0]).astype(np.float32)
    rows = np.linspace(0.5, 1, first.shape[0], dtype=np.float32)[:, None]
    same = np.eye(2, 3)
    assert agreement(first, first, same) == (1, pytest.approx(1, abs=1e-3))
    assert agreement(first, first * rows, same)[1] > 0.95
    assert agreement(first, second, same)[1] < 0.5
    half = np.array([[1, 0, 64], [0, 1, 0.0]])
    overlap, likeness = agreement(first, np.roll(first, -64, axis=1), half)
    assert overlap == pytest.approx(0.5, abs=0.02)
    assert likeness > 0.99
    blank = np.full_like(first, 100)
    assert agreement(blank, blank, same)[1] == 0

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from leukobench.serving.temperature import apply_temperature


@settings(max_examples=50, deadline=None)
@given(temperature=st.floats(0.05, 20), seed=st.integers(0, 100))
def test_the_label_stays_and_they_remain_probabilities(temperature: float, seed: int) -> None:
    probabilities = np.random.default_rng(seed).dirichlet([0.5] * 4, 20)
    calibrated = apply_temperature(probabilities, temperature)
    assert np.array_equal(calibrated.argmax(axis=1), probabilities.argmax(axis=1))
    assert calibrated.sum(axis=1) == pytest.approx(np.ones(20))
    assert calibrated.min() >= 0

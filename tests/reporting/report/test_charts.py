"""Places on the lines that stand in tables, against NumPy's interpolation."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from leukobench.reporting.report.charts import Scale, whisker

NUMBERS = st.floats(-1e6, 1e6)


@given(low=NUMBERS, span=st.floats(1e-3, 1e6), value=NUMBERS)
def test_places_are_interpolated_and_end_at_the_ends(low: float, span: float, value: float) -> None:
    expected = float(np.interp(value, [low, low + span], [0, 1]))
    assert Scale(low, low + span).at(value) == pytest.approx(expected, abs=1e-6)


@given(low=NUMBERS, span=st.floats(1e-2, 1e6))
def test_ticks_are_few_even_and_inside(low: float, span: float) -> None:
    scale = Scale(low, low + span)
    ticks = scale.ticks()
    assert 2 <= len(ticks) <= 6
    assert all(low - 1e-6 * span <= tick <= low + span * (1 + 1e-6) for tick in ticks)
    steps = [b - a for a, b in pairwise(ticks)]
    assert steps == pytest.approx([steps[0]] * len(steps), rel=1e-6)


@given(st.lists(NUMBERS | st.just(math.nan)))
def test_a_scale_around_values_holds_them(values: list[float]) -> None:
    scale = Scale.around(values)
    assert scale.low < scale.high
    assert all(math.isnan(value) or scale.low <= value <= scale.high for value in values)


def test_a_whisker_reaches_from_low_to_high() -> None:
    line = whisker(Scale(0.5, 1.0), 0.8, 0.7, 0.9)
    assert line == {"dot": 60.0, "start": 40.0, "length": 40.0, "below": False}
    assert whisker(Scale(0.5, 1.0), 0.4, 0.3, 0.6)["below"]  # type: ignore[index]
    assert whisker(Scale(0.5, 1.0), math.nan, math.nan, math.nan) is None
    assert whisker(Scale(0.5, 1.0), 0.75, math.nan, math.nan)["length"] == 0  # type: ignore[index]

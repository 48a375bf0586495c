"""Scales and marks of the report's charts, against Matplotlib's own."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.colors import LogNorm, Normalize

from leukobench.reporting.report.charts import Chart, Scale, whisker

NUMBERS = st.floats(-1e6, 1e6)
POSITIVE = st.floats(1e-5, 1e5)


@given(low=NUMBERS, span=st.floats(1e-3, 1e6), value=NUMBERS)
def test_places_are_those_of_matplotlib(low: float, span: float, value: float) -> None:
    expected = float(Normalize(low, low + span, clip=True)(value))
    assert Scale(low, low + span).at(value) == pytest.approx(expected, abs=1e-6)


@given(low=POSITIVE, factor=st.floats(1.5, 1e4), value=POSITIVE)
def test_logarithmic_places_are_those_of_matplotlib(low: float, factor: float, value: float) -> None:
    expected = float(LogNorm(low, low * factor, clip=True)(value))
    assert Scale(low, low * factor, log=True).at(value) == pytest.approx(expected, abs=1e-6)


@given(low=NUMBERS, span=st.floats(1e-2, 1e6))
def test_ticks_are_few_even_and_inside(low: float, span: float) -> None:
    scale = Scale(low, low + span)
    ticks = scale.ticks()
    assert 2 <= len(ticks) <= 6
    assert all(low - 1e-6 * span <= tick <= low + span * (1 + 1e-6) for tick in ticks)
    steps = [b - a for a, b in pairwise(ticks)]
    assert steps == pytest.approx([steps[0]] * len(steps), rel=1e-6)


def test_decades_are_the_ticks_of_a_logarithmic_scale() -> None:
    assert Scale.decades([0.004, 12.0]).ticks() == pytest.approx([0.001, 0.01, 0.1, 1, 10, 100])
    assert Scale.decades([0.0, math.nan]).ticks() == pytest.approx([1, 10])


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


def test_points_and_bars_lie_within_the_axes() -> None:
    chart = Chart(Scale(0.0, 1.0), Scale(0.0, 10.0), "x", "y", "said")
    left, top, right, bottom = chart.box
    chart.point(1.0, 10.0, "corner")
    chart.bar(0.0, 0.5, 5.0, "half")
    assert (chart.marks[0].x, chart.marks[0].y) == (right, top)
    bar = chart.marks[1]
    assert (bar.y, bar.y + bar.height) == pytest.approx(((top + bottom) / 2, bottom))
    assert (bar.x, bar.x + bar.width) == pytest.approx((left + 1, (left + right) / 2 - 1))

"""Calibration lines are logistic regressions, as scikit-learn fits them without a penalty."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression

from leukobench.evaluation.statistics.calibration_line import calibration_lines


def drawn(seed: int, slope: float, intercept: float, groups: int = 60, spread: float = 0.0) -> tuple[Any, Any, Any]:
    """Labels of two classes whose log odds are a line of the predicted ones, with an effect of each group."""
    rng = np.random.default_rng(seed)
    codes = np.repeat(np.arange(groups), 10)
    odds = rng.normal(0, 1.5, len(codes))
    true = intercept + slope * odds + spread * rng.normal(size=groups)[codes]
    second = expit(odds)
    return (rng.random(len(codes)) < expit(true)).astype(np.int64), np.column_stack([1 - second, second]), codes


def test_slope_and_intercept_are_those_of_scikit_learn() -> None:
    labels, probabilities, codes = drawn(0, 0.6, 0.5)
    first, second = calibration_lines(labels, probabilities, codes)
    odds = logit(probabilities[:, 1])
    model = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000).fit(odds[:, None], labels)
    assert second.slope[0] == pytest.approx(model.coef_[0, 0], abs=1e-6)
    assert first.slope[0] == pytest.approx(second.slope[0], abs=1e-9)
    large = brentq(lambda shift: (labels - expit(shift + odds)).sum(), -5, 5, xtol=1e-12)
    assert second.intercept[0] == pytest.approx(large, abs=1e-8)
    assert first.intercept[0] == pytest.approx(-second.intercept[0], abs=1e-8)


@pytest.mark.parametrize("spread", [0.0, 0.6])
def test_the_interval_is_that_of_the_groups(spread: float) -> None:
    """Against the spread over many samples: images of a group count for less where they are alike."""
    fits = [calibration_lines(*drawn(seed, 1.0, 0.0, 40, spread))[1] for seed in range(60)]
    for part in ("slope", "intercept"):
        values = np.array([getattr(one, part) for one in fits])
        reach = (values[:, 2] - values[:, 1]).mean() / 2 / 2.03
        assert reach == pytest.approx(values[:, 0].std(ddof=1), rel=0.25)


def test_what_is_separated_or_absent_has_no_slope() -> None:
    labels, codes = np.repeat([0, 1], 10), np.arange(20)
    second = np.where(labels == 1, 0.9, 0.2)
    separated = calibration_lines(labels, np.column_stack([1 - second, second, 0 * second]), codes)
    assert np.isnan(separated[1].slope).all()
    assert np.isfinite(separated[1].intercept).all()
    assert np.isnan([*separated[2].slope, *separated[2].intercept]).all()
    one_group = calibration_lines(np.arange(20) % 2, np.full((20, 2), 0.5), np.zeros(20, dtype=np.int64))
    assert np.isnan(one_group[1].intercept[1:]).all()

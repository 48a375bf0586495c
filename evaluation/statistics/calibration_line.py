"""Calibration intercept and slope: whether probabilities of each class are too high, and too extreme, on new images."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..metric import Floats, Integers
from .intervals import Interval

UNDEFINED: Interval = (np.nan, np.nan, np.nan)
LEAST = 1e-6
"""Probabilities nearer to 0 or 1 count as this far away."""
_STEPS, _SMALL, _STEEPEST = 50, 1e-9, 50.0
_ALPHA = 0.05


@dataclass(frozen=True)
class CalibrationLine:
    """One class against the rest: log odds of its images as a line of the log odds that were predicted.

    Attributes
    ----------
    intercept : (float, float, float)
        With a slope of 1: above 0 where the class is more frequent than predicted. With its 95 % interval.
    slope : (float, float, float)
        Below 1 where probabilities are too extreme. NaN where the class is separated without an error, or absent.
    """

    intercept: Interval
    slope: Interval


def calibration_lines(labels: Integers, probabilities: Floats, groups: Integers) -> list[CalibrationLine]:
    """The line of each class, with intervals that hold where images of one group are alike.

    Parameters
    ----------
    labels : ndarray of int64, shape (n,)
    probabilities : ndarray of float64, shape (n, K)
    groups : ndarray of int64, shape (n,)
        Are independent of one another, not the images.

    References
    ----------
    Cox: Two further applications of a model for binary regression. Biometrika 45 (1958) 562-565; Van Calster et al.:
    Calibration: the Achilles heel of predictive analytics. BMC Medicine 17 (2019) 230; Liang, Zeger: Longitudinal data
    analysis using generalized linear models. Biometrika 73 (1986) 13-22 (the variance).
    """
    codes = np.unique(groups, return_inverse=True)[1]
    return [_line(labels == column, probabilities[:, column], codes) for column in range(probabilities.shape[1])]


def _line(positive: NDArray[np.bool_], probability: Floats, codes: Integers) -> CalibrationLine:
    inside = np.clip(probability, LEAST, 1 - LEAST)
    odds = np.log(inside / (1 - inside))
    if positive.all() or not positive.any():
        return CalibrationLine(UNDEFINED, UNDEFINED)
    freedom = min(len(np.unique(codes[side])) for side in (positive, ~positive)) - 1
    ones = np.ones((len(odds), 1))
    intercept = _fit(ones, odds, positive, codes, freedom)
    separated = odds[positive].min() >= odds[~positive].max() or np.ptp(odds) < _SMALL
    sloped = None if separated else _fit(np.column_stack([odds, ones]), np.zeros(len(odds)), positive, codes, freedom)
    return CalibrationLine(intercept or UNDEFINED, sloped or UNDEFINED)


def _fit(
    columns: Floats, offset: Floats, positive: NDArray[np.bool_], codes: Integers, freedom: int
) -> Interval | None:
    """First coefficient of a logistic regression, by Newton's method; None where it has no end."""
    from scipy.special import expit, stdtrit

    weights = np.zeros(columns.shape[1])
    for _ in range(_STEPS):
        mean = expit(columns @ weights + offset)
        curvature = (columns * (mean * (1 - mean))[:, None]).T @ columns
        step = np.linalg.lstsq(curvature, columns.T @ (positive - mean), rcond=None)[0]
        weights = weights + step * min(1.0, 4 / max(float(np.abs(step).max()), _SMALL))
        if np.abs(step).max() < _SMALL:
            break
    if not np.abs(weights[0]) < _STEEPEST:
        return None
    groups = int(codes.max()) + 1
    residuals = columns * (positive - mean)[:, None]
    scores = np.column_stack([np.bincount(codes, column, groups) for column in residuals.T])
    inverse = np.linalg.pinv(curvature)
    variance = float((inverse @ (scores.T @ scores) @ inverse)[0, 0]) * groups / max(groups - 1, 1)
    if freedom < 1:
        return float(weights[0]), np.nan, np.nan
    reach = float(stdtrit(freedom, 1 - _ALPHA / 2)) * np.sqrt(variance)
    return float(weights[0]), float(weights[0] - reach), float(weights[0] + reach)

"""Where a combination fails: parts of the images in which it is wrong more often than elsewhere, beyond doubt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..metric import Floats, Integers

Flags = NDArray[np.bool_]
_ALPHA = 0.05
_TINY = 1e-300
_ROUNDING = 1e-9


@dataclass(frozen=True)
class Part:
    """Some of the images, and what counts as an error there.

    Attributes
    ----------
    fact, name : str
        Such as ``site`` and ``B``.
    inside, outside : ndarray of bool, shape (n,)
        The images of the part, and those that it is compared with.
    errors : ndarray of float64, shape (n,)
        1 where the image is wrong, or the share of the repeats in which it is.
    units : ndarray of int64, shape (n,)
        Images that share a number are one piece of evidence in common, such as those of a patient.
    """

    fact: str
    name: str
    inside: Flags
    outside: Flags
    errors: Floats
    units: Integers


class Failure(NamedTuple):
    """A part: images, units, errors, their share with its 95 % interval, share elsewhere, and p without correction."""

    images: int
    units: int
    wrong: float
    rate: float
    low: float
    high: float
    elsewhere: float
    p: float


def failure(part: Part) -> Failure:
    """How often the combination is wrong in a part, and whether that is more often than elsewhere.

    Fisher's exact test of the part against the other images, one-sided, on counts that are divided by the design
    effect: how much the errors of one unit go together makes the difference of the two rates vary more. With few units
    that effect is itself uncertain: p is expanded from the normal to Student's distribution.

    References
    ----------
    Rao, Scott: A simple method for the analysis of clustered binary data. Biometrics 48 (1992) 577-585; Korn, Graubard:
    Confidence intervals for proportions with small expected number of positive counts estimated from survey data.
    Survey Methodology 24 (1998) 193-201.
    """
    from scipy.special import ndtri, stdtr

    used = part.inside | part.outside
    inside, errors = part.inside[used], part.errors[used]
    units = np.unique(part.units[used], return_inverse=True)[1]
    count, others = int(inside.sum()), int((~inside).sum())
    wrong, elsewhere = float(errors[inside].sum()), float(errors[~inside].sum())
    rates = wrong / count, elsewhere / others
    alike = _correlation(errors - np.where(inside, *rates), units)
    effect = _design_effect(inside - inside.mean(), units, alike)
    p = _fisher(wrong / effect, count / effect, elsewhere / effect, others / effect)
    number = int(units.max()) + 1
    p = float(stdtr(max(number - 2, 1), ndtri(np.clip(p, _TINY, 1.0))))
    own = _design_effect(inside.astype(np.float64), units, alike)
    low, high = _limits(wrong / own, count / own)
    return Failure(count, len(np.unique(units[inside])), wrong, rates[0], low, high, rates[1], p)


def beyond_doubt(p: Floats) -> Flags:
    """Where a corrected p is below 5 %."""
    return np.asarray(p < _ALPHA)


def _fisher(wrong: float, count: float, elsewhere: float, others: float) -> float:
    """One-sided p of Fisher's exact test; between whole numbers of errors its logarithm is a straight line."""
    from scipy.stats import hypergeom

    size, rest = max(round(count), 1), max(round(others), 1)
    total = min(round(wrong + elsewhere), size + rest)
    least = int(np.floor(wrong + _ROUNDING))
    tails = hypergeom.sf([least - 1, least], size + rest, total, size)
    logs = np.log(np.maximum(tails, _TINY))
    return float(np.exp(logs[0] + max(wrong - least, 0.0) * (logs[1] - logs[0])))


def _correlation(residuals: Floats, units: Integers) -> float:
    """Correlation of two errors of one unit, by analysis of variance; 0 where there are no units of several images."""
    sizes = np.bincount(units)
    count, number = len(units), len(sizes)
    if number == count or number <= 2:
        return 0.0
    between = float((np.bincount(units, residuals) ** 2 / sizes).sum())
    within = max(float((residuals**2).sum()) - between, 0.0) / (count - number)
    between /= number - 2
    usual = (count - (sizes**2).sum() / count) / (number - 1)
    total = between + (usual - 1) * within
    return float(np.clip((between - within) / total, 0.0, 1.0)) if total > 0 else 0.0


def _design_effect(weights: Floats, units: Integers, correlation: float) -> float:
    """How much more the weighted sum of the errors varies than if they were independent; at least 1."""
    together = (np.bincount(units, weights) ** 2).sum() / (weights**2).sum()
    return float(max(1.0, 1 + correlation * (together - 1)))


def _limits(wrong: float, count: float) -> tuple[float, float]:
    """Clopper and Pearson's interval, of counts that may be fractions."""
    from scipy.special import betaincinv

    low = betaincinv(wrong, count - wrong + 1, _ALPHA / 2) if wrong > 0 else 0.0
    high = betaincinv(wrong + 1, count - wrong, 1 - _ALPHA / 2) if wrong < count else 1.0
    return float(low), float(high)

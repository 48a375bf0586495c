"""Which combinations are among the best, which ranks each may have, and whether one beats a given other.

All of it is about these fitted models on new groups (patients, or images) like those of the run: each model is the
same in every resample, only the groups vary. Bounds hold for all combinations at once, so they also hold for one that
was picked because it came out first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..metric import Floats, FromCounts, Integers, Metric, Rate, ratio
from ..scorer import of_counts

Flags = NDArray[np.bool_]

_ALPHA = 0.05
_LEAST_RESAMPLES, _NOTHING = 20, 1e-9
_PRIOR = 6.0
"""Degrees of freedom that the usual variance of a difference counts for, beside those of its own."""


class BestSet(NamedTuple):
    """Simultaneous statements on m combinations.

    Attributes
    ----------
    member : ndarray of bool, shape (m,)
        With 95 % confidence the best is among these.
    rank_low, rank_high : ndarray of int64, shape (m,)
        With 95 % confidence every rank is between its own two.
    margin : ndarray of float64, shape (m, m)
        With 95 % confidence every difference is within this of what came out.
    """

    member: Flags
    rank_low: Integers
    rank_high: Integers
    margin: Floats


@dataclass(frozen=True)
class Differences:
    """Differences of one metric (higher is better) between m combinations, on the same groups.

    Attributes
    ----------
    values : ndarray of float64, shape (m,)
    deviations : ndarray of float64, shape (m, r)
        Of the resamples from their mean; those are left out in which a combination has no value.
    spreads : ndarray of float64, shape (m, m)
        Standard deviations of the differences of the deviations, moderated.
    errors : ndarray of float64, shape (m, m)
        Standard errors of the differences: the spreads, and one error more.
    freedom : float
        Degrees of freedom of these errors.
    """

    values: Floats
    deviations: Floats
    spreads: Floats
    errors: Floats
    freedom: float

    @classmethod
    def of(cls, values: Floats, resampled: Floats, groups: int, classes: int, step: float) -> Differences:
        """From values, shape (m,), and those of resampled groups, shape (m, resamples).

        Parameters
        ----------
        values, resampled : ndarray of float64
        groups : int
            That were resampled.
        classes : int
            Each has a mean of its own, which costs a degree of freedom.
        step : float
            See `one_error`. Two combinations that differ in few groups, or in none, are no surer than if one more image
            had gone the other way: so many errors are added to each variance.
        """
        freedom = max(groups - classes, 1)
        defined = resampled[:, ~np.isnan(resampled).any(axis=0)]
        centred = defined - defined.mean(axis=1, keepdims=True) if defined.size else defined
        deviations = centred * np.sqrt(groups / freedom)  # a resample has the spread of `groups`, not of `freedom`
        if len(values) < 2:
            none = np.ones((len(values), len(values)))
            return cls(values, deviations, none, none, freedom)
        products = deviations @ deviations.T / max(deviations.shape[1], 1)
        own = np.diag(products)
        variances = np.maximum(own[:, None] + own - 2 * products, 0.0)
        moderated = (freedom * variances + _PRIOR * _usual(variances)) / (freedom + _PRIOR)
        return cls(values, deviations, np.sqrt(moderated), np.sqrt(moderated + step**2), freedom + _PRIOR)

    @property
    def known(self) -> bool:
        """Whether there are enough resamples to say anything."""
        return self.deviations.shape[1] >= _LEAST_RESAMPLES

    def less(self, other: int) -> Floats:
        """Each value minus that of `other`, in standard errors, shape (m,)."""
        return (self.values - self.values[other]) / self.errors[:, other]

    def by_chance(self, other: int) -> Floats:
        """The same of the resamples' deviations, in their own spreads, shape (m, r); 0 where nothing varies."""
        spreads = self.spreads[:, [other]]
        varies = np.divide(1.0, spreads, out=np.zeros_like(spreads), where=spreads > _NOTHING)
        return (self.deviations - self.deviations[other]) * varies

    def bound(self, greatest: Floats, level: float = 1 - _ALPHA, alone: float = 1 - _ALPHA) -> float:
        """Quantile of the greatest of some ratios, shape (r,), expanded to few degrees of freedom.

        It is never below the normal quantile `alone` of one comparison: rare errors hardly vary in resamples.
        """
        from scipy.special import ndtr, ndtri, stdtrit

        quantile = max(np.quantile(greatest, level), ndtri(alone))
        return float(-stdtrit(self.freedom, ndtr(-quantile)))


def _usual(variances: Floats) -> Floats:
    """What the variance of each difference would be if each combination had a share of its own in all its differences.

    Few groups make some variances too small by chance, and the greatest of many ratios picks out these.
    """
    size = len(variances)
    others = variances[~np.eye(size, dtype=bool)].reshape(size, -1)
    own = np.median(others, axis=1)
    return np.maximum(own[:, None] + own - np.median(others), np.minimum(own[:, None], own) / 4)


def one_error(metric: Metric, labels: Integers, classes: int) -> float:
    """What one wrong image costs a combination that is right on all others, in the class where it costs most."""
    sizes = np.bincount(labels, minlength=classes).astype(np.float64)
    if not isinstance(metric.source, Rate | FromCounts):
        return float(np.nanmax(ratio(np.ones(classes), classes * sizes)))
    right = np.diag(sizes)
    values = []
    for row in np.flatnonzero(sizes):
        wrong = right.copy()
        wrong[row, row] -= 1
        wrong[row, (row + 1) % classes] += 1
        values.append(of_counts(metric, wrong))
    return float(of_counts(metric, right) - np.nanmin(values))


def best_set(differences: Differences) -> BestSet:
    """Multiple comparisons with the best, and ranks, from studentised bounds on the differences of all pairs.

    Whether one may be the best is tested against all others at once. Those that are clearly worse than it cannot beat
    it by chance; they are deleted, and the test is repeated without them.

    Returns
    -------
    BestSet
        Everything is possible where there are too few resamples.

    References
    ----------
    Hsu: Multiple comparisons. Chapman & Hall 1996, chapter 4; Romano, Wolf: Exact and approximate stepdown methods for
    multiple hypothesis testing. JASA 100 (2005) 94-108 (the greatest of studentised resampled differences); Hansen: A
    test for superior predictive ability. JBES 23 (2005) 365-380 (deletion); Mogstad, Romano, Shaikh, Wilhelm: Inference
    for ranks. Review of Economic Studies 91 (2024) 476-518; Hesterberg: What teachers should know about the bootstrap.
    The American Statistician 69 (2015) 371-386 (few groups).
    """
    size = len(differences.values)
    if size < 2 or not differences.known:
        ones = np.ones(size, dtype=np.int64)
        return BestSet(np.ones(size, dtype=bool), ones, size * ones, np.full((size, size), np.inf))
    member = np.ones(size, dtype=bool)
    greatest = np.full(differences.deviations.shape[1], -np.inf)
    for one in range(size):
        ratios, chance = differences.less(one), differences.by_chance(one)
        over_all = chance.max(axis=0)
        bound = differences.bound(over_all)
        near = ratios > -bound
        member[one] = ratios.max() <= (bound if near.all() else differences.bound(chance[near].max(axis=0)))
        greatest = np.maximum(greatest, over_all)
    margin = differences.bound(greatest, alone=1 - _ALPHA / 2) * differences.errors
    gaps = differences.values[:, None] - differences.values
    better = (gaps > margin).sum(axis=0)
    return BestSet(member, 1 + better, size - (-gaps > margin).sum(axis=0), margin)


def less_one(differences: Differences, picked: int, other: int) -> tuple[float, float, float]:
    """The value of `picked` minus that of `other`, which is no candidate, with its 95 % interval.

    The interval is one for all candidates at once, and so for whichever was picked: of many that are no better than
    `other`, one is found to be better with a probability of at most 2.5 %.

    References
    ----------
    Dunnett: A multiple comparison procedure for comparing several treatments with a control. JASA 50 (1955) 1096-1121.
    """
    gap, error = differences.values[picked] - differences.values[other], differences.errors[picked, other]
    if not differences.known:
        return float(gap), float("nan"), float("nan")
    chance, level = np.delete(differences.by_chance(other), other, axis=0), 1 - _ALPHA / 2
    up, down = (differences.bound(sign.max(axis=0), level, level) for sign in (chance, -chance))
    return float(gap), float(gap - up * error), float(gap + down * error)

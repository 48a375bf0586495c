"""Paired drops: how much lower a metric is where something was taken from the images, and whether it was needed.

Both scores are of the same images in the same folds, so what is hard about an image is in both, and the interval of
their difference is narrower than those of the scores.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..metric import Floats, FromAreas, Integers, Metric
from ..scorer import Scorer
from .best_set import one_error
from .intervals import rates
from .ranking import FoldAreas
from .resampling import GroupResamples

Scores = tuple[float, Floats]
"""A metric of all images, and of each resample, shape (resamples,)."""
NEEDED, NOT_NEEDED, UNDECIDED = "needed", "not needed", "undecided"
_ALPHA, _POWER = 0.05, 0.8
_MOST_IMAGES = 10**6


@dataclass(frozen=True)
class Drop:
    """A score, and how much lower it is than another.

    Attributes
    ----------
    value : float
    drop, low, high : float
        With its 95 % interval; NaN where it is not defined.
    error : float
        Standard error.
    """

    value: float
    drop: float
    low: float
    high: float
    error: float

    def verdict(self, margin: float) -> str:
        """Needed where the whole interval is above the margin, not needed where it is below, else undecided."""
        if self.low > margin:
            return NEEDED
        return NOT_NEEDED if self.high < margin else UNDECIDED

    def images_to_decide(self, margin: float, images: int) -> int | None:
        """About how many images decide with a probability of 80 % if the drop stays; None for more than a million."""
        from scipy.special import ndtri

        gap = abs(self.drop - margin)
        if not gap > 0 or not self.error > 0:
            return None
        count = images * ((ndtri(1 - _ALPHA / 2) + ndtri(_POWER)) * self.error / gap) ** 2
        if count > _MOST_IMAGES:
            return None
        scale = 10 ** max(math.floor(math.log10(count)) - 1, 0)
        return max(math.ceil(count / scale) * scale, images)


@dataclass(frozen=True)
class PairedScores:
    """Scores of predictions on the same images, folds and resamples.

    Attributes
    ----------
    labels : ndarray of int64, shape (n,)
    classes : tuple of str
    groups : ndarray of int64, shape (n,)
        Are resampled.
    folds : ndarray of int64, shape (n,)
    metric : Metric
    resamples, seed : int
    """

    labels: Integers
    classes: tuple[str, ...]
    groups: Integers
    folds: Integers
    metric: Metric
    resamples: int = 1000
    seed: int = 0

    @cached_property
    def _drawn(self) -> GroupResamples:
        return GroupResamples(self.groups, self.resamples, self.seed)

    def scores(self, probabilities: Floats) -> Scores:
        """Of out-of-fold probabilities, shape (n, K)."""
        ones = np.ones((self._drawn.count, 1))
        score = self._function(probabilities)
        resampled = [score(weights) for weights, _ in self._drawn.chunks()]
        return float(score(ones)[0]), np.concatenate(resampled)

    def drop(self, whole: Scores, lowered: Scores) -> Drop:
        """From `scores` of both: the first less the second.

        Two predictions that differ in few groups, or in none, are no surer than if one more image had gone the other
        way: that much is added to the variance. Few groups cost degrees of freedom.

        References
        ----------
        Field, Welsh: Bootstrapping clustered data. Journal of the Royal Statistical Society B 69 (2007) 369-390.
        """
        from scipy.special import stdtrit

        gap, gaps = whole[0] - lowered[0], whole[1] - lowered[1]
        groups, freedom = self._drawn.count, max(self._drawn.count - len(self.classes), 1)
        gaps = gaps[np.isfinite(gaps)]
        variance = float(gaps.var()) * groups / freedom if len(gaps) > 1 else math.nan
        error = math.sqrt(variance + one_error(self.metric, self.labels, len(self.classes)) ** 2)
        reach = float(stdtrit(freedom, 1 - _ALPHA / 2)) * error
        return Drop(lowered[0], gap, gap - reach, gap + reach, error)

    def margin(self, whole: Scores, share: float) -> float | None:
        """A share of the way from guessing to `whole`; None where that is not surely above guessing."""
        majority = np.bincount(self.labels, minlength=len(self.classes)).argmax()
        guessed = self.scores(np.tile(np.eye(len(self.classes))[majority], (len(self.labels), 1)))
        chance = self.metric.guessing(len(self.classes))
        skill = self.drop(whole, guessed if chance is None else (chance, np.full(self.resamples, chance)))
        return share * skill.drop if skill.low > 0 else None

    def _function(self, probabilities: Floats) -> Callable[[Floats], Floats]:
        """From weights of the groups, shape (groups, r), to values, shape (r,)."""
        drawn = self._drawn
        if isinstance(source := self.metric.source, FromAreas):
            areas = FoldAreas(self.labels, probabilities, self.folds, drawn.codes, drawn.count)
            return lambda weights: source.compute(areas(weights))
        scorer = Scorer(self.classes, [self.metric])
        tally = scorer.tally(self.labels, probabilities, drawn.codes, drawn.count)
        return lambda weights: scorer.value(self.metric, weights.T @ tally)


class WhereWrong(NamedTuple):
    """Images on which another model is wrong, and the share of them on which this one is right, with its interval."""

    images: int
    right: float
    low: float
    high: float


def right_where_wrong(groups: Integers, right: NDArray[np.bool_], other: NDArray[np.bool_]) -> WhereWrong:
    """How often a model is right where another one is wrong.

    Parameters
    ----------
    groups : ndarray of int64, shape (n,)
        Are independent of one another, not the images.
    right, other : ndarray of bool, shape (n,)
        Where the model, and the other one, are right.
    """
    wrong = ~other
    if not wrong.any():
        return WhereWrong(0, math.nan, math.nan, math.nan)
    distinct, codes = np.unique(groups[wrong], return_inverse=True)
    images = np.bincount(codes).astype(np.float64)[:, None]
    hits = np.bincount(codes, right[wrong], len(distinct)).astype(np.float64)[:, None]
    low, high = rates(hits, images)
    return WhereWrong(int(wrong.sum()), float(right[wrong].mean()), float(low[0]), float(high[0]))

"""Learning curves: a metric against how much there was to train on, with what chance allows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..metric import Floats, FromAreas
from .best_set import Differences, best_set, one_error
from .entry import Design
from .intervals import Interval
from .ranking import FoldAreas

_HALF = 0.5


@dataclass(frozen=True)
class Point:
    """One combination after training on one size.

    Attributes
    ----------
    draws : ndarray, shape (d,)
        The metric after training on each draw.
    resampled : ndarray, shape (r,)
        Its mean over the draws, on resampled groups of the test parts.
    """

    draws: Floats
    resampled: Floats

    @classmethod
    def of(cls, design: Design, probabilities: Floats) -> Point:
        """From out-of-fold probabilities of each draw, shape (d, n, K); draws are the repeats of the design."""
        metric, scorer, groups = design.rank_by, design.scorer, design.resamples
        draws, resampled = [], []
        for own, folds in zip(probabilities, design.folds, strict=True):
            if isinstance(metric.source, FromAreas):
                areas, compute = FoldAreas(design.labels, own, folds, groups.codes, groups.count), metric.source.compute
                draws.append(compute(areas(np.ones((groups.count, 1))))[0])
                resampled.append(np.concatenate([compute(areas(drawn)) for drawn, _ in groups.chunks()]))
                continue
            tally = scorer.columns_for(metric, scorer.tally(design.labels, own, groups.codes, groups.count))
            draws.append(scorer.value(metric, tally.sum(axis=0)[None])[0])
            resampled.append(np.concatenate([scorer.value(metric, drawn.T @ tally) for drawn, _ in groups.chunks()]))
        return cls(np.array(draws), np.mean(resampled, axis=0))


@dataclass(frozen=True)
class Crossing:
    """Two combinations of which one is better after little training, the other after all; places and differences."""

    few: int
    all: int
    size: int
    ahead: Interval
    behind: Interval


class Curves:
    """Curves of m combinations over sizes, from the smallest to everything.

    An interval allows for other test images, as those of the leaderboard do, and for other training images of that
    number: how far draws of one size lie apart, taken over all combinations. Of everything there is one draw; its
    variance is taken for half of that of half of the images.

    Parameters
    ----------
    points : sequence of sequence of Point
        A row a combination, a column a size.
    design : Design
        Of any size.
    """

    def __init__(self, points: Sequence[Sequence[Point]], design: Design) -> None:
        sizes = range(len(points[0]))
        self.values = np.array([[point.draws.mean() for point in row] for row in points])
        self._resampled = np.array([[point.resampled for point in row] for row in points])
        draws = [np.array([row[size].draws for row in points]) for size in sizes]
        self._by_draw, self._gap_by_draw = _variances(draws), _variances([one - one.mean(axis=0) for one in draws])
        step = one_error(design.rank_by, design.labels, len(design.classes))
        self._rules = design.resamples.count, len(design.classes), step
        self._greatest = design.rank_by.greatest

    def band(self, combination: int, size: int) -> Interval:
        """The value with its interval."""
        value, nothing = self.values[combination, size], np.zeros_like(self._resampled[combination, size])
        differences = Differences.of(
            np.array([value, 0.0]), np.array([self._resampled[combination, size], nothing]), *self._rules
        )
        margin = self._margin(differences, 0, 1, self._by_draw[size])
        return float(value), float(value - margin), float(min(value + margin, self._greatest))

    def gain(self, combination: int, fewer: int, more: int) -> Interval:
        """What training on size `more` instead of `fewer` adds, with its interval."""
        differences = Differences.of(self.values[combination], self._resampled[combination], *self._rules)
        gap = self.values[combination, more] - self.values[combination, fewer]
        margin = self._margin(differences, more, fewer, self._by_draw[more] + self._by_draw[fewer])
        return float(gap), float(gap - margin), float(gap + margin)

    def crossings(self) -> list[Crossing]:
        """Pairs of which one is better with a smaller size and the other with everything, each beyond its interval.

        The intervals of one size hold for all its pairs at once; `size` is the largest at which the first leads.
        """
        last = self.values.shape[1] - 1
        if len(self.values) < 2:
            return []
        whole, crossed = self._pairs(last), {}
        for size in range(last):
            gaps, margins = self._pairs(size)
            for few, other in np.argwhere((gaps > margins) & (-whole[0] > whole[1])):
                ahead = _with_margin(gaps[few, other], margins[few, other])
                behind = _with_margin(whole[0][few, other], whole[1][few, other])
                crossed[few, other] = Crossing(int(few), int(other), size, ahead, behind)
        return list(crossed.values())

    def _pairs(self, size: int) -> tuple[Floats, Floats]:
        """Differences of all pairs at one size, and how far they may be off."""
        differences = Differences.of(self.values[:, size], self._resampled[:, size], *self._rules)
        errors = np.sqrt(differences.errors**2 + 2 * self._gap_by_draw[size])
        margins = best_set(replace(differences, errors=errors)).margin
        return self.values[:, [size]] - self.values[:, size], margins

    @staticmethod
    def _margin(differences: Differences, one: int, other: int, by_draw: float) -> float:
        if not differences.known:
            return float("nan")
        bound = differences.bound(np.abs(differences.by_chance(other)[one]), alone=0.975)
        return float(bound * np.sqrt(differences.errors[one, other] ** 2 + by_draw))


def _with_margin(gap: float, margin: float) -> Interval:
    return float(gap), float(gap - margin), float(gap + margin)


def _variances(draws: Sequence[Floats]) -> list[float]:
    """Of the mean over the draws of each size, shape (m, d) each, taken over the combinations; see `Curves`."""
    single = [float(one.var(axis=1, ddof=1).mean()) if one.shape[1] > 1 else None for one in draws]
    known = [
        value if value is not None else _HALF * (single[size - 1] or 0.0) if size else 0.0
        for size, value in enumerate(single)
    ]
    return [value / one.shape[1] for value, one in zip(known, draws, strict=True)]

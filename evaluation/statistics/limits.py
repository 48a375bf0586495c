"""The interval of every metric of one combination."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ..metric import Floats, FromCounts, FromProbabilities, Metric, Rate, ratio
from ..metrics import sensitivities, specificities
from ..scorer import Scorer
from . import intervals

Limits = tuple[Floats, Floats]


@dataclass(frozen=True)
class Evidence:
    """What the limits of one combination are computed from.

    Attributes
    ----------
    scorer : Scorer
    value : dict of str to ndarray, shape ()
        Every column.
    resampled : dict of str to ndarray, shape (resamples,)
        Every column.
    adverse : dict of str to ndarray, shape (resamples,)
        Metrics with an adverse group among those resampled, see `leukobench.evaluation.statistics.adverse`.
    by_chance : dict of str to ndarray, shape (2, resamples)
        See `Scorer.by_chance`, without and with the adverse group.
    counts : ndarray, shape (groups, K, K)
        True class by row; mean over repeats.
    areas : ndarray, shape (K,)
        Area under the ROC curve of each class against the rest.
    """

    scorer: Scorer
    value: dict[str, Floats]
    resampled: dict[str, Floats]
    adverse: dict[str, Floats]
    by_chance: dict[str, Floats]
    counts: Floats
    areas: Floats

    @cached_property
    def sensitivities(self) -> Limits:
        """Limits of the sensitivity of each class."""
        return intervals.rates(*sensitivities(self.counts))


def metric_limits(evidence: Evidence) -> dict[str, tuple[float, float]]:
    """Low and high of every column of one combination; see `leukobench.evaluation.statistics.intervals`."""
    value, columns = evidence.value, evidence.scorer.columns
    resampled = np.column_stack([evidence.resampled[column] for column in columns])
    low, high = intervals.percentile(resampled, len(evidence.counts))
    limits: dict[str, Limits] = {column: (low[i], high[i]) for i, column in enumerate(columns)}
    for metric in evidence.scorer.metrics:
        if isinstance(metric.source, FromProbabilities):
            limits[metric.name] = of_images(metric, metric.source, evidence)
            continue
        for column, wider in _wider(metric, evidence).items():
            limits[column] = intervals.farther(value[column], limits[column], wider)
        if metric.name in evidence.adverse:
            limits[metric.name] = intervals.nearer(
                value[metric.name], limits[metric.name], of_classes(metric, evidence)
            )
    return {column: (float(low), float(high)) for column, (low, high) in limits.items()}


def of_images(metric: Metric, source: FromProbabilities, evidence: Evidence) -> Limits:
    """Limits of a metric of probabilities: NaN for one group."""
    value = evidence.value[metric.name]
    groups = len(evidence.counts)
    low, high = _with_adverse_group(metric, evidence, groups - 1)
    if source.interval == "less chance":
        # sums of images differ from the true ones by no more than this, and so does the metric
        chance = evidence.by_chance[metric.name]
        low = value - np.max([intervals.stretched(0 * value, one, groups, groups - 1)[1] for one in chance], axis=0)
    return np.maximum(low, source.bounds[0]), np.minimum(high, source.bounds[1])


def of_classes(metric: Metric, evidence: Evidence) -> Limits:
    """Limits of a metric of several classes at once: NaN where a class lies in one group.

    Degrees of freedom are those that there were if every class had as few groups as the one with fewest.
    """
    groups = len(evidence.counts)
    of_class = (evidence.counts.sum(axis=-1) > 0).sum(axis=0)
    classes = int((of_class > 0).sum())
    fewest = int(of_class[of_class > 0].min())
    low, high = _with_adverse_group(metric, evidence, min(groups, fewest * classes) - classes)
    least = metric.source.least if isinstance(metric.source, FromCounts) else 0.0
    return np.maximum(low, least), np.minimum(high, metric.greatest)


def _with_adverse_group(metric: Metric, evidence: Evidence, degrees: int) -> Limits:
    """The farther limits of resamples with the adverse group and without."""
    groups, name = len(evidence.counts), metric.name
    first, second = (
        intervals.stretched(evidence.value[name], values[name], groups, degrees)
        for values in (evidence.resampled, evidence.adverse)
    )
    return np.minimum(first[0], second[0]), np.maximum(first[1], second[1])


def _wider(metric: Metric, evidence: Evidence) -> dict[str, Limits]:
    """Limits by another way than resampling, which have a width also where nothing is wrong."""
    columns = metric.columns(evidence.scorer.classes)
    if isinstance(metric.source, Rate):
        hits, images = metric.source.parts(evidence.counts)
        low, high = intervals.rates(hits, images)
        if metric.by_class or len(low) == 1:
            return {column: (low[i], high[i]) for i, column in enumerate(columns)}
        return {metric.name: intervals.mean(ratio(hits.sum(axis=0), images.sum(axis=0)), low, high)}
    if isinstance(metric.source, FromCounts):
        return _made_of_rates(metric, metric.source, evidence)
    return {metric.name: _macro_area(evidence)}


def _made_of_rates(metric: Metric, source: FromCounts, evidence: Evidence) -> dict[str, Limits]:
    """Limits of a metric of counts, as if one sensitivity at a time were at its own limit."""
    counts = evidence.counts.sum(axis=0)
    at_limits = [
        np.array([_counts_with_sensitivity(counts, row, rate) for row, rate in enumerate(limit)])
        for limit in evidence.sensitivities
    ]
    centre, low, high = (np.atleast_2d(source.compute(one).T) for one in (counts[None], *at_limits))
    limits: dict[str, Limits] = {}
    for i, column in enumerate(metric.columns(evidence.scorer.classes)):
        value = evidence.value[column]
        shift = value - centre[i]  # the mean over repeats is not the metric of the mean counts
        down, up = intervals.combine(value, low[i] + shift, high[i] + shift)
        limits[column] = down, np.minimum(up, metric.greatest)
    return limits


def _counts_with_sensitivity(counts: Floats, row: int, rate: float) -> Floats:
    """Counts with another sensitivity of one class; its errors spread as they are, and one more evenly."""
    total = counts[row].sum()
    wrong = counts[row] + 1 / max(len(counts) - 1, 1)
    wrong[row] = 0
    moved = counts.copy()
    if total:
        moved[row] = wrong / wrong.sum() * total * (1 - rate)
        moved[row, row] = total * rate
    return moved


def _macro_area(evidence: Evidence) -> Limits:
    defined = ~np.isnan(evidence.areas)  # of classes that there are
    areas, size = evidence.areas[defined], int(defined.sum())
    if not size:
        return np.array(np.nan), np.array(np.nan)
    parts = (rates(evidence.counts) for rates in (sensitivities, specificities))
    ones, zeros = (intervals.effective_images(hits[:, defined], images[:, defined]) for hits, images in parts)
    low, high = intervals.area(areas, ones, zeros)
    macro = areas.mean()
    return intervals.combine(macro, macro - (areas - low) / size, macro + (high - areas) / size)

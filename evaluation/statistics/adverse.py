"""One more group, as bad as can be expected: resamples of the groups that there are know nothing of others.

Where little went wrong, the groups at hand are better than most samples of groups would be, and an interval made of
them alone misses the truth, or has no width. So limits on the bad side come from resamples into which one more group is
drawn, as often as any other. It is as bad as the bad groups at hand, each weighing by the square of what it costs; this
is what corrects a percentile interval for skewness. The fewer groups with errors there are, the more of it consists of
images that are all wrong; without any error, it does wholly.
"""

from __future__ import annotations

import numpy as np

from ..metric import Floats, FromAreas, FromProbabilities, Integers, Metric, Rate, ratio
from ..scorer import Scorer


def adverse_groups(scorer: Scorer, labels: Integers, probabilities: Floats, tally: Floats) -> dict[str, Floats]:
    """Sums of the adverse group for each metric whose interval it widens.

    These are the metrics of probabilities, and those of several classes at once. For the latter the images that are
    all wrong are of one class: the one whose errors cost the most, for the errors seen in it.

    Parameters
    ----------
    scorer : Scorer
    labels : ndarray of int64, shape (n,)
    probabilities : ndarray of float64, shape (n, K)
    tally : ndarray of float64, shape (groups, columns)
        See `Scorer.tally`.

    Returns
    -------
    dict of str to ndarray, shape (columns,)

    References
    ----------
    Hall: The bootstrap and Edgeworth expansion. Springer 1992, section 3.10 (what skewness does to percentiles).
    """
    wrong = scorer.tally(labels, exchange(labels, probabilities), labels, len(scorer.classes))
    return mixtures(scorer, tally, wrong)


def mixtures(scorer: Scorer, tally: Floats, wrong: Floats) -> dict[str, Floats]:
    """As `adverse_groups`, of one sample or of several.

    Parameters
    ----------
    scorer : Scorer
    tally : ndarray of float64, shape (..., groups, columns)
    wrong : ndarray of float64, shape (..., K, columns)
        Sums of each class's images if all of them were wrong.
    """
    counts = scorer.counts(tally)
    errors = counts.sum(axis=-1) - np.diagonal(counts, axis1=-2, axis2=-1)
    everything = wrong.sum(axis=-2, keepdims=True), (errors.sum(axis=-1) > 0).sum(axis=-1)[..., None]
    by_class = wrong, (errors > 0).sum(axis=-2)
    return {
        metric.name: _group(scorer, metric, tally, *(everything if _of_images(metric) else by_class))
        for metric in scorer.metrics
        if _of_images(metric) or _of_classes(metric, counts)
    }


def exchange(labels: Integers, probabilities: Floats) -> Floats:
    """Probabilities, shape (n, K), that make each prediction wrong: the two highest change places where it is right."""
    rows = np.arange(len(labels))
    top = probabilities.argmax(axis=1)
    others = probabilities.copy()
    others[rows, top] = -np.inf
    second = others.argmax(axis=1)
    right = np.flatnonzero(top == labels)
    wrong = probabilities.copy()
    wrong[right, top[right]] = probabilities[right, second[right]]
    wrong[right, second[right]] = probabilities[right, top[right]]
    return wrong


def _of_images(metric: Metric) -> bool:
    return isinstance(metric.source, FromProbabilities)


def _of_classes(metric: Metric, counts: Floats) -> bool:
    if metric.by_class or isinstance(metric.source, FromAreas):
        return False
    return not isinstance(metric.source, Rate) or metric.source.parts(counts)[1].shape[-1] > 1


def _group(scorer: Scorer, metric: Metric, tally: Floats, wrong: Floats, evidence: Integers) -> Floats:
    """Of the mixtures of what is seen with each row of `wrong`, by the groups with errors, the one that costs most."""
    total = tally.sum(axis=-2, keepdims=True)
    images = scorer.counts(wrong).sum(axis=(-2, -1))[..., None]
    size = scorer.counts(total).sum(axis=(-2, -1))[..., None] / tally.shape[-2]

    def cost(sums: Floats) -> Floats:
        change = scorer.value(metric, total) - scorer.value(metric, total + sums)
        return np.maximum(np.nan_to_num(change if metric.greater_is_better else -change), 0.0)

    weights = np.square(cost(tally))
    weights = np.where(weights.any(axis=-1, keepdims=True), weights, 1.0)
    seen = (weights / weights.sum(axis=-1, keepdims=True))[..., None, :] @ tally
    all_wrong = np.nan_to_num(wrong * size * ratio(np.ones_like(images), images))
    mixed = (evidence[..., None] * seen + all_wrong) / (evidence[..., None] + 1)
    return np.take_along_axis(mixed, cost(mixed).argmax(axis=-1)[..., None, None], axis=-2)[..., 0, :]

"""Sensitivity at 95 % specificity, and the reverse, at thresholds that other images chose."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..metric import Floats, Integers, ratio
from . import intervals


class Points(NamedTuple):
    """A rate of each class with the limits of its 95 % interval, each of shape (K,); NaN where there is none."""

    value: Floats
    low: Floats
    high: Floats


def operating_points(
    labels: Integers, probabilities: Floats, folds: Integers, groups: Integers, count: int
) -> tuple[Points, Points]:
    """Each class against the rest, pooled over folds, mean over repeats.

    Parameters
    ----------
    labels : ndarray of int64, shape (n,)
    probabilities : ndarray of float64, shape (repeats, n, K)
        Out-of-fold.
    folds : ndarray of int64, shape (repeats, n)
    groups : ndarray of int64, shape (n,)
        From 0 to ``count - 1``.
    count : int

    Returns
    -------
    (Points, Points)
        Sensitivity at 95 % specificity, and specificity at 95 % sensitivity. What the threshold chosen on the other
        folds keeps of the 95 % in each fold varies, and so does what it reaches; the intervals are those of rates.
    """
    repeats, _, classes = probabilities.shape
    sums = np.zeros((2, 2, classes, count))  # sensitivity and specificity; hits and images
    for own, inside in zip(probabilities, folds, strict=True):
        for column in range(classes):
            positive = labels == column
            specific, sensitive = taken_by_thresholds(positive, own[:, column], inside)
            for place, (hit, side) in enumerate(((specific, positive), (1 - sensitive, ~positive))):
                rows = side & ~np.isnan(hit)
                sums[place, 0, column] += np.bincount(groups[rows], hit[rows], count)
                sums[place, 1, column] += np.bincount(groups[rows], minlength=count)
    sums /= repeats
    sensitivity, specificity = (
        Points(ratio(hits.sum(axis=1), images.sum(axis=1)), *intervals.rates(hits.T, images.T)) for hits, images in sums
    )
    return sensitivity, specificity


def taken_by_thresholds(
    positive: NDArray[np.bool_], scores: Floats, folds: NDArray[np.integer], least: float = 0.95
) -> tuple[Floats, Floats]:
    """Which images count as positive at a threshold that the images of the other folds choose.

    Two thresholds: of those with a specificity of at least `least` among the images of the other folds, the one with
    the highest sensitivity there; and the reverse. A threshold chosen on the images that it is applied to would promise
    more than it keeps.

    Parameters
    ----------
    positive : ndarray of bool, shape (n,)
    scores : ndarray of float64, shape (n,)
        Out-of-fold.
    folds : ndarray of int, shape (n,)
    least : float

    Returns
    -------
    (ndarray, ndarray) of float64, each of shape (n,)
        1 where an image counts as positive, at the specific and at the sensitive threshold; NaN where the other folds
        have no image of the class, or none of the rest.
    """
    specific, sensitive = np.full(len(scores), np.nan), np.full(len(scores), np.nan)
    slack = 1e-9
    for fold in np.unique(folds):
        inside = folds == fold
        ones, zeros = scores[~inside & positive], scores[~inside & ~positive]
        if len(ones) and len(zeros):
            alarms, hits = int(len(zeros) * (1 - least) + slack), int(np.ceil(len(ones) * least - slack))
            specific[inside] = scores[inside] > np.partition(zeros, -alarms - 1)[-alarms - 1]
            sensitive[inside] = scores[inside] >= np.partition(ones, -hits)[-hits]
    return specific, sensitive

"""95 % intervals that hold with few groups and near 100 %.

What they are of: these fitted models on new images or patients like these. A percentile interval alone is too narrow
with few groups, and has no width at all where nothing is wrong. So the limits of a rate are the farther ones of the
expanded percentile interval and of an exact one, for as many independent images as the groups are worth; those of other
metrics come from resamples with an adverse group, see `leukobench.evaluation.statistics.adverse`.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..metric import Floats, ratio

Limits = tuple[Floats, Floats]
Interval = tuple[float, float, float]

_ALPHA = 0.05


def percentile(values: Floats, groups: int) -> Limits:
    """Expanded percentile interval of bootstrap values.

    With few groups, plain percentiles are too narrow; the expanded ones have the width of a t interval.

    Parameters
    ----------
    values : ndarray of float64, shape (resamples, ...)
        NaN where a metric is not defined in a resample: those are left out.
    groups : int
        That were resampled.

    References
    ----------
    Hesterberg: What teachers should know about the bootstrap. The American Statistician 69 (2015) 371-386.
    """
    from scipy.special import ndtr, stdtrit

    level = 0.0
    if groups > 1:
        level = float(ndtr(-np.sqrt(groups / (groups - 1)) * stdtrit(groups - 1, 1 - _ALPHA / 2)))
    defined = ~np.isnan(values).all(axis=0)
    low, high = (np.full(values.shape[1:], np.nan) for _ in range(2))
    low[defined], high[defined] = np.nanquantile(values[:, defined], [level, 1 - level], axis=0)
    return low, high


def stretched(value: Floats, values: Floats, groups: int, degrees: int) -> Limits:
    """Percentiles of resamples whose distances from `value` are stretched to those of a t interval.

    Unlike `percentile` it needs no quantiles that so many resamples do not have, and reaches beyond the worst resample.

    Parameters
    ----------
    value : ndarray of float64, shape (...)
    values : ndarray of float64, shape (resamples, ...)
        NaN where the metric is not defined in a resample: those are left out.
    groups : int
        That were resampled.
    degrees : int
        Degrees of freedom: groups less the means that were estimated.

    Returns
    -------
    (ndarray, ndarray)
        Never on the wrong side of `value`; NaN for one group, or without degrees of freedom.
    """
    from scipy.special import ndtri, stdtrit

    if groups < 2 or degrees < 1 or np.isnan(values).all():
        return np.full_like(value, np.nan), np.full_like(value, np.nan)
    factor = np.sqrt(groups / (groups - 1)) * stdtrit(degrees, 1 - _ALPHA / 2) / ndtri(1 - _ALPHA / 2)
    low, high = value + factor * (np.nanquantile(values, [_ALPHA / 2, 1 - _ALPHA / 2], axis=0) - value)
    return np.minimum(low, value), np.maximum(high, value)


def exact(hits: Floats, images: Floats) -> Limits:
    """Clopper-Pearson interval of `hits` / `images`, which need not be whole numbers; NaN where there are no images.

    References
    ----------
    Clopper, Pearson: The use of confidence or fiducial limits illustrated in the case of the binomial. Biometrika 26
    (1934) 404-413.
    """
    from scipy.special import betaincinv

    hits, images = np.asarray(hits, float), np.asarray(images, float)
    misses = images - hits
    low = np.where(hits > 0, betaincinv(np.maximum(hits, 1e-9), misses + 1, _ALPHA / 2), 0.0)
    high = np.where(misses > 0, betaincinv(hits + 1, np.maximum(misses, 1e-9), 1 - _ALPHA / 2), 1.0)
    return np.where(images > 0, low, np.nan), np.where(images > 0, high, np.nan)


def effective_images(hits: Floats, images: Floats) -> Floats:
    """How many independent images the images of some groups are worth, for the rate ``hits / images``.

    The variance between groups says how much less than independent they are (design effect). Few errors say little
    about it, and none say nothing: so the estimate is mixed with the worst case, groups that are all right or all
    wrong, which counts as much as one group with an error. The few groups themselves cost degrees of freedom.

    Parameters
    ----------
    hits, images : ndarray of float64, shape (groups, m)
        For each of m rates.

    Returns
    -------
    ndarray of float64, shape (m,)

    References
    ----------
    Korn, Graubard: Confidence intervals for proportions with small expected number of positive counts estimated from
    survey data. Survey Methodology 24 (1998) 193-201 (effective size and degrees of freedom; the mixture is ours).
    """
    from scipy.special import stdtrit

    total, groups = images.sum(axis=0), (images > 0).sum(axis=0)
    rate = ratio(hits.sum(axis=0), total)
    between = ratio(groups, groups - 1) * ratio(np.square(hits - rate * images).sum(axis=0), total**2)
    seen = np.nan_to_num(ratio(between, ratio(rate * (1 - rate), total)), nan=1.0)
    worst = np.maximum(ratio(np.square(images).sum(axis=0), total), 1.0)
    evidence = np.minimum((hits > 0).sum(axis=0), (hits < images).sum(axis=0))
    effect = (evidence * np.clip(seen, 1.0, worst) + worst) / (evidence + 1)
    worth = ratio(total, effect)
    degrees = np.maximum(groups - 1, 1)
    lost = np.square(stdtrit(np.maximum(worth - 1, degrees), 1 - _ALPHA / 2) / stdtrit(degrees, 1 - _ALPHA / 2))
    return np.minimum(np.maximum(worth * lost, 1.0), total)


def rates(hits: Floats, images: Floats) -> Limits:
    """Interval of each of m rates from counts of groups, both of shape (groups, m): exact, for `effective_images`."""
    worth = effective_images(hits, images)
    return exact(ratio(hits.sum(axis=0), images.sum(axis=0)) * worth, worth)


def combine(value: Floats, changed_low: Floats, changed_high: Floats) -> Limits:
    """Interval of a metric made of several independent rates, by recovering their variances from their limits.

    Parameters
    ----------
    value : ndarray of float64, shape (m,)
    changed_low, changed_high : ndarray of float64, shape (K, m)
        The metrics when one rate at a time moves to its own lower (upper) limit.

    References
    ----------
    Zou, Donner: Construction of confidence limits about effect measures. Statistics in Medicine 27 (2008) 1693-1702.
    """
    down = np.sqrt(np.square(value - changed_low).sum(axis=0))
    up = np.sqrt(np.square(changed_high - value).sum(axis=0))
    return value - down, value + up


def mean(rates: Floats, low: Floats, high: Floats) -> Limits:
    """Interval of the mean of m independent rates from their limits, each of shape (m,); never beyond 0 and 1."""
    value, size = rates.mean(), len(rates)
    down, up = combine(value, value - (rates - low) / size, value + (high - rates) / size)
    return np.maximum(down, 0.0), np.minimum(up, 1.0)


def area(value: Floats, ones: Floats, zeros: Floats) -> Limits:
    """Interval of areas under ROC curves, which has a width also where the area is 1.

    Parameters
    ----------
    value, ones, zeros : ndarray of float64, shape (K,)
        Areas, and (effective) numbers of images of the class and of the rest.

    References
    ----------
    Newcombe: Confidence intervals for an effect size measure based on the Mann-Whitney statistic. Part 2. Statistics in
    Medicine 25 (2006) 559-573, method 5.
    """
    from scipy.stats import norm

    middle = (ones + zeros) / 2 - 1
    square = norm.ppf(1 - _ALPHA / 2) ** 2

    def beyond(candidate: Floats) -> Floats:
        spread = 1 + middle * ((1 - candidate) / (2 - candidate) + candidate / (1 + candidate))
        return np.square(candidate - value) - square * candidate * (1 - candidate) * spread / (ones * zeros)

    return _root(beyond, value, np.zeros_like(value)), _root(beyond, value, np.ones_like(value))


def _root(beyond: Callable[[Floats], Floats], inside: Floats, outside: Floats) -> Floats:
    """Where `beyond` turns from negative (at `inside`) to positive (at `outside`), by bisection."""
    for _ in range(60):
        middle = (inside + outside) / 2
        positive = beyond(middle) > 0
        inside, outside = np.where(positive, inside, middle), np.where(positive, middle, outside)
    return inside


def farther(value: Floats, first: Limits, second: Limits) -> Limits:
    """The wider limit on each side, never on the wrong side of `value`; a limit that is NaN does not count."""
    low = np.fmin(np.fmin(first[0], second[0]), value)
    high = np.fmax(np.fmax(first[1], second[1]), value)
    undefined = np.isnan(value)
    return np.where(undefined, np.nan, low), np.where(undefined, np.nan, high)


def nearer(value: Floats, first: Limits, second: Limits) -> Limits:
    """The narrower limit on each side of two intervals that both hold; a limit that is NaN does not count."""
    low, high = np.fmax(first[0], second[0]), np.fmin(first[1], second[1])
    return np.minimum(low, value), np.maximum(high, value)

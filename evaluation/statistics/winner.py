"""Which combination is first, and what selecting the best of many does to its number."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..metric import Floats, Integers

Flags = NDArray[np.bool_]

EQUAL = 12
"""Decimals from which on two values are equal: the same counts summed in another order differ in the sixteenth."""
_ABOVE_ANY_LOSS = 100.0


def order(values: Floats, log_losses: Floats, saturated: Flags, features: Floats) -> Integers:
    """Places of combinations, best first, shape (m,).

    Of equal values the saturated ones come last, since their log loss is low by being sure of everything; then the one
    with the lower log loss comes first, then the one with fewer features, then the one given first. Whatever is NaN
    comes last.

    Parameters
    ----------
    values, log_losses, features : ndarray of float64, shape (m,)
        Higher values are better.
    saturated : ndarray of bool, shape (m,)
        See `is_saturated`.
    """
    return np.lexsort((features, np.round(log_losses, EQUAL), saturated, -np.round(values, EQUAL)))


def is_saturated(probabilities: Floats) -> bool:
    """Whether most images, shape (..., n, K), have a higher top probability than n images can give reason for."""
    return bool(np.median(probabilities.max(axis=-1)) > 1 - 1 / probabilities.shape[-2])


def tied(values: Floats) -> int:
    """How many share the highest value."""
    return int((np.round(values, EQUAL) == np.nanmax(np.round(values, EQUAL))).sum())


class Corrected(NamedTuple):
    """Performance of the procedure "take the best of them"; `dropped` resamples had no value."""

    value: float
    low: float
    high: float
    dropped: int


def correct_for_selection(
    inside: Floats, outside: Floats, log_losses: Floats, saturated: Flags, features: Floats
) -> Corrected:
    """Bootstrap bias corrected cross-validation (BBC-CV).

    In each resample of the groups the best combination is selected, by the whole rule of `order`, and scored on the
    groups that were not drawn.

    Parameters
    ----------
    inside, outside : ndarray of float64, shape (combinations, resamples)
        The metric (higher is better) on the drawn groups, and on those not drawn; NaN where it is not defined.
    log_losses : ndarray of float64, shape (combinations, resamples)
        On the drawn groups.
    saturated : ndarray of bool, shape (combinations,)
    features : ndarray of float64, shape (combinations,)

    Returns
    -------
    Corrected
        Mean over resamples, and its 2.5 and 97.5 percentiles. Resamples are dropped in which the selected combination
        has no value on the groups not drawn, since a class is not among them.

    References
    ----------
    Tsamardinos, Greasidou, Borboudakis: Bootstrapping the out-of-sample predictions for efficient and accurate
    cross-validation. Machine Learning 107 (2018) 1895-1922.
    """
    fewest = np.argsort(features, kind="stable")
    rounded = np.round(np.where(np.isnan(inside), -np.inf, inside)[fewest], EQUAL)
    losses = np.round(log_losses[fewest], EQUAL) + _ABOVE_ANY_LOSS * saturated[fewest, None]
    losses = np.where(rounded == rounded.max(axis=0), losses, np.inf)
    selected = fewest[np.argmin(np.where(np.isnan(losses), np.inf, losses), axis=0)]
    values = outside[selected, np.arange(outside.shape[1])]
    dropped = int(np.isnan(values).sum())
    values = values[~np.isnan(values)]
    if not len(values):
        return Corrected(float("nan"), float("nan"), float("nan"), dropped)
    low, high = np.quantile(values, [0.025, 0.975])
    return Corrected(float(values.mean()), float(low), float(high), dropped)


def agreement(values: Floats) -> float:
    """Kendall's coefficient of concordance W of the ranks in several repeats, corrected for equals.

    Parameters
    ----------
    values : ndarray of float64, shape (repeats, combinations)

    Returns
    -------
    float
        1: the same ranks in every repeat; 0: no agreement. NaN for one repeat, one combination, or all equal.

    References
    ----------
    Kendall, Babington Smith: The problem of m rankings. Annals of Mathematical Statistics 10 (1939) 275-287.
    """
    from scipy.stats import rankdata

    repeats, count = values.shape
    places = rankdata(values, axis=1)
    equals = sum(float((sizes**3 - sizes).sum()) for sizes in (np.unique(row, return_counts=True)[1] for row in places))
    most = repeats**2 * (count**3 - count) - repeats * equals
    if repeats < 2 or most <= 0:
        return float("nan")
    return float(12 * np.square(places.sum(axis=0) - repeats * (count + 1) / 2).sum() / most)

"""What selecting the best of many does to its number, and how sure its rank is."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class Corrected(NamedTuple):
    """Performance of the procedure "take the best of them"."""

    value: float
    low: float
    high: float


def correct_for_selection(inside: Floats, outside: Floats) -> Corrected:
    """Bootstrap bias corrected cross-validation (BBC-CV).

    In each resample of the groups the best combination is selected, and scored on the groups that were not drawn.

    Parameters
    ----------
    inside, outside : ndarray of float64, shape (combinations, resamples)
        The metric (higher is better) on the drawn groups, and on those not drawn; NaN where it is not defined.

    Returns
    -------
    Corrected
        Mean over resamples, and its 2.5 and 97.5 percentiles.

    References
    ----------
    Tsamardinos, Greasidou, Borboudakis: Bootstrapping the out-of-sample predictions for efficient and accurate
    cross-validation. Machine Learning 107 (2018) 1895-1922.
    """
    selected = np.argmax(np.where(np.isnan(inside), -np.inf, inside), axis=0)
    values = outside[selected, np.arange(outside.shape[1])]
    values = values[~np.isnan(values)]
    if not len(values):
        return Corrected(float("nan"), float("nan"), float("nan"))
    low, high = np.quantile(values, [0.025, 0.975])
    return Corrected(float(values.mean()), float(low), float(high))


class Ranks(NamedTuple):
    """How the ranks vary over resamples, each of shape (combinations,)."""

    low: NDArray[np.int64]
    high: NDArray[np.int64]
    first: Floats


def ranks(values: Floats) -> Ranks:
    """Ranks that 95 % of the resamples lie between, and the share of resamples in which each combination is first.

    Parameters
    ----------
    values : ndarray of float64, shape (combinations, resamples)
        Higher is better; NaN comes last.

    Returns
    -------
    Ranks
        Equals share the better rank, and share a first place in equal parts.
    """
    from scipy.stats import rankdata

    order = rankdata(-np.where(np.isnan(values), -np.inf, values), method="min", axis=0)
    low, high = np.quantile(order, [0.025, 0.975], axis=1, method="inverted_cdf")
    first = order == 1
    return Ranks(low.astype(np.int64), high.astype(np.int64), (first / first.sum(axis=0)).mean(axis=1))


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
    order = rankdata(values, axis=1)
    equals = sum(float((sizes**3 - sizes).sum()) for sizes in (np.unique(row, return_counts=True)[1] for row in order))
    most = repeats**2 * (count**3 - count) - repeats * equals
    if repeats < 2 or most <= 0:
        return float("nan")
    return float(12 * np.square(order.sum(axis=0) - repeats * (count + 1) / 2).sum() / most)

"""Several methods on several data sets: Friedman's test, post-hoc tests, and data of a critical-difference diagram."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...errors import ConfigurationError
from .comparisons import holm

if TYPE_CHECKING:
    import pandas as pd

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class MethodComparison:
    """Methods compared over data sets.

    Attributes
    ----------
    ranks : dict of str to float
        Mean rank of each method over data sets, 1 is best; best first.
    chi_squared, p : float
        Friedman's test that all methods are equal.
    f, p_f : float
        The same by Iman and Davenport, which is less conservative.
    critical_difference : float
        Nemenyi's: mean ranks closer than this do not differ.
    nemenyi : DataFrame
        p-values of every pair of methods.
    holm : DataFrame
        Each method against the best: method, difference (of mean ranks), z, p, p_holm.
    alike : list of tuple of str
        Largest groups of methods whose mean ranks differ by less than the critical difference.
    """

    ranks: dict[str, float]
    chi_squared: float
    p: float
    f: float
    p_f: float
    critical_difference: float
    nemenyi: pd.DataFrame
    holm: pd.DataFrame
    alike: list[tuple[str, ...]]


def compare_methods(scores: pd.DataFrame, alpha: float = 0.05) -> MethodComparison:
    """Friedman's test with Nemenyi's and Holm's post-hoc tests.

    Parameters
    ----------
    scores : DataFrame
        One row per data set, one column per method; higher is better.
    alpha : float
        Of the critical difference.

    Raises
    ------
    ConfigurationError
        Fewer than two data sets, fewer than two methods, or a missing score.

    References
    ----------
    Demsar: Statistical comparisons of classifiers over multiple data sets. JMLR 7 (2006) 1-30 (all formulas, without
    correction for equal scores); Iman, Davenport: Approximations of the critical region of the Friedman statistic.
    Communications in Statistics A9 (1980) 571-595.
    """
    from scipy.stats import chi2, rankdata
    from scipy.stats import f as f_distribution

    values = scores.to_numpy(dtype=np.float64)
    _check(values)
    sets, methods = values.shape
    mean = rankdata(-values, axis=1).mean(axis=0)
    ranks = {str(scores.columns[i]): float(mean[i]) for i in np.argsort(mean, kind="stable")}
    chi_squared = 12 * sets / (methods * (methods + 1)) * (np.square(mean).sum() - methods * (methods + 1) ** 2 / 4)
    most = sets * (methods - 1)
    f = (sets - 1) * chi_squared / (most - chi_squared) if chi_squared < most else np.inf
    difference = critical_difference(methods, sets, alpha)
    return MethodComparison(
        ranks,
        float(chi_squared),
        float(chi2.sf(chi_squared, methods - 1)),
        float(f),
        float(f_distribution.sf(f, methods - 1, (methods - 1) * (sets - 1))),
        difference,
        _nemenyi(ranks, sets),
        _holm(ranks, sets),
        alike(ranks, difference),
    )


def critical_difference(methods: int, sets: int, alpha: float = 0.05) -> float:
    """Nemenyi's critical difference of mean ranks of `methods` methods on `sets` data sets."""
    from scipy.stats import studentized_range

    quantile = studentized_range.ppf(1 - alpha, methods, np.inf) / np.sqrt(2)
    return float(quantile * _error(methods, sets))


def alike(ranks: dict[str, float], difference: float) -> list[tuple[str, ...]]:
    """Largest groups of neighbours in rank that span less than `difference`, of two methods or more."""
    ordered = sorted(ranks.items(), key=lambda item: item[1])
    groups: list[tuple[str, ...]] = []
    for start, (_, rank) in enumerate(ordered):
        group = tuple(name for name, other in ordered[start:] if other - rank < difference)
        if len(group) > 1 and not (groups and set(group) <= set(groups[-1])):
            groups.append(group)
    return groups


def _error(methods: int, sets: int) -> float:
    """Standard error of a difference of mean ranks."""
    return float(np.sqrt(methods * (methods + 1) / (6 * sets)))


def _nemenyi(ranks: dict[str, float], sets: int) -> pd.DataFrame:
    import pandas as pd
    from scipy.stats import studentized_range

    names, values = list(ranks), np.array(list(ranks.values()))
    z = np.abs(values[:, None] - values) / _error(len(names), sets)
    p = np.ones_like(z)
    upper = np.triu_indices(len(names), 1)
    p[upper] = studentized_range.sf(z[upper] * np.sqrt(2), len(names), np.inf)
    return pd.DataFrame(np.minimum(p, p.T), index=names, columns=names)


def _holm(ranks: dict[str, float], sets: int) -> pd.DataFrame:
    import pandas as pd
    from scipy.stats import norm

    names, values = list(ranks), np.array(list(ranks.values()))
    gaps = values[1:] - values[0]
    z = gaps / _error(len(names), sets)
    p = 2 * norm.sf(z)
    return pd.DataFrame({"method": names[1:], "difference": gaps, "z": z, "p": p, "p_holm": holm(p)})


def _check(values: Floats) -> None:
    if min(values.shape) < 2 or np.isnan(values).any():
        raise ConfigurationError(
            "Methods cannot be compared over data sets.",
            expected="a score of every method on every data set, at least two of each",
            received=f"data sets x methods {values.shape}, missing scores: {int(np.isnan(values).sum())}",
            fix="leave out the methods that failed, or compare on more data sets.",
        )

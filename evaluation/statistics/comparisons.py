"""Is one combination better than another? Tests on the differences in the same folds."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_SAME = 1e-12


class Tested(NamedTuple):
    """Mean difference, t and two-sided p; NaN with fewer than two folds."""

    difference: float
    t: float
    p: float


class Posterior(NamedTuple):
    """Probabilities that the first is worse, practically equivalent, better; they sum to 1."""

    worse: float
    equivalent: float
    better: float


def corrected_t(differences: Floats, folds: int) -> Tested:
    """Corrected resampled t-test: folds share training images, so the variance of their mean is larger than it looks.

    Parameters
    ----------
    differences : ndarray of float64, shape (folds * repeats,)
        Of a metric in the same folds; NaN where it is not defined.
    folds : int
        A repeat has: a fold tests ``1 / (folds - 1)`` times what it trains on.

    Returns
    -------
    Tested
        Differences that do not vary have p 1 where they are 0, and that of a sign test elsewhere: no spread in a few
        folds is no certainty.

    References
    ----------
    Nadeau, Bengio: Inference for the generalization error. Machine Learning 52 (2003) 239-281; over repeats: Bouckaert,
    Frank: Evaluating the replicability of significance tests. PAKDD 2004.
    """
    from scipy.stats import t

    mean, scale, freedom = _spread(differences, folds)
    if np.isnan(scale):
        return Tested(mean, float("nan"), float("nan"))
    if scale == 0:
        same = abs(mean) < _SAME
        p = 1.0 if same else 2.0 ** (1 - int((~np.isnan(differences)).sum()))
        return Tested(mean, 0.0 if same else float(np.copysign(np.inf, mean)), p)
    return Tested(mean, mean / scale, float(2 * t.sf(abs(mean) / scale, freedom)))


def correlated_posterior(differences: Floats, folds: int, rope: float = 0.01) -> Posterior:
    """Bayesian correlated t-test, with the correlation ``1 / folds`` between folds.

    Parameters
    ----------
    differences : ndarray of float64, shape (folds * repeats,)
    folds : int
    rope : float
        Differences from ``-rope`` to ``rope`` are practically none.

    References
    ----------
    Corani, Benavoli: A Bayesian approach for comparing cross-validated algorithms on multiple data sets. Machine
    Learning 100 (2015) 285-304; Benavoli, Corani, Demsar, Zaffalon: Time for a change. JMLR 18 (2017) 1-36.
    """
    from scipy.stats import t

    mean, scale, freedom = _spread(differences, folds)
    if np.isnan(scale):
        return Posterior(*[float("nan")] * 3)
    if scale == 0:
        return Posterior(float(mean < -rope), float(abs(mean) <= rope), float(mean > rope))
    worse, better = float(t.cdf(-rope, freedom, mean, scale)), float(t.sf(rope, freedom, mean, scale))
    return Posterior(worse, 1 - worse - better, better)


def _spread(differences: Floats, folds: int) -> tuple[float, float, int]:
    """Mean, its corrected standard error, and degrees of freedom."""
    defined = differences[~np.isnan(differences)]
    if len(defined) < 2:
        return float(defined.mean()) if len(defined) else float("nan"), float("nan"), 0
    variance = 0.0 if np.ptp(defined) < _SAME else float(defined.var(ddof=1))
    return float(defined.mean()), float(np.sqrt(variance * (1 / len(defined) + 1 / (folds - 1)))), len(defined) - 1


def holm(p: Floats) -> Floats:
    """P-values corrected for their number, shape (m,); NaN is no test, and stays.

    References
    ----------
    Holm: A simple sequentially rejective multiple test procedure. Scandinavian Journal of Statistics 6 (1979) 65-70.
    """
    result = np.full(len(p), np.nan)
    tests = np.flatnonzero(~np.isnan(p))
    order = tests[np.argsort(p[tests], kind="stable")]
    result[order] = np.minimum(np.maximum.accumulate(p[order] * np.arange(len(order), 0, -1)), 1.0)
    return result

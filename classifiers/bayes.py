"""Naive Bayes."""

from __future__ import annotations

from sklearn.naive_bayes import GaussianNB


def naive_bayes(*, var_smoothing: float = 1e-9) -> GaussianNB:
    """Gaussian naive Bayes; scaling would change nothing.

    Parameters
    ----------
    var_smoothing : float
        Part of the largest variance that is added to every variance.

    References
    ----------
    D. J. Hand, K. Yu, Idiot's Bayes: Not So Stupid After All?, Int. Stat. Rev. 69, 2001.
    """
    return GaussianNB(var_smoothing=var_smoothing)

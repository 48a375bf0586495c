"""Recursive feature elimination with a ridge classifier, in closed form."""

from __future__ import annotations

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from .base import Floats, Integers, class_indicators

_BLOCK = 64
_TIE = 1e-9


def ridge_elimination_order(X: Floats, y: Integers, alpha: float) -> Integers:
    """Rank every column as recursive elimination with a ridge classifier would, one column at a time.

    The weights of ridge regression on one-hot targets are ``W = A X'Y`` with ``A = (X'X + alpha I)^-1``. When feature
    j leaves, the inverse for the others is ``A - a a' / A[j, j]`` and their weights are ``W - a W[j] / A[j, j]``, where
    a is column j of A. So one inversion serves the whole elimination. Downdates are collected and applied to A in
    blocks, as one matrix product; the weights are computed afresh from A for every block.

    Parameters
    ----------
    X : ndarray of float64, shape (n_images, n_features)
        Standardised features.
    y : ndarray of int, shape (n_images,)
        Class numbers from 0 on.
    alpha : float
        Strength of the penalty, above 0.

    Returns
    -------
    ndarray of int, shape (n_features,)
        Column indices, best first. Of columns with equal weight the later one leaves first.

    References
    ----------
    I. Guyon, J. Weston, S. Barnhill, V. Vapnik, Gene Selection for Cancer Classification using Support Vector
    Machines, Machine Learning 46, 2002.
    """
    gram = X.T @ X
    gram.flat[:: len(gram) + 1] += alpha
    targets = X.T @ class_indicators(y)
    inverse = cho_solve(cho_factor(gram), np.eye(len(gram)))
    remaining = np.arange(len(gram))
    left: list[int] = []
    while remaining.size:
        leaving, downdate = _leave(inverse, inverse @ targets, min(_BLOCK, remaining.size))
        left.extend(remaining[leaving])
        stay = np.delete(np.arange(remaining.size), leaving)
        inverse = inverse[np.ix_(stay, stay)] - downdate[stay] @ downdate[stay].T
        remaining, targets = remaining[stay], targets[stay]
    return np.array(left[::-1])


def _leave(inverse: Floats, weights: Floats, count: int) -> tuple[list[int], Floats]:
    """Choose the next `count` features to leave; with them, the U for which ``inverse - U U'`` is the new inverse."""
    leaving: list[int] = []
    downdate = np.zeros((len(inverse), count), order="F")
    for step in range(count):
        size = (weights**2).sum(axis=1)
        size[leaving] = np.inf
        worst = np.flatnonzero(size <= size.min() * (1 + _TIE))[-1]
        column = inverse[:, worst] - downdate[:, :step] @ downdate[worst, :step]
        column /= np.sqrt(column[worst])
        downdate[:, step] = column
        weights = weights - np.outer(column, weights[worst] / column[worst])
        leaving.append(worst)
    return leaving, downdate

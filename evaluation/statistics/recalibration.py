"""Recalibration on a few patients of another source: what their labels do to the probabilities of the others."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ..metric import Floats, Integers, Metric
from ..metrics import LOG_LOSS
from ..scorer import Scorer

DRAWS = 50
LEAST = 1e-6
"""Probabilities below it count as this one."""
_STRENGTH = 2.0
"""How strongly the fit is held at doing nothing: as two groups would that contradict it."""
_MOST_SIZES = 8
_STEPS, _SMALL = 50, 1e-9


@dataclass(frozen=True)
class Recalibration:
    """``softmax(slope * log(p) + shift)``: sharper or flatter, and classes more or less probable.

    Attributes
    ----------
    slope : float
    shift : ndarray of float64, shape (K,)
    """

    slope: float
    shift: Floats

    def __call__(self, probabilities: Floats) -> Floats:
        """Recalibrated probabilities, shape (n, K)."""
        logits = self.slope * np.log(np.maximum(probabilities, LEAST)) + self.shift
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def recalibrate(labels: Integers, probabilities: Floats, weights: Floats) -> Recalibration:
    """Fit slope and shifts by penalised maximum likelihood, so that a few groups cannot lead to nonsense.

    Parameters
    ----------
    labels : ndarray of int64, shape (n,)
    probabilities : ndarray of float64, shape (n, K)
    weights : ndarray of float64, shape (n,)
        They add up to the number of independent groups.

    References
    ----------
    Guo et al.: On calibration of modern neural networks, ICML 2017 (vector scaling); Steyerberg et al.: Validation and
    updating of predictive logistic regression models. Statistics in Medicine 23 (2004) 2567-2586 (shrinkage where few
    patients of the new setting are known).
    """
    logs = np.log(np.maximum(probabilities, LEAST))
    hits = np.eye(logs.shape[1])[labels]
    start = np.append(1.0, np.zeros(logs.shape[1]))
    parameters, value = start, _loss(start, logs, hits, weights)
    for _ in range(_STEPS):
        mean = Recalibration(parameters[0], parameters[1:])(probabilities)
        step = _newton_step(parameters - start, mean, logs, hits, weights)
        length = 1.0
        while (after := _loss(parameters + length * step, logs, hits, weights)) > value and length > _SMALL:
            length /= 2
        parameters, gain, value = parameters + length * step, value - after, after
        if gain < _SMALL:
            break
    return Recalibration(float(parameters[0]), parameters[1:])


def _loss(parameters: Floats, logs: Floats, hits: Floats, weights: Floats) -> float:
    """Log loss of the weighted images, and how far the parameters are from doing nothing."""
    logits = parameters[0] * logs + parameters[1:]
    logits -= logits.max(axis=1, keepdims=True)
    losses = np.log(np.exp(logits).sum(axis=1)) - (logits * hits).sum(axis=1)
    distance = np.square(parameters[1:]).sum() + (parameters[0] - 1) ** 2
    return float(weights @ losses + _STRENGTH * distance / 2)


def _newton_step(distance: Floats, mean: Floats, logs: Floats, hits: Floats, weights: Floats) -> Floats:
    """From the gradient and the curvature of the loss, which is convex."""
    errors, weighted = weights[:, None] * (mean - hits), weights[:, None] * mean
    own = (mean * logs).sum(axis=1)
    gradient = np.append((errors * logs).sum(), errors.sum(axis=0)) + _STRENGTH * distance
    curvature = np.zeros((len(gradient), len(gradient)))
    curvature[0, 0] = (weighted * np.square(logs)).sum() - weights @ np.square(own)
    curvature[0, 1:] = curvature[1:, 0] = (weighted * (logs - own[:, None])).sum(axis=0)
    curvature[1:, 1:] = np.diag(weighted.sum(axis=0)) - weighted.T @ mean
    return np.asarray(np.linalg.solve(curvature + _STRENGTH * np.eye(len(gradient)), -gradient), dtype=np.float64)


@dataclass(frozen=True)
class CurvePoint:
    """A metric of the other groups before and after recalibration on some of them.

    Attributes
    ----------
    metric : str
    groups : int
        That it was recalibrated on.
    draws : int
    before, after : float
        Means over the draws.
    low, high : float
        Between them lie 8 of 10 draws after recalibration: they show how much depends on which groups were drawn.
    better : float
        Share of the draws in which recalibration made the metric better.
    """

    metric: str
    groups: int
    draws: int
    before: float
    after: float
    low: float
    high: float
    better: float


def recalibration_curve(
    labels: Integers,
    probabilities: Floats,
    groups: Integers,
    classes: tuple[str, ...],
    metrics: list[Metric],
    draws: int = DRAWS,
    seed: int = 0,
) -> list[CurvePoint]:
    """Recalibrate on k groups and score the others, for k from one of each class to half of the groups.

    Of each class one group is drawn first, others at random; images weigh so that the classes have the shares that they
    have in all groups, and all k groups together weigh as k.

    Parameters
    ----------
    labels : ndarray of int64, shape (n,)
    probabilities : ndarray of float64, shape (n, K)
    groups : ndarray of int64, shape (n,)
    classes : tuple of str, length K
    metrics : list of Metric
        Besides the log loss; metrics of the classes that there are.
    draws, seed : int

    Returns
    -------
    list of CurvePoint
        Empty where too few groups would be left.
    """
    codes = np.unique(groups, return_inverse=True)[1]
    shares = np.bincount(labels, minlength=len(classes)) / len(labels)
    chosen = list(dict.fromkeys([*metrics, LOG_LOSS]))
    scorer, points = Scorer(classes, chosen), []
    orders = [_order(labels, codes, np.random.default_rng([seed, draw])) for draw in range(draws)]
    for size in _sizes(int((shares > 0).sum()), int(codes.max()) + 1):
        pairs = []
        for order in orders:
            drawn = np.isin(codes, order[:size])
            if (np.bincount(labels[~drawn], minlength=len(classes)) == 0)[shares > 0].any():
                continue
            weights = _weights(labels[drawn], codes[drawn], shares, size)
            fitted = recalibrate(labels[drawn], probabilities[drawn], weights)
            others = labels[~drawn], probabilities[~drawn]
            pairs.append([scorer.score(others[0], one) for one in (others[1], fitted(others[1]))])
        if pairs:
            points += [_point(metric, size, pairs) for metric in chosen]
    return points


def _sizes(fewest: int, groups: int) -> Iterator[int]:
    size = max(fewest, 1)
    for _ in range(_MOST_SIZES):
        if size > groups // 2:
            return
        yield size
        size *= 2


def _order(labels: Integers, codes: Integers, rng: np.random.Generator) -> Integers:
    """All groups in a random order, one of each class first; ascending sizes draw more and more of them."""
    order = rng.permutation(int(codes.max()) + 1)
    first: list[int] = []
    for label in rng.permutation(np.unique(labels)):
        own = np.isin(order, codes[labels == label])
        if not set(order[own].tolist()) & set(first):
            first.append(int(order[own][0]))
    return np.append(first, order[~np.isin(order, first)]).astype(np.int64)


def _weights(labels: Integers, codes: Integers, shares: Floats, groups: int) -> Floats:
    """Of images: equal for each group of a class, classes by their shares, `groups` in all."""
    cells, cell, counts = np.unique(np.stack([codes, labels]), axis=1, return_inverse=True, return_counts=True)
    of_class = np.bincount(cells[1], minlength=len(shares))
    seen = shares * (of_class > 0)
    weight = (seen / np.maximum(of_class, 1))[cells[1]] / counts
    return np.asarray(groups * weight[cell.ravel()] / seen.sum())


def _point(metric: Metric, size: int, pairs: list[list[dict[str, float]]]) -> CurvePoint:
    before, after = np.array([[one[metric.name] for one in pair] for pair in pairs]).T
    low, high = np.quantile(after, [0.1, 0.9])
    better = (after > before) if metric.greater_is_better else (after < before)
    means = float(before.mean()), float(after.mean())
    return CurvePoint(metric.name, size, len(pairs), *means, float(low), float(high), float(better.mean()))

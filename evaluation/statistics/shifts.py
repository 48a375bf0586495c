"""Shifts: how far measured quantities of images elsewhere are from those of the training images of their class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..metric import Floats, Integers
from .intervals import Interval, area

LEVELS = np.arange(0.05, 0.96, 0.05)
"""Quantiles that are kept: so few that they show no single image."""


@dataclass(frozen=True)
class Quantiles:
    """Quantiles of some quantities among the training images of each class: all that is needed to see a shift.

    Attributes
    ----------
    names : tuple of str
    values : ndarray of float64, shape (quantities, K, levels)
        At `LEVELS`; NaN for a class without images.
    groups : ndarray of int64, shape (K,)
        Independent groups of each class.
    """

    names: Sequence[str]
    values: Floats
    groups: Integers

    @classmethod
    def of(cls, names: Sequence[str], numbers: Floats, labels: Integers, groups: Integers, classes: int) -> Quantiles:
        """From a column a quantity, shape (n, quantities)."""
        values = np.full((len(names), classes, len(LEVELS)), np.nan)
        counts = np.zeros(classes, dtype=np.int64)
        for label in np.unique(labels):
            own = labels == label
            values[:, label] = np.quantile(numbers[own].astype(np.float64), LEVELS, axis=0).T
            counts[label] = len(np.unique(groups[own]))
        return cls(tuple(names), values, counts)

    def joined(self, members: Sequence[Sequence[int]]) -> Quantiles:
        """Of classes that are several of these together, each weighing by its groups."""
        values = np.full((len(self.names), len(members), len(LEVELS)), np.nan)
        for place, own in enumerate(members):
            measured = [one for one in own if self.groups[one]]
            if len(measured) == 1:
                values[:, place] = self.values[:, measured[0]]
            elif measured:
                values[:, place] = _mixture(self.values[:, measured], self.groups[measured])
        return Quantiles(self.names, values, np.array([self.groups[list(own)].sum() for own in members]))


def _mixture(values: Floats, weights: Integers) -> Floats:
    """Quantiles of a mixture, shape (quantities, levels), from those of its parts, (quantities, parts, levels)."""
    flat, weight = values.reshape(len(values), -1), np.repeat(weights, values.shape[2])
    order = np.argsort(flat, axis=1, kind="stable")
    place = (np.cumsum(weight[order], axis=1) - weight[order] / 2) / weight.sum()
    return np.array(
        [np.interp(LEVELS, at, one) for at, one in zip(place, np.take_along_axis(flat, order, axis=1), strict=True)]
    )


@dataclass(frozen=True)
class Shift:
    """One quantity.

    Attributes
    ----------
    name : str
    above : (float, float, float)
        How probable it is that an image has a higher value than a training image of its class, with an interval: 0.5
        where nothing differs.
    here, there : float
        Medians of the images and of the training images, of the classes that both have, each class weighing alike.
    """

    name: str
    above: Interval
    here: float
    there: float


def shifts(training: Quantiles, numbers: Floats, labels: Integers, groups: Integers) -> list[Shift]:
    """Each quantity of images elsewhere, class by class against the training images.

    Groups count as single images in the interval: images of one patient have one stain, light and focus.

    Parameters
    ----------
    training : Quantiles
    numbers : ndarray of float64, shape (n, quantities)
    labels, groups : ndarray of int64, shape (n,)

    References
    ----------
    Newcombe: Confidence intervals for an effect size measure based on the Mann-Whitney statistic. Statistics in
    Medicine 25 (2006) 559-573.
    """
    present = [label for label in np.unique(labels) if training.groups[label]]
    rows = [labels == label for label in present]
    here_groups = np.array([len(np.unique(groups[own])) for own in rows], dtype=np.float64)
    there_groups = training.groups[present].astype(np.float64)
    every = []
    for column, name in enumerate(training.names):
        values = numbers[:, column].astype(np.float64)
        own_values = [values[own] for own in rows]
        ranks = np.array([_ranks(training.values[column, k], own) for k, own in zip(present, own_values, strict=True)])
        low, high = area(ranks, here_groups, there_groups) if len(ranks) else (ranks, ranks)
        down, up = (np.sqrt(np.square(ranks - limit).sum()) / max(len(ranks), 1) for limit in (low, high))
        value = float(ranks.mean()) if len(ranks) else np.nan
        medians = list(map(np.median, own_values)), training.values[column, present, len(LEVELS) // 2]
        here, there = (float(np.mean(one)) if len(one) else np.nan for one in medians)
        every.append(Shift(name, (value, value - down, value + up), here, there))
    return every


def _ranks(quantiles: Floats, values: Floats) -> float:
    """Mean share of the training images that are below `values`; equals count half."""
    shares: NDArray[np.float64] = np.concatenate([[LEVELS[0] / 2], (LEVELS[1:] + LEVELS[:-1]) / 2, [1 - LEVELS[0] / 2]])
    ends = [np.searchsorted(quantiles, values, side=side) for side in ("left", "right")]
    return float(np.mean([shares[end].mean() for end in ends]))

"""Forecast: what many images cost, extrapolated from what a few cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..evaluation.combination_names import NAMES
from ..evaluation.records import FIT_S, PREDICT_S, SECONDS, SELECTOR_S

if TYPE_CHECKING:
    import pandas as pd

_STEEPEST = 3.0
_ALONE = 0.5
"""Power of the images by which the default grid's fits grow from 100 to 2,600: much of each costs the same."""


def straight(points: Sequence[tuple[float, float]], x: float) -> float:
    """What lies at `x` on the line through the last two points; neither slope nor intercept is below 0.

    One point alone gives a line through the origin, none gives 0.
    """
    distinct = dict(points)
    if len(distinct) < 2:
        return sum(y / at * x for at, y in distinct.items() if at)
    (a, below), (b, above) = list(distinct.items())[-2:]
    slope = max(0.0, (above - below) / (b - a))
    slope = min(slope, above / b)
    return above + slope * (x - b)


@dataclass(frozen=True)
class Cells:
    """What the cells of one trial cost.

    Attributes
    ----------
    train, test : float
        Images in a training and in a test part.
    costs : DataFrame
        One row per combination: extractor, selector, classifier, and the mean over the folds of selector_s, fit_s,
        predict_s.
    """

    train: float
    test: float
    costs: pd.DataFrame

    @classmethod
    def of(cls, scores: pd.DataFrame, train: float, test: float) -> Cells:
        """From the tidy table of scores of a run."""
        rows = scores[scores["metric"].isin(SECONDS)]
        table = rows.pivot_table(index=list(NAMES), columns="metric", values="value", aggfunc="mean")
        return cls(train, test, table.reindex(columns=list(SECONDS)).fillna(0.0).reset_index())


def fold_seconds(trials: Sequence[Cells], train: float, test: float) -> pd.Series:
    """Processor seconds of each unit (extractor with selector) in one fold of `train` and `test` images.

    The cost of each selector, and of each classifier, grows as the last two trials show, all extractors taken together,
    since single fits of milliseconds would show noise: along a straight line, or by a power of the number of images,
    whichever is steeper, since much of a small fit is what any fit costs. After one trial, by its square root.

    Returns
    -------
    Series
        Indexed by extractor and selector.
    """
    last = trials[-1]
    costs = last.costs
    selecting = costs[SELECTOR_S] * costs[NAMES[1]].map(_growth(trials, NAMES[1], SELECTOR_S, train))
    fitting = costs[FIT_S] * costs[NAMES[2]].map(_growth(trials, NAMES[2], FIT_S, train))
    # What predicting one image costs may grow with the training part; there are as many images as there are.
    steps, images = train / last.train, test / last.test
    dearer = costs[NAMES[2]].map(_growth(trials, NAMES[2], PREDICT_S, train)) / steps
    predicting = costs[PREDICT_S] * dearer.clip(lower=1.0) * images
    names = [costs[name] for name in NAMES[:2]]
    return selecting.groupby(names).mean() + (fitting + predicting).groupby(names).sum()


def _growth(trials: Sequence[Cells], method: str, cost: str, train: float) -> dict[str, float]:
    """How many times its cost in the last trial each method costs on `train` images."""
    last = trials[-1]
    latest = last.costs.groupby(method)[cost].sum()
    steps = train / last.train
    if len(trials) < 2:
        return dict.fromkeys(latest.index, max(1.0, steps) ** _ALONE)
    before = trials[-2].costs.groupby(method)[cost].sum().reindex(latest.index)
    with np.errstate(divide="ignore", invalid="ignore"):
        power = np.log(latest / before) / np.log(last.train / trials[-2].train)
        slope = (1 - before / latest) / (last.train - trials[-2].train)
    grown = np.maximum(steps ** power.clip(0.0, _STEEPEST), 1 + slope.clip(lower=0.0) * (train - last.train))
    return grown.where(np.isfinite(grown), steps).to_dict()

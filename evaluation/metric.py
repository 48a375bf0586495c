"""What a metric is: its name and title, its unit and direction, what it is computed from, how it is printed."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Rate:
    """Hits among images, whose interval is exact; or the mean of several such rates.

    Attributes
    ----------
    parts : callable
        From confusion counts, shape (..., K, K), true class by row, to hits and images, each of shape (..., m): one
        rate, or one a class. A metric that is not by class is the mean of the rates, and scores patients, too.
    """

    parts: Callable[[Floats], tuple[Floats, Floats]]


@dataclass(frozen=True)
class FromCounts:
    """A function of confusion counts; its interval is recovered from those of the sensitivities.

    Attributes
    ----------
    compute : callable
        From counts, shape (..., K, K), true class by row, not always whole numbers, to values, shape (...); to values,
        shape (..., K), of a metric by class.
    least : float
        Its limits do not go below.
    """

    compute: Callable[[Floats], Floats]
    least: float = -math.inf


def _mean(sums: Floats, images: Floats) -> Floats:
    return ratio(sums[..., 0], images)


@dataclass(frozen=True)
class FromProbabilities:
    """Made of a number of each image, summed over images.

    Attributes
    ----------
    contributions : callable
        From labels, shape (n,), and probabilities, shape (n, K), to the sum that each image adds to (int, from 0) and
        what it adds, both of shape (n,).
    sums : int
        How many sums there are.
    combine : callable
        From sums, shape (..., sums), and numbers of images, shape (...), to values, shape (...); by default the mean.
    interval : {"resamples", "less chance"}
        Less chance where few images alone make the metric too high, and 0 is its least.
    bounds : (float, float)
        Its limits do not go beyond.
    """

    contributions: Callable[[Integers, Floats], tuple[Integers, Floats]]
    sums: int = 1
    combine: Callable[[Floats, Floats], Floats] = _mean
    interval: Literal["resamples", "less chance"] = "resamples"
    bounds: tuple[float, float] = (-math.inf, math.inf)


@dataclass(frozen=True)
class FromAreas:
    """The area under the ROC curve of each class against the rest, by folds.

    Attributes
    ----------
    compute : callable
        From areas, shape (folds, K, r), to values, shape (r,).
    """

    compute: Callable[[Floats], Floats]


@dataclass(frozen=True)
class Metric:
    """One metric.

    Attributes
    ----------
    name : str
        Column of the tables.
    title : str
        In words.
    source : Rate, FromCounts, FromProbabilities or FromAreas
        What it is computed from, which decides its interval.
    unit : {"percent", "number"}
        How it is printed.
    greater_is_better : bool
    chance : float or callable, optional
        What guessing reaches; a callable is given the number of classes. None: what the majority class reaches.
    by_class : bool
        One value a class, in columns ``name[class]``.
    greatest : float
        Its limits do not go above, unless it is made of probabilities.
    of_patients : bool
        Computed from one label and one mean probability a patient, as other metrics are from those of images.
    """

    name: str
    title: str
    source: Rate | FromCounts | FromProbabilities | FromAreas
    unit: Literal["percent", "number"] = "percent"
    greater_is_better: bool = True
    chance: float | Callable[[int], float] | None = None
    by_class: bool = False
    greatest: float = 1.0
    of_patients: bool = False

    @property
    def ranks(self) -> bool:
        """Whether combinations can be ranked by it."""
        return self.greater_is_better and not self.by_class

    def columns(self, classes: Sequence[str]) -> list[str]:
        """Its columns in the tables."""
        return [f"{self.name}[{label}]" for label in classes] if self.by_class else [self.name]

    def guessing(self, classes: int) -> float | None:
        """Chance level for a number of classes; None if it depends on the images."""
        return self.chance(classes) if callable(self.chance) else self.chance

    def digits(self, value: float | None) -> str:
        """A value without its unit: ``98.12``, or ``0.981``."""
        if value is None or math.isnan(value):
            return "undefined"
        return f"{100 * value:.2f}" if self.unit == "percent" else f"{value:.3f}"

    def with_unit(self, value: float | None) -> str:
        """A value with its unit: ``98.12 %``, or ``0.981``."""
        digits = self.digits(value)
        return f"{digits} %" if self.unit == "percent" and digits != "undefined" else digits

    def interval_with_unit(self, low: float | None, high: float | None) -> str:
        """An interval with its unit: ``97.50 to 98.90 %``, or ``0.973 to 0.986``.

        It is of these fitted models on new images or patients like these. NaN is an interval that would not hold.
        """
        if low is None or high is None or math.isnan(low) or math.isnan(high):
            return "not stated: too few groups"
        return f"{self.digits(low)} to {self.with_unit(high)}"

    def with_interval(self, value: float | None, low: float | None, high: float | None) -> str:
        """A value with its interval: ``98.12 % [97.50 to 98.90]``."""
        text = self.with_unit(value)
        return text if text == "undefined" else f"{text} {self.brackets(low, high)}"

    def brackets(self, low: float | None, high: float | None) -> str:
        """An interval beside a value, which has the unit: ``[97.50 to 98.90]``."""
        return f"[{self.interval_with_unit(low, high).removesuffix(' %')}]"

    def of_row(self, row: Mapping[Any, Any]) -> str:
        """Its value with its interval, from a row of the leaderboard."""
        return self.with_interval(*(row[f"{self.name}{end}"] for end in ("", "_low", "_high")))


def ratio(above: Floats, below: Floats) -> Floats:
    """`above` / `below`, NaN where `below` is not positive."""
    below = np.asarray(below, dtype=np.float64)
    return np.divide(above, below, out=np.full(below.shape, np.nan), where=below > 0)


def mean_of_defined(values: Floats, axis: int) -> Floats:
    """Mean along `axis` without NaN; NaN where nothing is defined."""
    return ratio(np.nansum(values, axis=axis), (~np.isnan(values)).sum(axis=axis))

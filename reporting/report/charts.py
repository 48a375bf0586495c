"""Places of values and intervals on the lines that stand in tables, in percent of their width."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Scale:
    """Maps `low`..`high` to 0..1; values beyond stay at the end."""

    low: float
    high: float

    def at(self, value: float) -> float:
        """Place of `value`."""
        return min(max((value - self.low) / (self.high - self.low), 0.0), 1.0)

    def ticks(self, count: int = 5) -> list[float]:
        """Round values, about `count` of them."""
        step = _round_step((self.high - self.low) / count)
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return [round(position * step, 12) for position in range(first, last + 1)]

    @classmethod
    def around(cls, values: Iterable[float], margin: float = 0.06) -> Scale:
        """Holds all of `values`, with a margin; NaN left out."""
        defined = [value for value in values if not math.isnan(value)] or [0.0, 1.0]
        space = margin * (max(defined) - min(defined)) or 0.01
        return cls(min(defined) - space, max(defined) + space)


def whisker(scale: Scale, value: float, low: float, high: float) -> dict[str, float | bool] | None:
    """Places in percent of a value and its interval on a line; None where the value is not defined."""
    if math.isnan(value):
        return None
    ends = [100 * scale.at(value if math.isnan(end) else end) for end in (low, high)]
    return {
        "dot": round(100 * scale.at(value), 2),
        "start": round(ends[0], 2),
        "length": round(ends[1] - ends[0], 2),
        "below": value < scale.low,
    }


def _round_step(step: float) -> float:
    base = 10.0 ** math.floor(math.log10(step))
    return base * next(factor for factor in (1, 2, 2.5, 5, 10) if factor * base >= step * (1 - 1e-9))

"""Axes of figures: their ends hold every value, and a share is in percent."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ...evaluation.metric import Metric
from ..vega import MUTED, NARROW, chart

SIDE = 300
"""Height in pixels of a figure that is `NARROW` wide."""


@dataclass(frozen=True)
class Domain:
    """Ends of an axis."""

    low: float
    high: float

    @classmethod
    def around(cls, values: Iterable[float], margin: float = 0.05) -> Domain:
        """Holds all of `values`, with a margin; NaN left out."""
        defined = [value for value in values if not math.isnan(value)] or [0.0, 1.0]
        space = margin * (max(defined) - min(defined)) or 0.01
        return cls(min(defined) - space, max(defined) + space)

    @classmethod
    def decades(cls, values: Iterable[float]) -> Domain:
        """From one power of ten to another, for an axis with a logarithmic scale."""
        positive = [value for value in values if value > 0] or [1.0]
        low, high = math.floor(math.log10(min(positive))), math.ceil(math.log10(max(positive)))
        return cls(10.0**low, 10.0 ** max(high, low + 1))

    def times(self, factor: float) -> Domain:
        """In another unit."""
        return Domain(factor * self.low, factor * self.high)

    def below(self, greatest: float) -> Domain:
        """It, ending hardly above the greatest value that is possible."""
        return Domain(self.low, min(self.high, greatest + 0.02 * (greatest - self.low)))

    def holds(self, value: float) -> bool:
        """Whether it lies between the ends."""
        return self.low <= value <= self.high


WHOLE = Domain(0.0, 1.0)


@dataclass(frozen=True)
class Axis:
    """An axis with its title; values are shares where it is in percent.

    Attributes
    ----------
    title : str
    domain : Domain
    percent : bool
        Its values are shown 100-fold.
    log : bool
    """

    title: str
    domain: Domain
    percent: bool = False
    log: bool = False

    @classmethod
    def of(cls, metric: Metric, values: Iterable[float], title: str = "") -> Axis:
        """Of a metric, in its unit."""
        return cls(title or metric.title, Domain.around(values).below(metric.greatest), metric.unit == "percent")

    @property
    def factor(self) -> float:
        """What values are multiplied by."""
        return 100.0 if self.percent else 1.0

    def channel(self, channel: Any, field: str) -> Any:
        """The Altair channel ``X`` or ``Y`` of a field, whose values bear the factor."""
        import altair as alt

        ends = self.domain.times(self.factor)
        kind = {"type": "log"} if self.log else {"zero": False}
        scale = alt.Scale(domain=[ends.low, ends.high], nice=False, **kind)
        title = f"{self.title} (%)" if self.percent else self.title
        more: dict[str, Any] = {"values": self._decades(), "format": "~g"} if self.log else {"tickCount": 5}
        return channel(field, type="quantitative", scale=scale, axis=alt.Axis(title=title, **more))

    def _decades(self) -> list[float]:
        ends = self.domain.times(self.factor)
        low, high = (round(math.log10(end)) for end in (ends.low, ends.high))
        return [10.0**power for power in range(low, high + 1)]


def diagonal(x: Axis, y: Axis) -> Any:
    """A dashed line on which both axes have one value."""
    import altair as alt

    low, high = max(x.domain.low, y.domain.low), min(x.domain.high, y.domain.high)
    ends = [{"x": x.factor * end, "y": y.factor * end} for end in (low, high)]
    line = chart(ends).mark_line(color=MUTED, strokeDash=[4, 4], strokeWidth=1)
    return line.encode(x=x.channel(alt.X, "x"), y=y.channel(alt.Y, "y"))


def fitted(drawing: Any, width: int = NARROW, height: int = SIDE) -> Any:
    """A chart of this size, with its axes and titles."""
    import altair as alt

    return drawing.properties(width=width, height=height, autosize=alt.AutoSizeParams(type="fit", contains="padding"))

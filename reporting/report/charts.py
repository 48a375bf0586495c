"""Where the marks of the report's charts go; the templates draw them as SVG that follows the reader's theme."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

_LEFT, _RIGHT, _TOP, _BOTTOM = 50.0, 24.0, 30.0, 44.0


@dataclass(frozen=True)
class Scale:
    """Maps `low`..`high` to 0..1; values beyond stay at the end. With `log`, both are above 0."""

    low: float
    high: float
    log: bool = False

    def at(self, value: float) -> float:
        """Place of `value`."""
        low, high, own = (math.log10(v) if self.log else v for v in (self.low, self.high, max(value, self._floor)))
        return min(max((own - low) / (high - low), 0.0), 1.0)

    def ticks(self, count: int = 5) -> list[float]:
        """Round values, about `count` of them."""
        if not self.log:
            step = _round_step((self.high - self.low) / count)
            first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
            return [round(position * step, 12) for position in range(first, last + 1)]
        decades = range(math.ceil(math.log10(self.low) - 1e-9), math.floor(math.log10(self.high) + 1e-9) + 1)
        return [10.0**decade for decade in decades]

    @property
    def _floor(self) -> float:
        return self.low if self.log else -math.inf

    @classmethod
    def around(cls, values: Iterable[float], margin: float = 0.06) -> Scale:
        """Holds all of `values`, with a margin; NaN left out."""
        defined = [value for value in values if not math.isnan(value)] or [0.0, 1.0]
        space = margin * (max(defined) - min(defined)) or 0.01
        return cls(min(defined) - space, max(defined) + space)

    @classmethod
    def decades(cls, values: Iterable[float]) -> Scale:
        """Logarithmic, from one power of ten to another."""
        positive = [value for value in values if value > 0] or [1.0]
        low, high = math.floor(math.log10(min(positive))), math.ceil(math.log10(max(positive)))
        return cls(10.0**low, 10.0 ** max(high, low + 1), log=True)


@dataclass(frozen=True)
class Mark:
    """A point, or a bar where it has `width` and `height`, in units of the drawing; `title` is read out and hovers."""

    x: float
    y: float
    title: str
    kind: str = ""
    tag: str = ""
    radius: float = 4.0
    width: float = 0.0
    height: float = 0.0


@dataclass(frozen=True)
class Chart:
    """Axes of `width` x `height` units with `marks`; `summary` says in words what is drawn."""

    x: Scale
    y: Scale
    x_label: str
    y_label: str
    summary: str
    title: str = ""
    width: float = 400.0
    height: float = 270.0
    percent: tuple[bool, bool] = (False, True)
    diagonal: bool = False
    marks: list[Mark] = field(default_factory=list)

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Left, top, right and bottom of what lies within the axes."""
        return _LEFT, _TOP, self.width - _RIGHT, self.height - _BOTTOM

    def px(self, value: float) -> float:
        """Place of `value` on the horizontal axis."""
        left, _, right, _ = self.box
        return round(left + self.x.at(value) * (right - left), 2)

    def py(self, value: float) -> float:
        """Place of `value` on the vertical axis."""
        _, top, _, bottom = self.box
        return round(bottom - self.y.at(value) * (bottom - top), 2)

    def x_ticks(self) -> list[tuple[float, str]]:
        """Place and text of each mark under the horizontal axis."""
        return [(self.px(value), _tick_label(value, self.percent[0])) for value in self.x.ticks()]

    def y_ticks(self) -> list[tuple[float, str]]:
        """Place and text of each mark beside the vertical axis."""
        return [(self.py(value), _tick_label(value, self.percent[1])) for value in self.y.ticks()]

    def point(self, x: float, y: float, title: str, kind: str = "", tag: str = "", radius: float = 4.0) -> None:
        """Add a point."""
        self.marks.append(Mark(self.px(x), self.py(y), title, kind, tag, radius))

    def bar(self, start: float, end: float, value: float, title: str, kind: str = "", tag: str = "") -> None:
        """Add a bar that stands on the horizontal axis."""
        left, top, bottom = self.px(start) + 1, self.py(value), self.box[3]
        self.marks.append(Mark(left, top, title, kind, tag, 0, self.px(end) - 1 - left, bottom - top))


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


def _tick_label(value: float, percent: bool) -> str:
    return f"{100 * value:.4g} %" if percent else f"{value:.4g}"

"""Numbers as the report shows them: scores, intervals, and the rows that examples are shown of."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ...evaluation.combination_names import names_of, rows_of, short_name, title
from ...evaluation.metrics import ACCURACY, metric_of
from ...evaluation.records import SECONDS
from ...runs.finished import FinishedRun, Row

if TYPE_CHECKING:
    import pandas as pd

PERCENT = "\N{NO-BREAK SPACE}%"
Interval = tuple[float, float, float]
"""Value, low, high; NaN where one is not defined."""


def score_text(metric: str, value: Any) -> str:
    """A score as text, in the metric's unit; a dash where it is not defined."""
    number = as_number(value)
    return "\N{EN DASH}" if math.isnan(number) else metric_of(metric).with_unit(number).replace(" %", PERCENT)


def limits_text(metric: str, low: float, high: float) -> str:
    """An interval as text; it stands beside its value, which has the unit."""
    return metric_of(metric).brackets(low, high)[1:-1]


def share_text(share: Any) -> str:
    """A share of images or patients as text, in percent."""
    return score_text(ACCURACY.name, share)


def as_number(value: Any) -> float:
    """`value`; NaN for what is empty."""
    try:
        return float(value)
    except (TypeError, ValueError):
        return math.nan


def title_of(names: Sequence[str]) -> str:
    """A combination as one text; a shortcut is called by its own name alone."""
    return title(names, " \N{MULTIPLICATION SIGN} ")


def short_title(names: Sequence[str]) -> str:
    """A combination as one text, with short names."""
    return title([short_name(name) for name in names], " \N{MULTIPLICATION SIGN} ")


def interval_of(row: Row, name: str) -> Interval:
    """The column `name` of a row, with its limits."""
    value, low, high = (as_number(row.get(f"{name}{end}")) for end in ("", "_low", "_high"))
    return value, low, high


def score_with_interval(metric: str, row: Row) -> str:
    """A score of a row with its interval, as text: ``98.12 % [97.50 to 98.90]``."""
    return metric_of(metric).with_interval(*interval_of(row, metric))


def texts(metric: str, interval: Interval) -> dict[str, str]:
    """An interval as texts: ``value`` and ``interval``."""
    value, low, high = interval
    return {
        "value": score_text(metric, value),
        "interval": "undefined" if math.isnan(value) else limits_text(metric, low, high),
    }


def seconds_of(row: Row) -> float:
    """Mean seconds that a fold costs: selector, classifier and prediction."""
    return sum(as_number(row.get(name)) for name in SECONDS)


def examples(run: FinishedRun, count: int = 3) -> list[Row]:
    """The best `count` combinations and the strongest shortcut: rows of the leaderboard."""
    return [*run.ranked[:count], *run.shortcuts[:1]]


def best_rows(run: FinishedRun, table: pd.DataFrame) -> pd.DataFrame:
    """Rows of `table` on the best combination."""
    return rows_of(table, names_of(run.ranked[0])) if run.ranked else table.iloc[:0]

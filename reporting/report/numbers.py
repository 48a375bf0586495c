"""Numbers as the report shows them: scores, intervals, and the rows that examples are shown of."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ...evaluation.combination_names import names_of, rows_of, title
from ...runs.finished import FinishedRun, Row

if TYPE_CHECKING:
    import pandas as pd

PERCENT = "\N{NO-BREAK SPACE}%"
RATES = ("accuracy", "balanced_accuracy", "f1_macro", "f1_weighted", "auroc", "ece")
Interval = tuple[float, float, float]
"""Value, low, high; NaN where one is not defined."""


def shown(metric: str, value: Any) -> str:
    """A score as text: rates in percent, others (MCC, Brier, log loss) as they are; a dash where not defined."""
    number = as_number(value)
    if math.isnan(number):
        return "\N{EN DASH}"
    rate = metric in RATES or metric.startswith(("sensitivity", "specificity"))
    return f"{100 * number:.2f}{PERCENT}" if rate else f"{number:.3f}"


def as_number(value: Any) -> float:
    """`value`; NaN for what is empty."""
    try:
        return float(value)
    except (TypeError, ValueError):
        return math.nan


def title_of(names: Sequence[str]) -> str:
    """A combination as one text; a shortcut is called by its own name alone."""
    return title(names, " \N{MULTIPLICATION SIGN} ")


def interval_of(row: Row, name: str) -> Interval:
    """The column `name` of a row, with its limits."""
    value, low, high = (as_number(row.get(f"{name}{end}")) for end in ("", "_low", "_high"))
    return value, low, high


def texts(metric: str, interval: Interval) -> dict[str, str]:
    """An interval as texts: ``value`` and ``interval``."""
    value, low, high = interval
    defined = not (math.isnan(low) or math.isnan(high))
    limits = f"{shown(metric, low).removesuffix(PERCENT)} to {shown(metric, high)}" if defined else "no interval"
    return {"value": shown(metric, value), "interval": limits}


def seconds_of(row: Row) -> float:
    """Mean seconds that a fold costs: selector, classifier and prediction."""
    return sum(as_number(row.get(name)) for name in ("selector_s", "fit_s", "predict_s"))


def examples(run: FinishedRun, count: int = 3) -> list[Row]:
    """The best `count` combinations and the strongest shortcut: rows of the leaderboard."""
    return [*run.ranked[:count], *run.shortcuts[:1]]


def best_rows(run: FinishedRun, table: pd.DataFrame) -> pd.DataFrame:
    """Rows of `table` on the best combination."""
    return rows_of(table, names_of(run.ranked[0])) if run.ranked else table.iloc[:0]

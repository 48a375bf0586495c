"""Chance: on permuted labels nothing can be learnt, so every score has to be that of guessing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .combination_names import NAMES
from .metrics import BALANCED_ACCURACY

if TYPE_CHECKING:
    import pandas as pd

_LEVEL = 0.95
_METRIC = BALANCED_ACCURACY
"""Guessing reaches the same in it whatever the images."""


def chance_verdict(leaderboard: pd.DataFrame, classes: int) -> dict[str, Any]:
    """Whether the balanced accuracy of every row is that of guessing, ``1 / classes``.

    With N rows, some 95 % intervals miss the truth by chance alone. So each interval is widened, as if normal, to hold
    for all rows at once (Bonferroni: level 1 - 0.05 / N).

    Parameters
    ----------
    leaderboard : DataFrame
        With balanced accuracy, its ``_low`` and ``_high``, and names.
    classes : int

    Returns
    -------
    dict
        ``at_chance`` (bool: all widened intervals hold it), ``expected``, ``rows``, ``misses_95`` (rows whose own 95 %
        interval misses it), ``outside`` (names of rows whose widened interval misses it), ``highest`` and ``words``.
    """
    from scipy.stats import norm

    columns = [f"{_METRIC.name}{end}" for end in ("", "_low", "_high")]
    rows = leaderboard[leaderboard[columns[0]].notna() & leaderboard[columns[1]].notna()]
    value, low, high = (rows[column].to_numpy() for column in columns)
    expected = float(_METRIC.guessing(classes) or 0.0)
    wider = norm.ppf(1 - (1 - _LEVEL) / 2 / max(len(rows), 1)) / norm.ppf((1 + _LEVEL) / 2)
    outside = (value - wider * (value - low) > expected) | (value + wider * (high - value) < expected)
    names = rows[list(NAMES)].agg(" x ".join, axis=1).to_numpy()
    misses = int(((low > expected) | (high < expected)).sum())
    facts = {
        "at_chance": not outside.any() and len(rows) > 0,
        "expected": expected,
        "rows": len(rows),
        "misses_95": misses,
        "outside": names[outside].tolist(),
        "highest": float(value.max()) if len(rows) else None,
    }
    return facts | {"words": _words(facts, value[outside] if outside.any() else np.empty(0))}


def _words(facts: dict[str, Any], outside: np.ndarray) -> str:
    expected = f"{_METRIC.with_unit(facts['expected'])} {_METRIC.title}"
    if not facts["rows"]:
        return "PERMUTED LABELS: nothing was scored."
    if facts["at_chance"]:
        return (
            f"PERMUTED LABELS, as expected: all {facts['rows']} rows are at chance ({expected}) within intervals "
            f"that hold for all of them at once; highest {_METRIC.with_unit(facts['highest'])}. "
            f"The single 95 % intervals of {facts['misses_95']} rows miss it; one in twenty does so by chance."
        )
    return (
        f"PERMUTED LABELS, NOT AT CHANCE: {len(outside)} of {facts['rows']} rows differ from {expected}, such as "
        f"{facts['outside'][0]} with {_METRIC.with_unit(outside[0])}: something leaks from the test images "
        "into the fits."
    )

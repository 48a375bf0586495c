"""Chance: on permuted labels nothing can be learnt, so every score has to be that of guessing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

_LEVEL = 0.95


def chance_verdict(leaderboard: pd.DataFrame, classes: int) -> dict[str, Any]:
    """Whether the balanced accuracy of every row is that of guessing, ``1 / classes``.

    With N rows, some 95 % intervals miss the truth by chance alone. So each interval is widened, as if normal, to hold
    for all rows at once (Bonferroni: level 1 - 0.05 / N).

    Parameters
    ----------
    leaderboard : DataFrame
        With ``balanced_accuracy``, its ``_low`` and ``_high``, and names.
    classes : int

    Returns
    -------
    dict
        ``at_chance`` (bool: all widened intervals hold it), ``expected``, ``rows``, ``misses_95`` (rows whose own 95 %
        interval misses it), ``outside`` (names of rows whose widened interval misses it), ``highest`` and ``words``.
    """
    from scipy.stats import norm

    rows = leaderboard[leaderboard["balanced_accuracy"].notna() & leaderboard["balanced_accuracy_low"].notna()]
    value, low, high = (rows[f"balanced_accuracy{end}"].to_numpy() for end in ("", "_low", "_high"))
    expected = 1 / classes
    wider = norm.ppf(1 - (1 - _LEVEL) / 2 / max(len(rows), 1)) / norm.ppf((1 + _LEVEL) / 2)
    outside = (value - wider * (value - low) > expected) | (value + wider * (high - value) < expected)
    names = rows[["extractor", "selector", "classifier"]].agg(" x ".join, axis=1).to_numpy()
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
    expected = f"{100 * facts['expected']:.1f} % balanced accuracy"
    if not facts["rows"]:
        return "PERMUTED LABELS: nothing was scored."
    if facts["at_chance"]:
        return (
            f"PERMUTED LABELS, as they should: all {facts['rows']} rows are at chance ({expected}) within intervals "
            f"that hold for all of them at once; highest {100 * facts['highest']:.1f} %. {facts['misses_95']} rows' "
            "own 95 % intervals miss it; one in twenty is no surprise."
        )
    return (
        f"PERMUTED LABELS, NOT AT CHANCE: {len(outside)} of {facts['rows']} rows differ from {expected}, such as "
        f"{facts['outside'][0]} with {100 * outside[0]:.1f} %: something leaks from the test images into the fits."
    )

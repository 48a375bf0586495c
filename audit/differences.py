"""Class differences unrelated to the cells: size, format, compression, camera, colour."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .independent import as_numbers, is_text, one_per_group

if TYPE_CHECKING:
    import pandas as pd

_STRONG, _WEAK = 0.5, 0.2
_SURE = 0.001
"""p-value above which a difference may be chance."""
_DIGITS = 4
_OWN = ("fact", "separation", "verdict")


def class_differences(
    facts: pd.DataFrame, labels: NDArray[Any], groups: NDArray[np.int64] | None = None
) -> pd.DataFrame:
    """Measure how well each fact alone separates the classes.

    Parameters
    ----------
    facts : DataFrame
        One row per image; columns of numbers, dates or texts.
    labels : ndarray of str, shape (n,)
    groups : ndarray of int, shape (n,), optional
        Images that are not independent, such as those of a patient: what may be chance is judged by groups.

    Returns
    -------
    DataFrame
        fact; a column for each class with its median, or its most frequent text, or with more of them where classes
        that differ have these in common; separation and verdict; the strongest first. Separation is 0 for facts that
        do not separate the classes and 1 for those that separate them fully: for numbers and dates, how far the area
        under the ROC curve of each class against the rest is from a half, doubled and averaged; for texts, Cramér's V
        without its bias.

    References
    ----------
    W. Bergsma, A Bias-Correction for Cramér's V and Tschuprow's T, Journal of the Korean Statistical Society 42, 2013.
    """
    import pandas as pd

    classes = sorted(set(labels))
    rows = []
    for name in facts:
        values = facts[name]
        measure = _of_texts if is_text(values) else _of_numbers
        separation, p = measure(as_numbers(values), labels)
        if groups is not None:
            p = measure(*one_per_group(values, labels, groups))[1]
        verdict = "the same everywhere" if values.nunique(dropna=False) == 1 else _verdict(separation, p)
        parts = [values[labels == label] for label in classes]
        typical = _typical(parts, verdict.startswith("differs"))
        rows.append([str(name), *typical, separation, verdict])
    table = pd.DataFrame(rows, columns=["fact", *map(column_of, classes), "separation", "verdict"])
    return table.sort_values(["separation", "fact"], ascending=[False, True]).reset_index(drop=True)


def column_of(label: str) -> str:
    """Name of the column of a class."""
    return f"{label} (class)" if label in _OWN else label


def _typical(parts: Sequence[pd.Series], differ: bool) -> list[str]:
    """The middle of each class; where all share it although they `differ`, what they do not share."""
    views = _TEXTS if is_text(parts[0]) else _NUMBERS
    for view in views if differ else views[:1]:
        typical = [view(part) for part in parts]
        if len(set(typical)) > 1:
            return typical
    return [views[0](part) for part in parts]


def _quantiles(*shares: float, digits: int = _DIGITS) -> Callable[[pd.Series], str]:
    """Dates and numbers at these shares of a class; an unknown date is earlier than all others."""

    def view(values: pd.Series) -> str:
        ordered = values.sort_values(na_position="first")
        if shares == (0.5,) and ordered.dtype.kind == "f":
            return _in_words(ordered.median(), digits)
        places = [round(share * (len(ordered) - 1)) for share in shares]
        return " to ".join(dict.fromkeys(_in_words(ordered.iloc[place], digits) for place in places))

    return view


def _in_words(value: Any, digits: int) -> str:
    if hasattr(value, "strftime"):
        return "unknown" if str(value) == "NaT" else value.strftime("%Y-%m-%d")
    return f"{value:.0f}" if abs(value) >= 1000 and digits == _DIGITS else f"{value:.{digits}g}"


def _mean(values: pd.Series) -> str:
    return f"{_in_words(values.mean(), _DIGITS)} on average"


def _mode(values: pd.Series) -> str:
    return str(values.mode().iloc[0])


def _mode_and_share(values: pd.Series) -> str:
    return f"{_mode(values) or 'none'} in {(values == _mode(values)).mean():.0%}"


_NUMBERS = (_quantiles(0.5), _quantiles(0.5, digits=7), _quantiles(0.25, 0.75), _quantiles(0.05, 0.95), _mean)
_TEXTS = (_mode, _mode_and_share)


def _verdict(separation: float, p: float) -> str:
    if p > _SURE:
        return "much the same"
    if separation >= _STRONG:
        return "differs strongly between classes"
    return "differs between classes" if separation >= _WEAK else "much the same"


def _of_numbers(values: NDArray[Any], labels: NDArray[Any]) -> tuple[float, float]:
    """Separation, and the p-value of Kruskal and Wallis."""
    from scipy.stats import kruskal, rankdata

    ranks, areas, classes = rankdata(values), [], np.unique(labels.astype(str))
    for label in classes:
        own = labels == label
        ones, zeros = int(own.sum()), int((~own).sum())
        if zeros:
            areas.append((ranks[own].sum() - ones * (ones + 1) / 2) / (ones * zeros))
    if not areas or len(np.unique(values)) == 1:
        return 0.0, 1.0
    p = kruskal(*(values[labels == label] for label in classes)).pvalue
    return float(np.mean([abs(2 * area - 1) for area in areas])), float(p)


def _of_texts(values: NDArray[Any], labels: NDArray[Any]) -> tuple[float, float]:
    """Cramér's V without its bias, and the p-value of the chi-squared test."""
    from scipy.stats import chi2

    rows, columns = (np.unique(side.astype(str), return_inverse=True)[1] for side in (values, labels))
    height, width, count = rows.max() + 1, columns.max() + 1, len(rows)
    if height == 1 or width == 1 or count < 2:
        return 0.0, 1.0
    table = np.bincount(rows * width + columns, minlength=height * width).reshape(height, width)
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / count
    phi2 = ((table - expected) ** 2 / expected).sum() / count
    corrected = max(0.0, phi2 - (height - 1) * (width - 1) / (count - 1))
    sides = (size - (size - 1) ** 2 / (count - 1) for size in (height, width))
    least = min(sides) - 1
    p = float(chi2.sf(phi2 * count, (height - 1) * (width - 1)))
    return (float(min(1.0, np.sqrt(corrected / least))), p) if least > 0 else (0.0, p)

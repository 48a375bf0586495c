"""Class differences unrelated to the cells: size, format, compression, camera, colour."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd

_STRONG, _WEAK = 0.5, 0.2
_SURE = 0.001
"""p-value above which a difference may be chance."""
_OWN = ("fact", "separation", "verdict")


def class_differences(facts: pd.DataFrame, labels: NDArray[Any]) -> pd.DataFrame:
    """Measure how well each fact alone separates the classes.

    Parameters
    ----------
    facts : DataFrame
        One row per image; columns of numbers or texts.
    labels : ndarray of str, shape (n,)

    Returns
    -------
    DataFrame
        fact; a column for each class with its median, or its most frequent text; separation and verdict; the strongest
        first. Separation is 0 for facts that do not separate the classes and 1 for those that separate them fully: for
        numbers, how far the area under the ROC curve of each class against the rest is from a half, doubled and
        averaged; for texts,
        Cramér's V without its bias.

    References
    ----------
    W. Bergsma, A Bias-Correction for Cramér's V and Tschuprow's T, Journal of the Korean Statistical Society 42, 2013.
    """
    import pandas as pd

    classes = sorted(set(labels))
    rows = []
    for name in facts:
        values = facts[name]
        numbers = pd.api.types.is_numeric_dtype(values)
        separation, p = (_of_numbers if numbers else _of_texts)(values.to_numpy(), labels)
        typical = [_typical(values[labels == label], numbers) for label in classes]
        verdict = "the same everywhere" if values.nunique() == 1 else _verdict(separation, p)
        rows.append([str(name), *typical, separation, verdict])
    named = [f"{name} (class)" if name in _OWN else name for name in classes]
    table = pd.DataFrame(rows, columns=["fact", *named, "separation", "verdict"])
    return table.sort_values(["separation", "fact"], ascending=[False, True]).reset_index(drop=True)


def _typical(values: pd.Series, numbers: bool) -> str:
    return f"{values.median():.4g}" if numbers else str(values.mode().iloc[0])


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

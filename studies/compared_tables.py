"""Two tables, one published and one computed again: how many of their values agree, and the first that do not."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import visible

if TYPE_CHECKING:
    import pandas as pd

SHOWN = 5
"""Mismatches that are named of one check; all are counted."""
_LONGEST = 100


@dataclass(frozen=True)
class Mismatch:
    """A value that is not what follows from the predictions.

    Attributes
    ----------
    file : str
        Below the folder that is verified.
    row, column : str
        Where in it; '' where the whole file is meant.
    published, recomputed : str
    """

    file: str
    row: str
    column: str
    published: str
    recomputed: str

    @property
    def words(self) -> str:
        """In one line."""
        place = ", ".join(part for part in (self.file, self.row, self.column) if part)
        return visible(f"{place}: published {_short(self.published)}, recomputed {_short(self.recomputed)}")


@dataclass(frozen=True)
class Check:
    """What was compared, and how much of it agrees.

    Attributes
    ----------
    what : str
    compared, differ : int
        Values.
    largest : float
        Largest difference between numbers; 0 where none were compared.
    mismatches : tuple of Mismatch
        The first of those that differ.
    """

    what: str
    compared: int
    differ: int = 0
    largest: float = 0.0
    mismatches: tuple[Mismatch, ...] = ()

    @property
    def agree(self) -> int:
        """How many."""
        return self.compared - self.differ


def joined(what: str, checks: Sequence[Check]) -> Check:
    """Several as one."""
    mismatches = [one for check in checks for one in check.mismatches]
    largest = max((check.largest for check in checks), default=0.0)
    return Check(
        what,
        sum(check.compared for check in checks),
        sum(check.differ for check in checks),
        largest,
        tuple(mismatches[:SHOWN]),
    )


def compare_facts(
    what: str, file: str, agrees: np.ndarray, describe: Callable[[int], tuple[str, str, str, str]]
) -> Check:
    """A check of facts that hold or not.

    Parameters
    ----------
    what, file : str
    agrees : ndarray of bool, shape (n,)
    describe : callable
        From the position of one that does not agree to its row, its column, and what is published and recomputed.
    """
    wrong = np.flatnonzero(~agrees)
    named = tuple(Mismatch(file, *describe(int(place))) for place in wrong[:SHOWN])
    return Check(what, len(agrees), len(wrong), mismatches=named)


def compare_values(
    what: str, file: str, published: Mapping[str, Any], recomputed: Mapping[str, Any], tolerance: float
) -> Check:
    """Compare the values of a JSON object by their paths; those that are not recomputed take no part."""
    checks = []
    for path, value in recomputed.items():
        before = published.get(path, "absent")
        gap = _gap(before, value)
        differs = gap > tolerance * _size(value)
        named = (Mismatch(file, "", path, _text(before), _text(value)),) if differs else ()
        checks.append(Check(path, 1, int(differs), gap if math.isfinite(gap) else 0.0, named))
    return joined(what, checks)


def compare_tables(
    what: str, file: str, published: pd.DataFrame, recomputed: pd.DataFrame, keys: Sequence[str], tolerance: float
) -> Check:
    """Compare the columns of `recomputed` with those of the same names, row by row.

    Parameters
    ----------
    what, file : str
    published, recomputed : DataFrame
        A row that only one of them has is a mismatch, as is one that is there twice.
    keys : sequence of str
        Columns that name a row.
    tolerance : float
        Of numbers, absolute below 1 and relative above.
    """
    names = [str(name) for name in recomputed.columns if name not in keys]
    absent = [name for name in (*keys, *names) if name not in published.columns]
    if absent:
        lacking = tuple(Mismatch(file, "", name, "no such column", "a column") for name in absent[:SHOWN])
        size = len(recomputed) * len(absent)
        rest = [name for name in names if name not in absent]
        checks = [Check(what, size, size, mismatches=lacking)]
        if not set(keys) & set(absent):
            checks.append(compare_tables(what, file, published, recomputed[[*keys, *rest]], keys, tolerance))
        return joined(what, checks)
    first, second = (_by_row(table, keys) for table in (published, recomputed))
    checks = [_rows(what, file, published, recomputed, keys)]
    common = [row for row in second if row in first]
    before, after = ([table[row] for row in common] for table in (first, second))
    titles = [" x ".join(map(str, row)) for row in common]
    for name in names:
        checks.append(
            _column(
                file,
                name,
                titles,
                published[name].iloc[before].tolist(),
                recomputed[name].iloc[after].tolist(),
                tolerance,
            )
        )
    return joined(what, checks)


def _by_row(table: pd.DataFrame, keys: Sequence[str]) -> dict[tuple[str, ...], int]:
    columns = [table[name].astype(str) for name in keys]
    return {row: place for place, row in enumerate(zip(*columns, strict=True))}


def _rows(what: str, file: str, published: pd.DataFrame, recomputed: pd.DataFrame, keys: Sequence[str]) -> Check:
    """Rows that only one of two tables has, or that are published twice."""
    first, second = (_by_row(table, keys) for table in (published, recomputed))
    twice = len(published) - len(first)
    lost = [row for row in second if row not in first]
    surplus = [row for row in first if row not in second]
    mismatches = [Mismatch(file, " x ".join(row), "", "no such row", "a row") for row in lost]
    mismatches += [Mismatch(file, " x ".join(row), "", "a row", "no such row") for row in surplus]
    mismatches += [Mismatch(file, "", "", f"{twice:,} rows twice", "each once")] if twice else []
    count = len(lost) + len(surplus) + twice
    return Check(what, max(len(second) + len(surplus) + twice, count), count, mismatches=tuple(mismatches[:SHOWN]))


def _column(
    file: str, name: str, rows: Sequence[str], before: Sequence[Any], after: Sequence[Any], tolerance: float
) -> Check:
    gaps = np.array([_gap(one, other) for one, other in zip(before, after, strict=True)], dtype=np.float64)
    sizes = np.array([_size(value) for value in after], dtype=np.float64)
    number, wrong = np.isfinite(gaps), np.flatnonzero(gaps > tolerance * sizes)
    named = [Mismatch(file, rows[place], name, _text(before[place]), _text(after[place])) for place in wrong[:SHOWN]]
    return Check(name, len(gaps), len(wrong), float(gaps[number].max()) if number.any() else 0.0, tuple(named))


def _gap(before: Any, after: Any) -> float:
    """Difference of two numbers; NaN where both are undefined or the same text, infinite where one alone is."""
    if _is_number(before) and _is_number(after):
        return abs(float(before) - float(after)) if before != after else 0.0
    undefined = [_is_undefined(one) for one in (before, after)]
    same = all(undefined) or (not any(undefined) and str(before) == str(after))
    return math.nan if same else math.inf


def _size(value: Any) -> float:
    return max(1.0, abs(float(value))) if _is_number(value) else 1.0


def _is_number(value: Any) -> bool:
    """Whether it is a number that is defined."""
    number = isinstance(value, int | float | np.number) and not isinstance(value, bool | np.bool_)
    return number and not math.isnan(value)


def _is_undefined(value: Any) -> bool:
    if isinstance(value, str):
        return not value
    return value is None or type(value).__name__ == "NAType" or bool(isinstance(value, float) and math.isnan(value))


def _text(value: Any) -> str:
    return "undefined" if _is_undefined(value) else str(value)


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST // 2]} ... {text[-_LONGEST // 2 :]}"

"""The three names of a combination, columns of every table that has rows of combinations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

NAMES = ("extractor", "selector", "classifier")
Names = tuple[str, str, str]
SHORTCUT = "shortcut: "
CONTENT = "content: "
"""What the extractor's name of a shortcut, and of a content row, begins with."""
TOGETHER = "all shortcuts together"
"""Name of the shortcut that sees all columns of the others."""
FAILED, NOT_REACHED = "failed", "not reached"
"""How the status of a row without numbers begins: it failed in a fold, or the time ended before it had all folds."""


def names_of(row: Mapping[Any, Any]) -> Names:
    """Extractor, selector and classifier of a row."""
    extractor, selector, classifier = (str(row[name]) for name in NAMES)
    return extractor, selector, classifier


def as_columns(names: Sequence[str]) -> dict[str, str]:
    """The columns of a combination with these names."""
    return dict(zip(NAMES, names, strict=True))


def title(names: Sequence[str], times: str = " x ") -> str:
    """A combination as one text; a shortcut or content row is called by its own name alone."""
    first = names[0]
    if first.startswith(CONTENT):
        return first
    return first.removeprefix(SHORTCUT) if first.startswith(SHORTCUT) else times.join(names)


def short_name(label: str) -> str:
    """A name with its parameters as a narrow table shows it: ``efficientnet_lite0(pooling=multilevel)`` as
    ``lite0·multilevel``, ``anova(n_features=40)`` as ``anova·n_features=40``.
    """
    name, bracket, rest = label.removeprefix("efficientnet_").partition("(")
    if not bracket or not rest.endswith(")"):
        return label if bracket else name
    return "·".join([name, *(_short_value(one) for one in rest[:-1].split(", "))])


def _short_value(parameter: str) -> str:
    key, equals, value = parameter.partition("=")
    value = value.rpartition("/")[2]
    is_word = value[:1].isalpha() and value not in ("True", "False", "None", "tuned")
    return value if is_word or not equals else f"{key}={value}"


def rows_of(table: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """Rows of one combination; none where the table is without names."""
    if not set(NAMES) <= set(table.columns):
        return table.iloc[:0]
    return table[(table[list(NAMES)] == list(names)).all(axis=1)]

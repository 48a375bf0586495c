"""Decisions: a table in which a person says which pairs of images are copies, and which are not."""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import ConfigurationError
from .clusters import connected
from .copies import KINDS
from .filled_tables import identify, read_rows

if TYPE_CHECKING:
    import pandas as pd

SAME, DIFFERENT = "same", "different"
_SIDES = ("image_id_a", "image_id_b", "path_a", "path_b")
_OF_IMAGE = ("path", "label")
_SHOWN = 3
_COLUMNS = "decision, and image_id_a and image_id_b (or path_a and path_b), as in audit/copies.csv"

Decided = dict[tuple[str, str], str]
"""Two image ids in alphabetical order -> `SAME` or `DIFFERENT`."""


@dataclass(frozen=True)
class Decisions:
    """The rows of a table in which a decision is filled in.

    Attributes
    ----------
    table : Path
    rows : list of (int, mapping)
        Line of the table, and its image ids, paths and decision.
    """

    table: Path
    rows: list[tuple[int, dict[str, str]]] = field(default_factory=list)

    def of(self, images: pd.DataFrame, folder: Path, unused: Collection[str] = (), *, strict: bool = True) -> Decided:
        """Decisions on these images, joined by image id and, where that is unknown, by path.

        Parameters
        ----------
        images : DataFrame
            image_id, path.
        folder : Path
            That relative paths start from.
        unused : collection of str
            Paths of images that are there and left out; rows that name one are passed over.
        strict : bool
            False passes over all rows whose images are not there.

        Raises
        ------
        ConfigurationError
            The table names images that are not there, or contradicts itself.
        """
        ids, by_path = set(images["image_id"]), dict(zip(images["path"], images["image_id"], strict=True))
        decided: Decided = {}
        absent, against = [], []
        for line, row in self.rows:
            sides = [identify(row[f"image_id_{side}"], row[f"path_{side}"], ids, by_path, folder) for side in "ab"]
            if not all(sides):
                lacking = [side for side, image_id in zip("ab", sides, strict=True) if not image_id]
                if not all(os.path.normpath(folder / row[f"path_{side}"]) in unused for side in lacking):
                    absent.append(f"line {line}: {row[f'path_{lacking[0]}'] or row[f'image_id_{lacking[0]}']}")
                continue
            pair, decision = _key(*sides), row["decision"]
            if pair[0] == pair[1]:
                against += [f"line {line}: the same file twice is called different"] * (decision == DIFFERENT)
            elif decided.setdefault(pair, decision) != decision:
                against.append(f"line {line}: the pair is also called {decided[pair]}")
        _refuse(
            self.table,
            absent if strict else [],
            "names images that are not there",
            "the image ids, or paths, of images of this run",
        )
        _refuse(self.table, against or _chains(decided), "contradicts itself", "one decision for each pair")
        return decided


def _refuse(table: Path, problems: list[str], what: str, expected: str) -> None:
    if problems:
        more = f"; and {len(problems) - _SHOWN:,} more" if len(problems) > _SHOWN else ""
        raise ConfigurationError(
            f"The table of decisions {table} {what}.",
            expected=expected,
            received="; ".join(problems[:_SHOWN]) + more,
            fix="correct these rows, or empty their column decision.",
        )


def read_decisions(table: Path) -> Decisions:
    """Read a CSV or parquet table of pairs, as the audit writes it; rows without a decision are passed over.

    Raises
    ------
    ConfigurationError
        It cannot be read, lacks a column, or holds other decisions than `SAME` and `DIFFERENT`.
    """
    try:
        columns, rows = read_rows(table)
    except Exception as error:
        raise ConfigurationError(
            f"The table of decisions {table} cannot be read.",
            expected="a CSV or parquet table, such as audit/copies.csv of an audit, with its column decision filled in",
            received=str(error) or type(error).__name__,
            fix="correct the path in images.copies (--copies), or write the table again with `leukobench audit`.",
        ) from error
    if "decision" not in columns or not (columns >= set(_SIDES[:2]) or columns >= set(_SIDES[2:])):
        raise ConfigurationError(
            f"The table of decisions {table} lacks columns.",
            expected=_COLUMNS,
            received=", ".join(sorted(columns)) or "no column",
            fix="start from audit/copies.csv, and fill in the column decision.",
        )
    kept = [(line, {name: row.get(name, "") for name in (*_SIDES, "decision")}) for line, row in rows]
    kept = [(line, row | {"decision": row["decision"].casefold()}) for line, row in kept if row["decision"]]
    others = [f"line {line}: {row['decision']}" for line, row in kept if row["decision"] not in (SAME, DIFFERENT)]
    _refuse(table, others, "holds unknown decisions", f"{SAME}, {DIFFERENT}, or nothing")
    return Decisions(table, kept)


def with_decisions(pairs: pd.DataFrame, decided: Decided, images: pd.DataFrame) -> pd.DataFrame:
    """Fill in the column ``decision`` of a table of pairs; decided pairs that it lacks are appended.

    Parameters
    ----------
    pairs : DataFrame
        See `leukobench.audit.copies.find_copies`.
    decided : mapping
    images : DataFrame
        image_id, path, label; pairs of other images are left out.
    """
    import pandas as pd

    keys = [_key(*pair) for pair in zip(pairs["image_id_a"].tolist(), pairs["image_id_b"].tolist(), strict=True)]
    pairs = pairs.assign(decision=[decided.get(key, "") for key in keys]).astype({"decision": "str"})
    first = images.drop_duplicates("image_id").set_index("image_id")
    lacking = [key for key in sorted(decided.keys() - set(keys)) if set(key) <= set(first.index)]
    if not lacking:
        return pairs
    rows = pd.DataFrame([_appended_row(pair, first, decided[pair]) for pair in lacking]).reindex(columns=pairs.columns)
    return pd.concat([pairs, rows.astype(pairs.dtypes.to_dict())], ignore_index=True)


def _appended_row(pair: tuple[str, str], images: pd.DataFrame, decision: str) -> dict[str, Any]:
    row: dict[str, Any] = {"kind": KINDS[-1], "similarity": float("nan"), "turned": 0.0, "mirrored": False}
    row |= {"zoom": 1.0, "shift_x": 0.0, "shift_y": 0.0, "decision": decision}
    row |= {"grouped": False, "reason": ""}
    for side, image_id in zip("ab", pair, strict=True):
        row |= {f"image_id_{side}": image_id} | {f"{name}_{side}": images.at[image_id, name] for name in _OF_IMAGE}
    return row | {"labels_differ": row["label_a"] != row["label_b"]}


def _key(one: str, other: str) -> tuple[str, str]:
    return (one, other) if one <= other else (other, one)


def _chains(decided: Decided) -> list[str]:
    """Pairs called different that a chain of pairs called the same connects."""
    chains = connected(pair for pair, decision in decided.items() if decision == SAME)
    of = {image_id: number for number, members in enumerate(chains) for image_id in members}
    against = [pair for pair, decision in decided.items() if decision == DIFFERENT]
    return [
        f"images {one[:12]} and {other[:12]} are called different, and each the same as one image"
        for one, other in against
        if of.get(one, -1) == of.get(other, -2)
    ]

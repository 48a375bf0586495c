"""What the report reads: the tables of a run's folder, of which all but the leaderboard may be absent."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import yaml

from ...errors import StorageError

if TYPE_CHECKING:
    import pandas as pd

Row = dict[str, Any]
KEYS = ("extractor", "selector", "classifier")
_TEXTS = (*KEYS, "kind", "status", "label", "predicted", "fact", "verdict", "text", "worst_patient", "worst_label")
_SHORTCUT = "shortcut: "
_TIMES = " \N{MULTIPLICATION SIGN} "


@dataclass(frozen=True)
class RunTables:
    """A run's folder as the report sees it.

    Attributes
    ----------
    folder : Path
    leaderboard : DataFrame
        One row a combination or shortcut, best first.
    answer, experiment : dict
        What ``answer.json`` and ``experiment.yaml`` hold; empty where there is none.
    """

    folder: Path
    leaderboard: pd.DataFrame
    answer: dict[str, Any]
    experiment: dict[str, Any]

    @classmethod
    def of(cls, folder: Path) -> RunTables:
        """Read them.

        Raises
        ------
        StorageError
            There is no leaderboard, or a file cannot be read.
        """
        leaderboard = read_table(folder / "leaderboard.csv")
        if not len(leaderboard.columns):
            raise StorageError(
                f"{folder} holds no results.", expected="leaderboard.csv", fix="run the experiment to its end first."
            )
        if "kind" not in leaderboard:
            leaderboard = leaderboard.assign(kind="combination")
        answer = _parsed(folder / "answer.json", json.loads)
        return cls(folder, leaderboard, answer, _parsed(folder / "experiment.yaml", yaml.safe_load))

    @property
    def metric(self) -> str:
        """What the leaderboard is ranked by."""
        best, said = self.answer.get("best") or {}, self.experiment.get("evaluation") or {}
        return str(best.get("metric") or said.get("rank_by") or "accuracy")

    @property
    def name(self) -> str:
        """Name of the run."""
        return str(self.experiment.get("name") or self.folder.resolve().name)

    @property
    def written(self) -> str:
        """When the leaderboard was written."""
        seconds = (self.folder / "leaderboard.csv").stat().st_mtime
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")

    @cached_property
    def ranked(self) -> list[Row]:
        """Rows of the leaderboard with a rank, best first."""
        return records(self.leaderboard[self.leaderboard["rank"].notna()])

    @cached_property
    def shortcuts(self) -> list[Row]:
        """Rows of shortcuts that were scored, strongest first."""
        rows = self.leaderboard[self.leaderboard["kind"] == "shortcut"]
        return records(rows[rows[self.metric].notna()]) if self.metric in rows else []

    def table(self, name: str) -> pd.DataFrame:
        """The file called `name`; no columns where there is none."""
        return read_table(self.folder / name)


def read_table(path: Path) -> pd.DataFrame:
    """A CSV or parquet file; names stay text, even ``NA`` or ``1``. No columns where there is no file.

    Raises
    ------
    StorageError
        The file is damaged.
    """
    import pandas as pd

    if not path.exists():
        return pd.DataFrame()
    try:
        if path.suffix == ".parquet":
            return pd.read_parquet(path)
        table = pd.read_csv(path, dtype=dict.fromkeys(_TEXTS, str), keep_default_na=False, na_values=[""])
    except (OSError, ValueError) as error:
        raise StorageError(f"{path} cannot be read: {error}", fix="run the experiment again.") from error
    return table.fillna({name: "" for name in _TEXTS if name in table})


def records(table: pd.DataFrame) -> list[Row]:
    """One mapping a row."""
    return cast("list[Row]", table.to_dict("records"))


def chosen(table: pd.DataFrame, key: Sequence[str]) -> pd.DataFrame:
    """Rows of one combination; none where the table is absent."""
    if not set(KEYS) <= set(table.columns):
        return table.iloc[:0]
    return table[(table[list(KEYS)] == list(key)).all(axis=1)]


def key_of(row: Row) -> tuple[str, ...]:
    """Names of extractor, selector and classifier of a row."""
    return tuple(str(row[name]) for name in KEYS)


def title_of(row: Row) -> str:
    """A row's combination as one text; a shortcut is called by its own name alone."""
    first, *others = key_of(row)
    return first.removeprefix(_SHORTCUT) if first.startswith(_SHORTCUT) else _TIMES.join([first, *others])


def _parsed(path: Path, parse: Callable[[str], Any]) -> dict[str, Any]:
    try:
        said = parse(path.read_text(encoding="utf-8")) if path.exists() else {}
        return dict(said or {})
    except (OSError, ValueError, TypeError, yaml.YAMLError) as error:
        raise StorageError(
            f"{path} is damaged.", received=str(error), fix="delete it and run the experiment again."
        ) from error

"""A finished run as one object: its tables with their types, its experiment and its answer."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar, cast

import yaml

from ..config.experiment import Experiment
from ..config.experiment_file import read_experiment_of_run
from ..errors import ConfigurationError, StorageError
from ..evaluation.combination_names import FAILED, NAMES, NOT_REACHED
from ..evaluation.metrics import RANK_BY
from ..evaluation.task import Task
from ..storage import file_digest, restored, user_path
from .answer import Answer
from .folder import RunFolder

if TYPE_CHECKING:
    import pandas as pd

Row = Mapping[str, Any]
"""One row of a table: name of a column -> value."""
_Parsed = TypeVar("_Parsed")

_TEXTS = (
    *NAMES, "kind", "status", "label", "fact", "verdict", "text", "worst_patient", "worst_label", "parameter", "value",
    "phase", "trained", "part", "corrected", "suggested", "path", "patient", "image_id", "engine",
    "test_status", "site_status", "site", "lacking",
)  # fmt: skip
_TYPES = dict.fromkeys(_TEXTS, "str")
_TYPES |= {"rank": "Int64", "rank_low": "Int64", "rank_high": "Int64", "in_best_set": "boolean"}
"""Types of the columns of every CSV file; a column that is not named here has the type that its values have."""
_AGAIN = "run the experiment again: finished work is kept."


@dataclass(frozen=True, eq=False, repr=False)
class FinishedRun:
    """A run's folder, opened once; tables are read when they are first needed, and kept.

    Attributes
    ----------
    folder : Path
    leaderboard : DataFrame
        One row per combination or shortcut, best first; `rank` (Int64) is that of combinations.
    answer : Answer
    """

    folder: Path
    leaderboard: pd.DataFrame
    answer: Answer

    @classmethod
    def open(cls, path: str | Path, *, ended: bool = True) -> Self:
        """Open the folder of a run.

        Parameters
        ----------
        path : path-like
        ended : bool
            False takes the tables of a run that has yet to write its report, too.

        Raises
        ------
        ConfigurationError
            There is no finished run, or an older version of leukobench wrote it.
        StorageError
            A file is damaged.
        """
        folder = user_path(path)
        files = [folder / name for name in ("leaderboard.csv", "answer.json", "experiment.yaml")]
        absent = [file.name for file in files if not file.is_file()]
        if absent or (ended and not RunFolder(folder).was_finished()):
            raise ConfigurationError(
                f"There is no finished run in {folder}.",
                expected="the folder of a finished run, below results/",
                received=f"no {absent[0] if absent else 'state.json'}" if folder.is_dir() else "no such folder",
                fix="run its experiment to the end, with `leukobench run`.",
            )
        for file in files:
            _check_unchanged(folder, file.name)
        answer = _parse_file(files[1], lambda text: Answer.from_json(json.loads(text)))
        return cls(folder, read_table(files[0]), answer)

    @property
    def name(self) -> str:
        """Name of the run."""
        return self.answer.name

    @property
    def written(self) -> str:
        """When it was answered, such as ``"2026-01-31 12:00 UTC"``."""
        return datetime.fromisoformat(self.answer.time).strftime("%Y-%m-%d %H:%M UTC")

    @property
    def metric(self) -> str:
        """Name of the metric that ranks the leaderboard."""
        if self.answer.best:
            return self.answer.best.metric
        return str((self.experiment_file.get("evaluation") or {}).get("rank_by") or RANK_BY)

    @cached_property
    def experiment(self) -> Experiment:
        """The experiment, as it was understood. Code of the user's own that it names is searched for, not allowed."""
        return read_experiment_of_run(self.folder / "experiment.yaml")

    @cached_property
    def resolved(self) -> Mapping[str, Any]:
        """Extractors, images and software of ``experiment.yaml``, as the run began with them."""
        return dict(self.experiment_file["resolved"])

    @cached_property
    def experiment_file(self) -> Mapping[str, Any]:
        """What ``experiment.yaml`` holds; a trial run of networks alone has no combinations, and is no experiment."""
        return _parse_file(self.folder / "experiment.yaml", lambda text: dict(yaml.safe_load(text)))

    @cached_property
    def scores(self) -> pd.DataFrame:
        """Each metric and cost of each combination in each fold: extractor ... fold, metric, value."""
        return self._require_table("scores.parquet")

    @cached_property
    def predictions(self) -> pd.DataFrame:
        """Out-of-fold predictions: combination, kind, row (of `images`), path, label, predicted, repeat, fold, p_*."""
        return self._require_table("predictions.parquet")

    @cached_property
    def images(self) -> pd.DataFrame:
        """Every image that was used: row, image_id, label, patient, path, copies, group."""
        return self._require_table("images.parquet")

    @property
    def read_images(self) -> pd.DataFrame:
        """`images`, followed by those that were only tuned on: the order of feature matrices."""
        import pandas as pd

        return pd.concat([self.images, self.validation], ignore_index=True) if len(self.validation) else self.images

    @cached_property
    def folds(self) -> pd.DataFrame:
        """Every image and repeat: row (of `images`), image_id, label, group, and the fold that tests it."""
        return self._require_table("folds.parquet")

    @cached_property
    def task(self) -> Task:
        """Images, labels and groups as numbers, in the order of `images`."""
        task = Task.of_images(self.images)
        if not self.keeps_split:
            return task
        named = self.images["fold"].tolist() if "fold" in self.images else []
        return replace(task, given=tuple(named) if any(named) else ()).with_validation(self.validation)

    @cached_property
    def keeps_split(self) -> bool:
        """Whether it kept a split that came with the images."""
        return (self.experiment_file.get("evaluation") or {}).get("split") == "given"

    @cached_property
    def validation(self) -> pd.DataFrame:
        """Images that were only tuned on, as `images`; none without a given validation part."""
        return self.table("validation.parquet")

    @cached_property
    def ranked(self) -> list[Row]:
        """Rows of the leaderboard with a rank, best first."""
        return records(self.leaderboard[self.leaderboard["rank"].notna()])

    @cached_property
    def shortcuts(self) -> list[Row]:
        """Rows of shortcuts that were scored, strongest first."""
        rows = self.leaderboard[self.leaderboard["kind"] == "shortcut"]
        return records(rows[rows[self.metric].notna()]) if self.metric in rows else []

    def table(self, name: str, filters: list[Any] | None = None) -> pd.DataFrame:
        """The file called `name` below the run's folder, of parquet its rows by pandas' `filters`; empty without one.

        Raises
        ------
        StorageError
            It is damaged.
        """
        return self._read(name, filters)

    def predictions_of(self, names: Sequence[str], repeat: int | None = None) -> pd.DataFrame:
        """Rows of `predictions` on one combination (extractor, selector, classifier), without reading the others."""
        wanted: list[Any] = [(column, "==", name) for column, name in zip(NAMES, names, strict=True)]
        return self._require_table(
            "predictions.parquet", wanted + ([] if repeat is None else [("repeat", "==", repeat)])
        )

    def _require_table(self, name: str, filters: list[Any] | None = None) -> pd.DataFrame:
        table = self._read(name, filters)
        if not len(table.columns):
            raise StorageError(
                f"The run in {self.folder} is not complete.", expected=name, received="no such file", fix=_AGAIN
            )
        return table

    def _read(self, name: str, filters: list[Any] | None = None) -> pd.DataFrame:
        _check_unchanged(self.folder, name)
        return read_table(self.folder / name, filters)

    def __repr__(self) -> str:
        """Where it is, what is the best, and the verdict on shortcuts and on controls that are not beaten."""
        shortcut = self.answer.shortcut
        control = "".join(f" Not better than {one.name}." for one in self.answer.controls if not one.beaten)
        verdict = [f"Shortcuts: {shortcut.verdict}.{control} All sentences: .answer.sentences"] if shortcut else []
        return "\n".join([f"{type(self).__name__}({str(self.folder)!r})", *self.answer.sentences[:1], *verdict])


def _check_unchanged(folder: Path, name: str) -> None:
    """Refuse a file whose bytes are not those that the run wrote: a changed bit may read as another number."""
    path = folder / name
    written = RunFolder(folder).written().get(name)
    if written and path.exists() and file_digest(path) != written:
        raise StorageError(
            f"{path} has changed since the run wrote it.",
            expected=f"SHA-256 {written[:12]}…",
            received=f"{file_digest(path)[:12]}…",
            fix=_AGAIN,
        )


def finished_before(folder: RunFolder, state: str) -> FinishedRun | None:
    """The run in `folder`, where it ended with this `state`, and nothing failed or was not reached."""
    if not folder.holds(state):
        return None
    run = FinishedRun.open(folder.path)
    columns = [name for name in ("status", "test_status", "site_status") if name in run.leaderboard]
    lacking = any(run.leaderboard[name].str.startswith((FAILED, NOT_REACHED)).any() for name in columns)
    return None if lacking or run.answer.budget else run


def read_table(path: Path, filters: list[Any] | None = None) -> pd.DataFrame:
    """A CSV or parquet file of a run; names stay text, even ``NA`` or ``1``. No columns where there is no file.

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
            return pd.read_parquet(path, filters=filters)
        table = pd.read_csv(path, dtype=_types_of(path), keep_default_na=False, na_values=[""])
    except (OSError, ValueError) as error:
        raise StorageError(
            f"{path} cannot be read.", expected=f"{path.name} as the run wrote it", received=str(error), fix=_AGAIN
        ) from error
    for name in table:
        if pd.api.types.is_string_dtype(table[name]):
            table[name] = table[name].fillna("").map(restored)
    return table.rename(columns=restored)


def _types_of(path: Path) -> Mapping[str, str]:
    """Types of the columns; those of ``differences.csv`` bear the names of classes, which may be any."""
    return defaultdict(lambda: "str", separation="float64") if path.name == "differences.csv" else _TYPES


def records(table: pd.DataFrame) -> list[Row]:
    """One mapping a row."""
    return cast("list[Row]", table.to_dict("records"))


def _parse_file(path: Path, parse: Callable[[str], _Parsed]) -> _Parsed:
    try:
        return parse(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, yaml.YAMLError) as error:
        raise StorageError(
            f"{path} is damaged.", expected=f"{path.name} as the run wrote it", received=str(error), fix=_AGAIN
        ) from error

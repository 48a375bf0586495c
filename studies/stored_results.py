"""What is verified: the tables of a finished run, or of a folder of published results, in one form."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..config.experiment import Experiment
from ..config.experiment_file import read_experiment_of_run
from ..errors import ConfigurationError, StorageError
from ..evaluation.combination_names import NAMES
from ..evaluation.guards import permute_labels
from ..evaluation.task import Task
from ..images.index import ImageIndex
from ..reporting.protocol import groups
from ..runs.answer import Answer, Groups
from ..runs.finished import read_table
from ..storage import user_path

if TYPE_CHECKING:
    import pandas as pd

NEEDED = ("answer.json", "leaderboard.csv", "experiment.yaml", "images.parquet", "predictions.parquet")
READ = (
    *NEEDED,
    *("folds.parquet", "ledger.parquet", "scores.parquet", "comparisons.csv", "classes.csv", "confusion.parquet"),
    *(
        "reliability.parquet",
        "patients.parquet",
        "patient_scores.csv",
        "views.csv",
        "permutations.csv",
        "permuted.json",
    ),
)
"""Files that a verification reads where they are there; each has to have a digest."""
DIGESTS, TEST = "digests.json", "test"
_OF_BOARD, _OF_IMAGES = (*NAMES, "kind", "status", "folds", "features"), ("row", "label", "group")
_FOLD = "fold_"
_EXACT, _ROUNDED = 1e-9, 1e-6
"""Of a run, since another machine adds in another order; of published results, whose probabilities are rounded."""
_PATIENTS = re.compile(
    r"patients \((.*?)\), each on one side|have no patient \((.*?)\); all|patient \((.*?)\): please"
    r"|groups from (.*?), each on"
)


@dataclass(frozen=True, eq=False)
class StoredResults:
    """Tables of a folder.

    Attributes
    ----------
    folder : Path
    published : bool
        Whether it is a folder of published results, which holds less than a run does.
    experiment : Experiment
    answer : Answer
    stored_answer : mapping
        ``answer.json`` as it stands.
    leaderboard, images : DataFrame
    folds : DataFrame
        Row (of `images`), repeat, fold; of a run also image_id, label and group.
    run : StoredResults, optional
        Of a test part: the run that it belongs to, which knows all classes.
    """

    folder: Path
    published: bool
    experiment: Experiment
    answer: Answer
    stored_answer: Mapping[str, Any]
    leaderboard: pd.DataFrame
    images: pd.DataFrame
    folds: pd.DataFrame
    run: StoredResults | None = None

    @classmethod
    def open(cls, path: str | Path) -> StoredResults:
        """Read a folder, without a look at its digests.

        Raises
        ------
        ConfigurationError
            It holds neither a finished run nor published results, or an older version wrote them.
        StorageError
            A file is damaged.
        """
        folder = user_path(path)
        if absent := [name for name in NEEDED if not (folder / name).is_file()]:
            raise ConfigurationError(
                f"There is nothing to verify in {folder}.",
                expected="the folder of a finished run, below results/, or of published results",
                received=f"no {absent[0]}" if folder.is_dir() else "no such folder",
                fix="name the folder of a run that ended, or write published results anew with `make reference`.",
            )
        try:
            stored = json.loads((folder / "answer.json").read_text(encoding="utf-8"))
            answer = Answer.from_json(stored)
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise StorageError(f"{folder / 'answer.json'} is damaged.", received=str(error)) from error
        images, published = read_table(folder / "images.parquet"), not (folder / "folds.parquet").is_file()
        folds = _long(images) if published else read_table(folder / "folds.parquet")
        board = read_table(folder / "leaderboard.csv")
        for name, table, columns in (("leaderboard.csv", board, _OF_BOARD), ("images.parquet", images, _OF_IMAGES)):
            if absent := [column for column in columns if column not in table]:
                raise StorageError(f"{folder / name} is damaged.", expected=f"a column {absent[0]}", received="none")
        experiment = read_experiment_of_run(folder / "experiment.yaml")
        return cls(folder, published, experiment, answer, stored, board, images, folds)

    @property
    def tolerance(self) -> float:
        """Difference of numbers up to which they agree: absolute below 1, relative above."""
        return _ROUNDED if self.published else _EXACT

    @cached_property
    def names_images(self) -> bool:
        """Whether it says which images they are, by their SHA-256."""
        return {"image_id", "patient", "copies"} <= set(self.images.columns)

    @cached_property
    def task(self) -> Task:
        """Labels and groups by which the numbers were computed: permuted ones, where they were permuted."""
        named = self.images if self.names_images else self.images.assign(image_id="", path="")
        named = named if "path" in named else named.assign(path="")
        task = Task.of_images(named)
        if self.run is not None:
            classes = self.run.task.classes
            labels = np.searchsorted(classes, named["label"].to_numpy(dtype=str)).astype(np.int64)
            task = replace(task, labels=labels, classes=classes)
        evaluation = self.experiment.evaluation
        return permute_labels(task, evaluation.seed) if evaluation.permute and self.names_images else task

    @cached_property
    def fold_numbers(self) -> NDArray[np.int64]:
        """Fold that tests each image, shape (repeats, n); -1 where none does."""
        repeats = int(self.folds["repeat"].max()) + 1 if len(self.folds) else 1
        numbers = np.full((repeats, len(self.images)), -1, dtype=np.int64)
        inside = self.folds[self.folds["row"].between(0, len(self.images) - 1)]
        numbers[inside["repeat"].to_numpy(), inside["row"].to_numpy()] = inside["fold"].to_numpy()
        return numbers

    @cached_property
    def groups(self) -> Groups:
        """Where the groups come from, by the table of images, in words of the layout, which are not checked.

        Of a given split, and where images are not named, it is taken as it is published.
        """
        if not self.names_images or self.experiment.evaluation.split == "given":
            return self.answer.groups
        return groups(self.index)

    @cached_property
    def index(self) -> ImageIndex:
        """The images, as the run had them."""
        own = ("row", "group", *_fold_columns(self.images))
        columns = [name for name in self.images if name not in own]
        ledger = read_table(self.folder / "ledger.parquet")
        words = _PATIENTS.search(self.answer.groups.words)
        named = next(filter(None, words.groups()), "") if words else ""
        patients = named or ("none" if (self.images["patient"] == "").all() else "named in the images")
        line = next((line for line in self.answer.protocol if "; layout " in line), "")
        layout = line.rpartition("; layout ")[2].partition("; files not used")[0]
        return ImageIndex(
            self.images[columns], ledger, layout, patients,
            pseudo=self.experiment.images.pseudo_patients is not None,
        )  # fmt: skip

    @cached_property
    def patients(self) -> list[str] | None:
        """A patient for each image, where groups are patients."""
        if self.run is not None:
            return None if self.run.patients is None else self.images["patient"].tolist()
        kind = groups(self.index).kind if self.names_images else self.answer.groups.kind
        return self.images["patient"].tolist() if kind == "patients" and "patient" in self.images else None

    def test_part(self) -> StoredResults:
        """The given test part as results of their own: one fold, which tests every sealed image."""
        folder = self.folder / TEST
        images = read_table(self.folder / "sealed.parquet")
        board = read_table(folder / "leaderboard.csv").assign(folds=1)
        folds = images[["row"]].assign(repeat=0, fold=0)
        return replace(self, folder=folder, leaderboard=board, images=images, folds=folds, run=self)


def _long(images: pd.DataFrame) -> pd.DataFrame:
    """Folds of published results: a line for each image and repeat."""
    columns = _fold_columns(images)
    table = images.melt(id_vars=["row"], value_vars=columns, var_name="repeat", value_name="fold")
    return table.assign(repeat=table["repeat"].str.removeprefix(_FOLD).astype(int))


def _fold_columns(images: pd.DataFrame) -> list[str]:
    names = map(str, images)
    return [name for name in names if name.startswith(_FOLD) and name.removeprefix(_FOLD).isdecimal()]

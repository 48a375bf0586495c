"""A finished run, as far as a bundle needs it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..config.experiment import Experiment
from ..config.experiment_file import read_experiment
from ..errors import ConfigurationError
from ..evaluation.combination_names import NAMES, Names
from ..evaluation.task import Task
from ..runs.folder import RunFolder

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class FinishedRun:
    """A run's folder, opened once."""

    folder: Path
    leaderboard: pd.DataFrame
    answer: dict[str, Any]

    @classmethod
    def open(cls, path: Path) -> FinishedRun:
        """Open the folder of a finished run."""
        import pandas as pd

        if not RunFolder(path).was_finished():
            raise ConfigurationError(
                f"There is no finished run in {path}.",
                expected="a folder below results/, of a run that ended",
                received="a folder of no finished run" if path.is_dir() else "no such folder",
                fix="`leukobench run` first; then `leukobench fit` with its folder.",
            )
        return cls(path, pd.read_csv(path / "leaderboard.csv"), RunFolder(path).read_json("answer.json"))

    @cached_property
    def experiment(self) -> Experiment:
        """The experiment, as it was understood."""
        return read_experiment(self.folder / "experiment.yaml")

    @cached_property
    def resolved(self) -> dict[str, Any]:
        """What ``experiment.yaml`` notes of extractors, images and software."""
        return RunFolder(self.folder).resolved()

    @cached_property
    def images(self) -> pd.DataFrame:
        """Every image that was used."""
        import pandas as pd

        return pd.read_parquet(self.folder / "images.parquet")

    @cached_property
    def task(self) -> Task:
        """Images, labels and groups as numbers."""
        return Task.of_images(self.images)

    def predictions_of(self, names: Names, repeat: int) -> pd.DataFrame:
        """Out-of-fold predictions of one combination."""
        import pandas as pd

        wanted = [*((key, "==", name) for key, name in zip(NAMES, names, strict=True)), ("repeat", "==", repeat)]
        return pd.read_parquet(self.folder / "predictions.parquet", filters=wanted)

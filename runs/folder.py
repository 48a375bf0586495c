"""A run's folder: which files it holds, and whether it is finished."""

from __future__ import annotations

import json
import shlex
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from ..errors import ConfigurationError
from ..storage import HELD, OUTPUT_MARKER, file_digest, remove_leftovers, storage_errors, write_table, write_text

if TYPE_CHECKING:
    import pandas as pd

_UNSURE = {
    ".lock",
    f".lock{HELD}",
    "run.log",
    "state.json",
    "holdout.json",
    "plan.json",
    "costs.json",
    "audit/copies.csv",
    "suspects.csv",
    OUTPUT_MARKER,
}
"""Files that may change after a run has finished."""
_LATER = "external/"
"""Where tests of a finished run lie, which change nothing of it."""
_NEEDED = ("leaderboard.csv", "answer.json", "experiment.yaml")


class RunFolder:
    """``results/<name>/``.

    Holds ``experiment.yaml`` (resolved), ``images.parquet``, ``ledger.parquet``, ``folds.parquet``,
    ``predictions.parquet``, ``scores.parquet``, ``leaderboard.csv``, ``answer.json``, ``report.html``, ``audit/``,
    what the statistics give (``comparisons.csv``, ``confusion.parquet``, ``reliability.parquet``, ``classes.csv``,
    ``patients.parquet``, ``stability.csv``, ``tuned.csv``), ``suspects.csv`` and ``failures.csv`` (labels that are
    doubtful, parts of the images where the best combination fails; ``sheets/`` shows both), ``views.csv`` (what the
    score needs), ``across_sites.csv``, ``sites.csv``, ``extractors_across_sites.csv`` and
    ``predictions_across_sites.parquet`` (trained without each site), of networks
    ``learning_curves.csv`` and ``head_to_head.csv``, ``sealed.parquet`` and ``holdout.json`` (a sealed
    holdout, drawn or given, and its opening), ``test/`` and ``validation.parquet`` (of a given split),
    ``notes.csv`` (errors and warnings of the fits), ``figures/``, ``tables/``, ``methods.*``, ``run.log``,
    ``records/`` (what a killed run goes on from), ``plan.json``, ``costs.json`` (what was planned, and what it
    took), ``model/`` (the bundle that `leukobench fit` made), ``external/`` (tests on other images) and, while it
    works, ``features/`` (memory-mapped matrices).
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.log = path / "run.log"
        self.lock = path / ".lock"
        self.records = path / "records"
        self.figures = path / "figures"
        self.leaderboard = path / "leaderboard.csv"
        self.notes = path / "notes.csv"
        self._state = path / "state.json"
        self._experiment = path / "experiment.yaml"

    @classmethod
    def beside(cls, run: Path, what: str) -> RunFolder:
        """The folder ``<name>-<what>`` of a study that is no run: nothing but a run writes into the folder of one.

        Raises
        ------
        ConfigurationError
            A run of that name is there.
        """
        folder = cls(run.with_name(f"{run.name}-{what}"))
        if folder.leaderboard.exists() or folder.was_finished():
            raise ConfigurationError(
                f"{folder.path} holds a run, which would be overwritten.",
                expected=f"no run of the name '{folder.path.name}'",
                received=f"{what} of '{run.name}'",
                fix="choose another name with --name.",
            )
        return folder

    def matrix(self, name: str) -> Path:
        """Path of the features called `name` during the run."""
        return self.path / "features" / f"{name}.npy"

    def refuse_other_images(self, folder: str, digest: str) -> None:
        """A name stands for one set of images: a run over others does not overwrite its results.

        Raises
        ------
        ConfigurationError
            The run here used another folder with other content.
        """
        try:
            before = yaml.safe_load(self._experiment.read_text(encoding="utf-8"))
            earlier = before["images"]["folder"], before["resolved"]["images"]
        except (OSError, ValueError, yaml.YAMLError, KeyError, TypeError):
            return
        if earlier[0] != folder and earlier[1] != digest:
            raise ConfigurationError(
                f"{self.path} holds results of other images.",
                expected=earlier[0],
                received=folder,
                fix="give this run another name (`name:` in the file, or --name), or delete that folder.",
            )

    def write_experiment(self, experiment: Mapping[str, Any], resolved: Mapping[str, Any]) -> None:
        """The resolved experiment, with versions and digests, for any machine: without what computed it."""
        kept = {key: value for key, value in experiment.items() if key != "executor"}
        text = yaml.safe_dump({**kept, "resolved": dict(resolved)}, sort_keys=False, allow_unicode=True)
        write_text(self._experiment, text)

    def write_table(self, name: str, table: pd.DataFrame) -> None:
        """Write the file called `name`, whose ending says whether it is parquet or CSV."""
        write_table(self.path / name, table)

    def begin(self) -> None:
        """Mark the run as unfinished."""
        remove_leftovers(self.path, deep=True)
        self._state.unlink(missing_ok=True)
        self.begin_features()

    def begin_features(self) -> None:
        """Make the folder for memory-mapped matrices."""
        with storage_errors(self.path / "features"):
            (self.path / "features").mkdir(parents=True, exist_ok=True)

    def end_features(self) -> None:
        """Delete the memory-mapped matrices."""
        shutil.rmtree(self.path / "features", ignore_errors=True)

    def was_finished(self) -> bool:
        """Whether a run ended here, of this experiment or of an earlier form of it."""
        return self._state.exists()

    def write_json(self, name: str, value: Any) -> None:
        """Write the JSON file called `name`."""
        write_text(self.path / name, json.dumps(value, indent=2, allow_nan=False))

    def read_json(self, name: str) -> Any:
        """What the JSON file called `name` holds; None where there is none."""
        try:
            return json.loads((self.path / name).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None

    def finish(self, state: str, keep_checkpoints: bool = False) -> None:
        """Mark the run as finished; `state` is the digest of everything that decides its files.

        Checkpoints of trainings are kept for a run that will go on.
        """
        self.end_features()
        for unfinished in [] if keep_checkpoints else [*self.records.glob("*.npz"), *self.records.glob("*.json")]:
            unfinished.unlink()
        files = [path for path in sorted(self.path.rglob("*")) if path.is_file()]
        names = [path.relative_to(self.path).as_posix() for path in files if path.parent != self.records]
        sure = [name for name in names if name not in _UNSURE and not name.startswith(_LATER)]
        digests = {name: file_digest(self.path / name) for name in sure}
        write_text(self._state, json.dumps({"state": state, "files": digests}, indent=2))

    def refresh(self) -> None:
        """Accept files of a finished run that were changed on purpose."""
        stored = json.loads(self._state.read_text(encoding="utf-8"))
        self.finish(stored["state"])

    def holds(self, state: str) -> bool:
        """Whether a run with this `state` ended here, and its files are whole."""
        try:
            stored = json.loads(self._state.read_text(encoding="utf-8"))
            if stored["state"] != state or not set(_NEEDED) <= set(stored["files"]):
                return False
            return all(file_digest(self.path / name) == written for name, written in stored["files"].items())
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return False

    def written(self) -> dict[str, str]:
        """File -> SHA-256 of what a finished run wrote; nothing where that cannot be read, or may change."""
        try:
            files = json.loads(self._state.read_text(encoding="utf-8"))["files"]
            return {str(name): str(digest) for name, digest in files.items()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return {}

    def guide(self, permuted: bool = False) -> list[str]:
        """Files to open first, and the next command; none after a run whose labels were permuted."""
        suspects = "  suspects.csv         images whose labels are doubtful, to correct (--corrections)"
        tested = "  test/                every combination on the given test part: every metric, predictions"
        failures = "  failures.csv         where the best combination is wrong more often than elsewhere"
        bundle = "the winner as a bundle, to predict new images"
        networks = "  head_to_head.csv     trained networks compared with frozen features, with costs"
        return [
            f"In {self.path}:",
            "  report.html          everything on one page, for a browser",
            "  leaderboard.csv      every combination, every metric, with intervals",
            *([networks] if (self.path / "head_to_head.csv").exists() else []),
            *([suspects] if (self.path / "suspects.csv").exists() else []),
            *([failures] if (self.path / "failures.csv").exists() else []),
            *([tested] if (self.path / "test").exists() else []),
            "  audit/               copies and differences between the classes, with contact sheets",
            "  predictions.parquet  out-of-fold probabilities of every image",
            "  figures/             the figures of the report, as SVG and PDF",
            "  experiment.yaml      this run as an experiment file: copy it, change it, `leukobench run COPY.yaml`",
            *([] if permuted else [f"Next:  leukobench fit {shlex.quote(str(self.path))}    {bundle}"]),
        ]

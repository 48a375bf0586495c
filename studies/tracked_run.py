"""What a tracking server is told of a finished run: parameters, scores with their verdict, a table, and files."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import StorageError
from ..evaluation.combination_names import title
from ..evaluation.metrics import overall_metrics
from ..reporting.controls import controls_verdict
from ..reporting.run_facts import run_facts
from ..runs.finished import FinishedRun
from ..runs.folder import RunFolder
from ..storage import digest, file_digest
from .what_changed import flat

if TYPE_CHECKING:
    import pandas as pd

RUN, FILES = "leukobench/run", "leukobench/files"
"""Tags: the digest of everything that decides the run's files, by which it is recognised, and that of what was sent."""
TABLE = "leaderboard.json"
_SINGLE = ("report.html", "leaderboard.csv", "answer.json", "experiment.yaml", "methods.md", "methods.bib")
_FOLDERS = ("figures", "tables", "model")
_NO_NAME = re.compile(r"[^\w\-. /]", re.ASCII)
_LONGEST, _LONGEST_TAG = 6000, 5000
"""Characters that MLflow keeps of a parameter and of a tag."""


@dataclass(frozen=True)
class TrackedRun:
    """One finished run as a tracking server sees it.

    Attributes
    ----------
    name : str
        Of the run, with the verdict on shortcuts: a score is not shown without it.
    digest : str
        By which the run is recognised.
    failed : bool
        No combination has a score.
    began, ended : int
        Milliseconds since 1970.
    params : mapping of str to str
        The experiment, keys joined by dots; versions of the software; digests of images and weights.
    metrics : mapping of str to float
        Of the best combination, each with its interval; the score corrected for selection; the strongest shortcut.
    tags : mapping of str to str
        The sentences of the answer, among them the verdicts.
    table : DataFrame
        The leaderboard.
    files : mapping of str to Path
        Place among the artifacts -> file. Data alone, nothing pickled.
    """

    name: str
    digest: str
    failed: bool
    began: int
    ended: int
    params: Mapping[str, str]
    metrics: Mapping[str, float]
    tags: Mapping[str, str]
    table: pd.DataFrame
    files: Mapping[str, Path]

    @classmethod
    def of(cls, run: FinishedRun) -> TrackedRun:
        """What is told of a run.

        Raises
        ------
        StorageError
            A file is damaged.
        """
        stored = RunFolder(run.folder).read_json("state.json")
        if not isinstance(stored, dict) or not stored.get("state"):
            fix = "run the experiment again: finished work is kept."
            raise StorageError(f"{run.folder / 'state.json'} is damaged.", fix=fix)
        costs = RunFolder(run.folder).read_json("costs.json")
        ended = 1000 * datetime.fromisoformat(run.answer.time).timestamp()
        seconds = float(costs.get("seconds", 0)) if isinstance(costs, dict) else 0.0
        files = dict(_files(run.folder))
        return cls(
            name=_title(run),
            digest=str(stored["state"]),
            failed=run.answer.best is None,
            began=int(ended - 1000 * seconds),
            ended=int(ended),
            params=_params(run),
            metrics={_name(key): value for key, value in _metrics(run) if math.isfinite(value)},
            tags={key: value[:_LONGEST_TAG] for key, value in _tags(run)} | {RUN: str(stored["state"])},
            table=run.leaderboard,
            files=files,
        )

    def files_digest(self) -> str:
        """SHA-256 of everything that is sent: it changes where a bundle was added."""
        files = [[place, file_digest(path)] for place, path in sorted(self.files.items())]
        return digest([self.digest, dict(self.params), dict(self.metrics), dict(self.tags), files])


def _title(run: FinishedRun) -> str:
    """Lists of runs show the name beside the score."""
    if run.answer.chance:
        return f"{run.name} (permuted labels)"
    verdicts = run_facts(run).badge()
    return f"{run.name} ({verdicts.lower()})" if verdicts else run.name


def _params(run: FinishedRun) -> dict[str, str]:
    """Combinations are one parameter a family: what was compared is read at a glance."""
    values = flat({key: value for key, value in run.experiment_file.items() if key not in ("name", "results")})
    params = {_name(key): _as_text(value) for key, value in values.items() if value is not None}
    if best := run.answer.best:
        params["best.combination"] = title(best.names)
    return {key: text[:_LONGEST] for key, text in params.items() if text}


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _metrics(run: FinishedRun) -> Iterator[tuple[str, float]]:
    answer, best = run.answer, run.answer.best
    yield "images", len(run.images)
    yield "classes", run.images["label"].nunique()
    yield "combinations", len(run.ranked)
    if best is None or not run.ranked:
        return
    for metric in overall_metrics():
        for ending in ("", "_low", "_high"):
            value = run.ranked[0].get(f"{metric.name}{ending}")
            yield f"{metric.name}{ending}", math.nan if value is None else float(value)
    corrected = {"": best.corrected, "_low": best.corrected_low, "_high": best.corrected_high}
    yield from ((f"{best.metric}_corrected{end}", _number(value)) for end, value in corrected.items())
    if shortcut := answer.shortcut:
        limits = {"": shortcut.value, "_low": shortcut.low, "_high": shortcut.high}
        yield from ((f"shortcut_{best.metric}{end}", _number(value)) for end, value in limits.items())
        yield "shortcut_share", shortcut.share


def _tags(run: FinishedRun) -> Iterator[tuple[str, str]]:
    answer = run.answer
    yield "leukobench/version", str((run.resolved.get("software") or {}).get("leukobench", ""))
    yield "leukobench/verdict", answer.shortcut.verdict if answer.shortcut else "no shortcut was scored"
    yield "leukobench/shortcuts", answer.shortcut.words if answer.shortcut else "No shortcut was scored."
    control = controls_verdict(answer.controls)
    yield "leukobench/controls", control.title if control else "No control was scored."
    yield "leukobench/groups", answer.groups.words
    yield "leukobench/copies", answer.duplicates.words
    if answer.chance:
        yield "leukobench/permuted_labels", answer.chance.words
    yield from ((f"leukobench/answer/{place}", words) for place, words in enumerate(answer.sentences, 1))
    yield "mlflow.note.content", "\n\n".join([*answer.sentences, *(f"- {line}" for line in answer.protocol)])
    yield "mlflow.source.name", "leukobench run"
    yield "mlflow.loggedArtifacts", json.dumps([{"path": TABLE, "type": "table"}])


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    yield from ((name, folder / name) for name in _SINGLE if (folder / name).is_file())
    for name in _FOLDERS:
        paths = [path for path in sorted((folder / name).rglob("*")) if path.is_file()]
        yield from ((path.relative_to(folder).as_posix(), path) for path in paths)


def _number(value: float | None) -> float:
    return math.nan if value is None else value


def _name(key: str) -> str:
    """A key with signs that MLflow takes."""
    return _NO_NAME.sub("_", key)

"""What a folder of results holds, in words: its kind, when, on what, how well, how long, and what failed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from ..errors import LeukobenchError
from ..evaluation.combination_names import FAILED, NOT_REACHED, short_name
from ..evaluation.metrics import metric_of
from ..runs.answer import Winner
from ..runs.external_answer import FOLDER as EXTERNAL
from ..runs.finished import FinishedRun
from ..runs.folder import RunFolder
from ..runs.progress import duration
from ..storage import OUTPUT_MARKER
from .controls import ControlVerdict, controls_verdict
from .report.numbers import as_number, texts, title_of
from .report.sections.leaderboard import commonest_reason
from .verdicts import VERDICTS

if TYPE_CHECKING:
    import pandas as pd

BENCHMARK, COMPARISON = "Benchmark", "Comparison of runs"
_STUDIES = {
    "Leakage study": ("-leakage", "summary.csv", "leakage"),
    "Learning curve": ("-learning-curve", "crossings.csv", "learning_curve"),
    "Audit": ("-audit", "images.parquet", ""),
}
"""Kind of a study -> the ending of its folder's name, the table that it writes last, and its figure."""
_TABLES = ("ranks.csv", "same_images.csv")
"""What a comparison of runs writes."""
_STAMPED = ("answer.json", "leaderboard.csv", "state.json", "costs.json", EXTERNAL)


@dataclass(frozen=True)
class RunFacts:
    """A finished benchmark or study; None, 0 or empty where something is not known.

    Attributes
    ----------
    time : datetime or None
        When it was answered, or its last table was written.
    images : int
    folder : str
        Of the images.
    best : Winner or None
    verdict : str
        On shortcuts: a name of `leukobench.reporting.verdicts.VERDICTS`; '' where there is none.
    control : ControlVerdict or None
        On controls; None where there are none.
    seconds : float or None
        That it took.
    tests : int
        How many external tests there are.
    failure : str
        What failed, with the commonest reason.
    all_failed : bool
    picture : Path or None
        The figure of a study.
    """

    time: datetime | None = None
    images: int = 0
    folder: str = ""
    best: Winner | None = None
    verdict: str = ""
    control: ControlVerdict | None = None
    seconds: float | None = None
    tests: int = 0
    failure: str = ""
    all_failed: bool = False
    picture: Path | None = None

    def line(self) -> str:
        """All but failures in a line."""
        parts = [f"{self.time:%Y-%m-%d %H:%M UTC}"] if self.time else []
        parts += [f"{self.images:,} images"] if self.images else []
        parts += [f"took {duration(self.seconds)}"] if self.seconds is not None else []
        parts += [f"{self.tests} external test{'s' if self.tests > 1 else ''}"] if self.tests else []
        parts += [best_words(self.best), self.badge()] if self.best else []
        return " · ".join(filter(None, parts))

    def badge(self) -> str:
        """The verdict on shortcuts in a few words, and on controls that are not beaten; no score stands without it."""
        parts = [VERDICTS[self.verdict].title] if self.verdict else []
        parts += [self.control.title] if self.control and self.control.name == "not better" else []
        return "; ".join([*parts[:1], *(f"{one[:1].lower()}{one[1:]}" for one in parts[1:])])


def best_words(best: Winner) -> str:
    """The best combination with its score: ``best accuracy 98.12 % [97.50 to 98.90]: lite0 x none x svm_rbf``."""
    score = texts(best.metric, (best.value, as_number(best.low), as_number(best.high)))
    name = title_of([short_name(part) for part in best.names])
    return f"best {metric_of(best.metric).title} {score['value']} [{score['interval']}]: {name}"


def kind_of(folder: Path) -> str:
    """What wrote the folder: a benchmark, a study of `_STUDIES` (finished or not), or a comparison."""
    if (folder / "leaderboard.csv").exists():
        return BENCHMARK
    own = _experiment_name(folder)
    for kind, (ending, last, _) in _STUDIES.items():
        if (
            folder.name.endswith(ending)
            and own != folder.name
            and (own or (folder / last).exists() or _is_output(folder))
        ):
            return kind
    return COMPARISON if any((folder / name).exists() for name in _TABLES) else BENCHMARK


def is_finished(folder: Path, kind: str) -> bool:
    """Whether it ran to its end."""
    if kind in _STUDIES:
        return (folder / _STUDIES[kind][1]).exists()
    run = RunFolder(folder)
    return kind == COMPARISON or (run.was_finished() and run.leaderboard.exists())


def folder_names(results: Path) -> list[str]:
    """Folders that leukobench wrote below `results`."""
    return [
        path.name
        for path in results.glob("[!.]*/")
        if (path / "experiment.yaml").exists() or (_is_output(path) and kind_of(path) != BENCHMARK)
    ]


def facts_of(folder: Path, kind: str) -> RunFacts:
    """Of a finished benchmark or study; read again when its files change."""
    return _facts(folder, kind, tuple(_stamp(folder / name) for name in _STAMPED))


@lru_cache(maxsize=256)
def _facts(folder: Path, kind: str, stamps: tuple[int, ...]) -> RunFacts:
    if kind != BENCHMARK:
        _, last, stem = _STUDIES.get(kind, ("", "", ""))
        pictures = [folder / f"{stem}{ending}" for ending in (".svg", ".png")]
        picture = next((path for path in pictures if stem and path.exists()), None)
        return RunFacts(time=_moment(_stamp(folder / last)), picture=picture)
    try:
        return run_facts(FinishedRun.open(folder))
    except LeukobenchError as error:
        return RunFacts(failure=error.what)


def run_facts(run: FinishedRun) -> RunFacts:
    """Of a benchmark that is open."""
    answer, costs = run.answer, RunFolder(run.folder).read_json("costs.json")
    images = run.experiment_file.get("images") or {}
    return RunFacts(
        time=datetime.fromisoformat(answer.time),
        images=len(run.images),
        folder=str(images.get("folder", "")) if isinstance(images, dict) else str(images),
        best=answer.best,
        verdict=answer.shortcut.verdict if answer.shortcut else "",
        control=controls_verdict(answer.controls),
        seconds=float(costs["seconds"]) if isinstance(costs, dict) and "seconds" in costs else None,
        tests=sum(1 for _ in (run.folder / EXTERNAL).glob("*/")),
        failure=_failure(run),
        all_failed=answer.best is None,
    )


def _failure(run: FinishedRun) -> str:
    """How many combinations have no score, and why; nothing where all have one."""
    board = run.leaderboard
    statuses = board.loc[board["kind"] == "combination", "status"]
    failed, missed = _count(statuses, FAILED), _count(statuses, NOT_REACHED)
    parts = []
    if failed:
        which = f"All {failed:,}" if failed == len(statuses) else f"{failed:,} of {len(statuses):,}"
        parts.append(f"{which} combinations failed: {commonest_reason(run)}.")
    if missed:
        parts.append(f"{missed:,} of {len(statuses):,} combinations were not reached in the time.")
    return " ".join(parts)


def _count(statuses: pd.Series[Any], beginning: str) -> int:
    return int(statuses.str.startswith(beginning).sum())


def _experiment_name(folder: Path) -> str:
    return _name_in(folder / "experiment.yaml", _stamp(folder / "experiment.yaml"))


@lru_cache(maxsize=1024)
def _name_in(file: Path, changed: int) -> str:
    """Name of the experiment; a benchmark's folder bears it, that of a study another."""
    try:
        return str(yaml.safe_load(file.read_text(encoding="utf-8"))["name"]) if changed else ""
    except (OSError, ValueError, KeyError, TypeError, yaml.YAMLError):
        return ""


def _is_output(folder: Path) -> bool:
    return (folder / OUTPUT_MARKER).exists()


def _stamp(path: Path) -> int:
    """When it changed, in nanoseconds; 0 where it is not there."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


def _moment(stamp: int) -> datetime | None:
    return datetime.fromtimestamp(stamp / 1e9, UTC) if stamp else None

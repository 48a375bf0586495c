"""The runs in a folder of results: each with its best combination, filtered and sorted."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import ConfigurationError, LeukobenchError
from ..evaluation.combination_names import NAMES, Names, as_columns, names_of, short_name, title
from ..reporting.report.numbers import as_number
from ..reporting.run_facts import RunFacts, facts_of, folder_names, is_finished, kind_of
from ..runs.finished import FinishedRun
from ..storage import user_path
from .what_changed import flat

if TYPE_CHECKING:
    import pandas as pd

FINISHED, UNFINISHED = "finished", "unfinished"
SORTS = ("time", "score", "name", "images")
_OWN = ("verdict", "controls", "state", "kind", "metric")
"""Keys of a condition that are no part of an experiment file, beside the names of a combination."""
_AGO = re.compile(r"(\d+)\s*([hdw])")
_UNITS = {"h": "hours", "d": "days", "w": "weeks"}


@dataclass(frozen=True)
class Score:
    """A combination of a run: the best one, or the best one that fulfils the conditions.

    Attributes
    ----------
    names : (str, str, str)
    metric : str
        That ranks the run.
    value, low, high : float
        With its 95 % interval; NaN where that is not defined.
    corrected : float or None
        Corrected for selecting the best; None where it is not the run's best.
    """

    names: Names
    metric: str
    value: float
    low: float
    high: float
    corrected: float | None = None


@dataclass(frozen=True)
class Entry:
    """One run or study of the list.

    Attributes
    ----------
    name : str
    folder : Path
    kind : str
        As `leukobench.reporting.run_facts.kind_of`.
    state : str
        Finished, or why not.
    words : str
        What it does, or why it ended; '' of a finished one.
    facts : RunFacts
    score : Score or None
    """

    name: str
    folder: Path
    kind: str
    state: str
    words: str = ""
    facts: RunFacts = field(default_factory=RunFacts)
    score: Score | None = None

    @classmethod
    def of(cls, folder: Path, kind: str, state: str, words: str = "") -> Entry:
        """What is known of a folder in this state."""
        facts = facts_of(folder, kind) if state == FINISHED else RunFacts()
        best = facts.best
        score = None
        if best is not None:
            limits = as_number(best.low), as_number(best.high)
            score = Score(best.names, best.metric, best.value, *limits, corrected=best.corrected)
        return cls(folder.name, folder, kind, state, words, facts, score)

    def row(self) -> dict[str, Any]:
        """Its row in a table."""
        facts, score = self.facts, self.score
        shown = {"metric": "", "value": None, "low": None, "high": None, "corrected": None}
        names = as_columns(score.names if score else ("", "", ""))
        if score:
            shown = {key: getattr(score, key) for key in shown}
        return {
            "name": self.name,
            "state": self.state,
            "time": facts.time.isoformat() if facts.time else None,
            "images": facts.images,
            **names,
            **shown,
            "verdict": facts.verdict,
            "controls": facts.control.name if facts.control else "",
            "kind": self.kind,
            "seconds": facts.seconds,
            "external_tests": facts.tests,
            "failure": facts.failure or self.words,
            "image_folder": facts.folder,
            "folder": str(self.folder),
        }


@dataclass(frozen=True)
class Query:
    """Which runs are wanted, and in which order.

    Attributes
    ----------
    text : tuple of str
        All of them occur in the name of the run, its best combination, or the folder of its images.
    images : str
        Occurs in the folder of its images.
    since : datetime or None
    where : mapping of str to str
        Extractor, selector, classifier, verdict, controls, state, kind, metric, or a key of the experiment file such as
        ``evaluation.folds`` -> its value.
    sort : {"time", "score", "name", "images"}
    """

    text: tuple[str, ...] = ()
    images: str = ""
    since: datetime | None = None
    where: Mapping[str, str] = field(default_factory=dict)
    sort: str = "time"


def list_runs(results: str | Path = "results", where: Mapping[str, str] | None = None) -> pd.DataFrame:
    """Every run and study in a folder of results, the newest first, with its best combination and verdict.

    Parameters
    ----------
    results : path-like
        The folder of all runs.
    where : mapping of str to str, optional
        See `Query`: ``{"classifier": "svm_rbf"}`` shows the best combination with this classifier of each run.

    Returns
    -------
    DataFrame
        One row a run: name, state (finished, or unfinished: stopped or at work), time, images, extractor, selector,
        classifier, metric, value, low, high, corrected, verdict (on shortcuts), controls (better or not better than
        all of them), kind, seconds, external_tests, failure, image_folder, folder.

    Raises
    ------
    ConfigurationError
        There is no such folder, or no run has such a key.
    """
    import pandas as pd

    folder = existing(results)
    kinds = {name: kind_of(folder / name) for name in folder_names(folder)}
    entries = [
        Entry.of(folder / name, kind, FINISHED if is_finished(folder / name, kind) else UNFINISHED)
        for name, kind in sorted(kinds.items())
    ]
    rows = [entry.row() for entry in select(entries, Query(where=where or {}))]
    return pd.DataFrame(rows, columns=None if rows else list(Entry(folder.name, folder, "", "").row()))


def existing(results: str | Path) -> Path:
    """The folder of runs.

    Raises
    ------
    ConfigurationError
        There is none.
    """
    folder = user_path(results)
    if not folder.is_dir():
        fix = "name the folder of your runs with --results."
        raise ConfigurationError("There is no such folder of runs.", received=str(folder), fix=fix)
    return folder


def select(entries: Iterable[Entry], query: Query) -> list[Entry]:
    """Those that fulfil the query, in its order.

    Raises
    ------
    ConfigurationError
        No run has such a key.
    """
    chosen = [one for one in entries if _is_recent(one, query.since) and query.images in one.facts.folder]
    chosen = _fulfilling(chosen, query.where)
    chosen = [one for one in chosen if all(text.casefold() in _searched(one) for text in query.text)]
    return sorted(chosen, key=lambda one: _order(one, query.sort))


def since(text: str, now: datetime | None = None) -> datetime:
    """A moment: a date such as ``2026-01-31``, or a time ago such as ``7d``, ``12h`` or ``2w``.

    Raises
    ------
    ValueError
    """
    if ago := _AGO.fullmatch(text.strip()):
        return (now or datetime.now(UTC)) - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError("expected a date such as 2026-01-31, or 7d, 12h or 2w ago") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _is_recent(entry: Entry, moment: datetime | None) -> bool:
    return moment is None or (entry.facts.time is not None and entry.facts.time >= moment)


def _searched(entry: Entry) -> str:
    names = title(entry.score.names) if entry.score else ""
    return f"{entry.name} {names} {entry.facts.folder}".casefold()


def _order(entry: Entry, sort: str) -> tuple[Any, ...]:
    """Unfinished ones first by time, for they want attention; last by score."""
    when = entry.facts.time.timestamp() if entry.facts.time else float("inf")
    keys: dict[str, tuple[Any, ...]] = {
        "time": (-when,),
        "score": (-entry.score.value if entry.score else float("inf"), -when),
        "images": (-entry.facts.images, -when),
        "name": (),
    }
    return (*keys[sort], entry.name)


def _fulfilling(entries: Sequence[Entry], where: Mapping[str, str]) -> list[Entry]:
    """With the best combination that fulfils the conditions on its names."""
    own = {key: value for key, value in where.items() if key in _OWN}
    names = {key: value for key, value in where.items() if key in NAMES}
    others = {key: value for key, value in where.items() if key not in own and key not in names}
    chosen = [one for one in entries if all(_is(one.row()[key], value) for key, value in own.items())]
    if not names and not others:
        return chosen
    runs = [(one, run) for one in chosen if one.facts.best and (run := _opened(one.folder))]
    experiments = {one.name: flat(run.experiment_file) for one, run in runs}
    _check_keys(others, {key for experiment in experiments.values() for key in experiment})
    fulfilled = []
    for one, run in runs:
        values = experiments[one.name]
        if all(key in values and _is(values[key], value) for key, value in others.items()):
            fulfilled += [replace(one, score=score) for score in [_best_with(one, run, names)] if score]
    return fulfilled


def _opened(folder: Path) -> FinishedRun | None:
    """None where a file was damaged since its facts were read."""
    try:
        return FinishedRun.open(folder)
    except LeukobenchError:
        return None


def _check_keys(wanted: Iterable[str], known: set[str]) -> None:
    import difflib

    for key in wanted:
        if known and key not in known:
            nearest = difflib.get_close_matches(key, [*NAMES, *_OWN, *sorted(known)], n=1)
            raise ConfigurationError(
                f"No run of this list has a key '{key}'.",
                expected=", ".join([*NAMES, *_OWN]) + ", or a key of an experiment file such as evaluation.folds",
                received=key,
                fix=f"did you mean {nearest[0]}?" if nearest else "see an experiment.yaml of these runs.",
            )


def _best_with(entry: Entry, run: FinishedRun, names: Mapping[str, str]) -> Score | None:
    """The best combination with such names: in full, short, or without its parameters."""
    for row in run.ranked:
        labels = as_columns(names_of(row))
        if all(value in (labels[key], short_name(labels[key]), labels[key].partition("(")[0])
               for key, value in names.items()):  # fmt: skip
            if entry.score and names_of(row) == entry.score.names:
                return entry.score
            ends = (as_number(row.get(f"{run.metric}{end}")) for end in ("", "_low", "_high"))
            return Score(names_of(row), run.metric, *ends)
    return None


def _is(value: Any, wanted: str) -> bool:
    text = {None: "null"}.get(value, str(value)) if not isinstance(value, list | dict) else str(value)
    return text.casefold() == wanted.casefold()

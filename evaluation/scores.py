"""From records to tables: predictions of every image, scores of every fold, and the statistics of both."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..machine import Executor
from ..processes.spread import in_order
from ..storage import atomic_path
from .combination_names import FAILED, NAMES, NOT_REACHED, Names, as_columns
from .grid import Combination, Grid
from .metrics import metric_of, overall_metrics
from .records import COSTS, Record, RecordStore
from .scorer import Scorer
from .statistics.analysis import Analysis
from .statistics.entry import Entry
from .statistics.measuring import Measuring
from .statistics.stability import Stability, selection_stability
from .statistics.winner import EQUAL
from .stored_predictions import cells_of, fold_numbers, out_of_fold, prediction_columns, schema_of

if TYPE_CHECKING:
    import pandas as pd

_COMPARED = ("shortcut", "control")
"""Kinds of rows that the best combination is compared with, pair by pair."""
_MANY, _TOGETHER = 32, 8
"""Combinations that are worth other processes; those of a piece of their work."""


class Inference(NamedTuple):
    """How statistics are computed.

    Attributes
    ----------
    rank_by : str
        Metric of the leaderboard's order.
    resamples : int
        Of the groups.
    patients : sequence of str, optional
        A patient for each image of the task, where groups are patients.
    """

    rank_by: str
    resamples: int = 1000
    patients: Sequence[str] | None = None


@dataclass(frozen=True)
class Scored:
    """Everything that is computed from the stored predictions.

    Attributes
    ----------
    leaderboard : DataFrame
        One row per combination, shortcut, content row and control, best first (see `Analysis.order`): rank (of
        combinations alone; equals share it), extractor, selector, classifier, kind, each metric with ``_low``,
        ``_high`` (95 % interval) and ``_sd`` (spread over folds, no interval), mean costs, what `Analysis` adds, folds,
        status. A row that failed in any fold, or was not reached, has no numbers and stands last.
    scores : DataFrame
        Tidy: extractor, selector, classifier, repeat, fold, metric, value. `COSTS` are metrics too; one that is not
        defined in a fold is NaN.
    notes : DataFrame
        extractor, selector, classifier, repeat, fold, kind (``error`` or ``warning``), text.
    tables : dict of str to DataFrame
        File name -> table, of all that a run keeps.
    winner : dict or None
        See `Analysis.winner`.
    against : dict
        Names of each shortcut and control -> the best combination less it: difference and its 95 % interval.
    guessing : float or None
        What guessing reaches in the metric of the leaderboard's order; None where that depends on the images.
    """

    leaderboard: pd.DataFrame
    scores: pd.DataFrame
    notes: pd.DataFrame
    tables: dict[str, pd.DataFrame]
    winner: dict[str, Any] | None
    against: dict[Names, tuple[float, float, float]]
    guessing: float | None = None


def write_scores(
    grid: Grid,
    store: RecordStore,
    folder: Path,
    inference: Inference,
    advance: Callable[[int], None] = lambda done: None,
    executor: Executor | None = None,
) -> Scored:
    """Write ``predictions.parquet`` and compute everything else from the stored predictions.

    Parameters
    ----------
    grid : Grid
    store : RecordStore
    folder : Path
        Gets ``predictions.parquet``.
    inference : Inference
    advance : callable
        Called with the number of combinations just measured.
    executor : Executor, optional
        Measures them, where they are many.

    Returns
    -------
    Scored
        With one combination's probabilities in the memory of a process at a time.
    """
    import pandas as pd
    import pyarrow as pa
    import pyarrow.parquet as pq

    scores: list[dict[str, Any]] = []
    notes: list[dict[str, Any]] = []
    tuned: list[dict[str, Any]] = []
    curves: list[dict[str, Any]] = []
    supports: dict[tuple[str, str], tuple[list[list[int]], int]] = {}
    complete: list[tuple[Combination, float]] = []
    task, scorer = grid.task, Scorer(grid.task.classes)
    rank_by, resamples, patients = inference
    analysis = Analysis(
        task.labels, task.classes, task.groups, fold_numbers(grid), rank_by, grid.rules.seed, resamples, patients
    )
    schema = schema_of(grid)
    with (
        atomic_path(folder / "predictions.parquet") as temporary,
        pq.ParquetWriter(temporary, schema, compression="zstd") as writer,
    ):
        for combination in grid.combinations():
            cells = cells_of(grid, store, combination)
            for place, record, fold in cells:
                scores += _scores(place, record, scorer, task.labels[fold.test])
                notes += _notes(place, record)
                tuned += [place | {"parameter": name, "value": str(value)} for name, value in record.tuned.items()]
                curves += [place | epoch for epoch in record.curve]
                if record.probabilities is not None:
                    named = place | {"kind": combination.kind}
                    writer.write_table(pa.table(prediction_columns(named, record, grid, fold), schema=schema))
            if all(record.probabilities is not None for _, record, _ in cells):
                complete.append((combination, float(np.mean([record.features for _, record, _ in cells]))))
                if combination.selector.identity["name"] != "none":
                    kept = [record.support for _, record, _ in cells]
                    supports.setdefault(combination.labels[:2], (kept, combination.source.width))
            else:
                advance(1)
    entries = _entries(grid, store, [combination for combination, _ in complete], analysis.measuring, executor)
    for (_, features), entry in zip(complete, entries, strict=True):
        analysis.take(entry, features)
        scores += _patient_scores(analysis, grid, entry.key)
        advance(1)
    table = pd.DataFrame(scores, columns=[*NAMES, "repeat", "fold", "metric", "value"])
    noted = pd.DataFrame(notes, columns=[*NAMES, "repeat", "fold", "kind", "text"])
    scored = _summarise(grid, analysis, table, noted, supports)
    if tuned:
        scored.tables["tuned.csv"] = pd.DataFrame(tuned)
    if curves:
        scored.tables["learning_curves.csv"] = pd.DataFrame(curves)
    return scored


def _entries(
    grid: Grid,
    store: RecordStore,
    combinations: Sequence[Combination],
    measuring: Measuring,
    executor: Executor | None,
) -> Iterator[Entry]:
    """Numbers of combinations, in their order; many are measured in several processes."""
    parts = [combinations[start : start + _TOGETHER] for start in range(0, len(combinations), _TOGETHER)]
    several = executor if len(combinations) >= _MANY else None
    for part in in_order(several, _measure, lambda number: (grid, store, parts[number], measuring), len(parts)):
        yield from part


def _measure(grid: Grid, store: RecordStore, combinations: Sequence[Combination], measuring: Measuring) -> list[Entry]:
    entries = []
    for combination in combinations:
        probabilities = out_of_fold(grid, cells_of(grid, store, combination))
        entries.append(measuring.entry(combination.labels, combination.kind, np.asarray(probabilities)))
    return entries


def _summarise(
    grid: Grid,
    analysis: Analysis,
    scores: pd.DataFrame,
    notes: pd.DataFrame,
    supports: dict[tuple[str, str], tuple[list[list[int]], int]],
) -> Scored:
    analysed = analysis.tables()
    leaderboard = _leaderboard(grid, analysed.pop("leaderboard"), scores, notes, analysis)
    endings = {"confusion": "parquet", "reliability": "parquet", "patients": "parquet"}
    tables = {f"{name}.{endings.get(name, 'csv')}": table for name, table in analysed.items()}
    tables |= {"leaderboard.csv": leaderboard, "scores.parquet": scores, "notes.csv": notes}
    tables |= {"stability.csv": _stability(supports)}
    winner = analysis.winner()
    others = leaderboard["kind"].isin(_COMPARED) & leaderboard[analysis.rank_by].notna()
    scored = leaderboard.loc[others, list(NAMES)].itertuples(index=False, name=None)
    against = {names: analysis.against(names) for names in scored} if winner else {}
    classes = len(grid.task.classes)
    guessing = metric_of(analysis.rank_by).guessing(classes)
    return Scored(leaderboard, scores, notes, tables, winner, against, guessing)


def _leaderboard(
    grid: Grid, analysed: pd.DataFrame, scores: pd.DataFrame, notes: pd.DataFrame, analysis: Analysis
) -> pd.DataFrame:
    import pandas as pd

    keys, rank_by = list(NAMES), analysis.rank_by
    rows = [as_columns(c.labels) | {"kind": c.kind} for c in grid.combinations()]
    table = pd.DataFrame(rows).merge(analysed.drop(columns="kind"), how="left", on=keys)
    known = [one for one in overall_metrics() if not one.of_patients or one.name in (rank_by, *table.columns)]
    measured = [f"{metric.name}{end}" for metric in known for end in ("", "_low", "_high", "_sd")]
    table = table.reindex(columns=table.columns.union(measured, sort=False))
    table = table.join(_costs(scores, notes, rank_by), on=keys)
    counts = {name: table.pop(name).fillna(0).astype(int) for name in ("scored", "undefined", "failed")}
    table["folds"] = counts["scored"] + counts["failed"]
    folds = len(grid.folds)
    table["status"] = [
        _status(*row, folds, rank_by)
        for row in zip(counts["scored"], counts["undefined"], counts["failed"], strict=True)
    ]
    table.loc[counts["scored"] < folds, list(COSTS)] = np.nan
    places = {key: place for place, key in enumerate(analysis.order())}
    own = [places.get(key, len(places)) for key in table[keys].itertuples(index=False, name=None)]
    table = table.iloc[np.argsort(own, kind="stable")]
    candidates = table[rank_by].where(table["kind"] == "combination").round(EQUAL)
    table.insert(0, "rank", candidates.rank(method="min", ascending=False).astype("Int64"))
    return table.reset_index(drop=True)


def _costs(scores: pd.DataFrame, notes: pd.DataFrame, rank_by: str) -> pd.DataFrame:
    """Mean costs of each row, and in how many folds it was scored, had an undefined metric, or failed."""
    keys = list(NAMES)
    wide = scores.set_index([*keys, "repeat", "fold", "metric"])["value"].unstack()
    folds = wide.reindex(columns=[*COSTS, rank_by]).groupby(level=keys)
    undefined = folds[rank_by].agg(lambda values: values.isna().sum()).rename("undefined")
    failed = notes[notes["kind"] == "error"].groupby(keys).size().rename("failed")
    return folds[list(COSTS)].mean().join([folds.size().rename("scored"), undefined]).join(failed, how="outer")


def _stability(supports: dict[tuple[str, str], tuple[list[list[int]], int]]) -> pd.DataFrame:
    """Whether the folds choose the same features; only for selectors that choose among those that there are."""
    import pandas as pd

    rows = [
        dict(zip(NAMES, names, strict=False)) | selection_stability(kept, width)._asdict()
        for names, (kept, width) in supports.items()
        if all(kept)
    ]
    return pd.DataFrame(rows, columns=[*NAMES[:2], *Stability._fields])


def _status(scored: int, undefined: int, failed: int, folds: int, rank_by: str) -> str:
    if failed:
        return f"{FAILED} in {failed} of {folds} folds"
    if scored < folds:
        return f"{NOT_REACHED} in {folds - scored} of {folds} folds"
    return f"{rank_by} undefined in {undefined} of {scored} folds: a class is absent" if undefined else "ok"


def _scores(place: dict[str, Any], record: Record, scorer: Scorer, labels: NDArray[np.int64]) -> list[dict[str, Any]]:
    if record.probabilities is None:
        return []
    values = scorer.score(labels, record.probabilities)
    costs = {name: getattr(record, name) for name in COSTS}
    return [place | {"metric": metric, "value": float(value)} for metric, value in (values | costs).items()]


def _patient_scores(analysis: Analysis, grid: Grid, names: Names) -> list[dict[str, Any]]:
    """Metrics of patients in each fold, where patients are known."""
    values = analysis.patient_metrics(names)
    return [
        as_columns(names)
        | {
            "repeat": fold.repeat,
            "fold": fold.number,
            "metric": metric,
            "value": float(folds[fold.repeat, fold.number]),
        }
        for fold in grid.folds
        for metric, folds in values.items()
    ]


def _notes(place: dict[str, Any], record: Record) -> list[dict[str, Any]]:
    errors = [place | {"kind": "error", "text": record.error}] if record.error else []
    return errors + [place | {"kind": "warning", "text": text} for text in record.warnings]

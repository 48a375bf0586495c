"""The numbers of a run, computed again from its stored predictions alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..evaluation.combination_names import FAILED, NAMES, NOT_REACHED, Names, as_columns, names_of
from ..evaluation.metrics import metric_of, metrics_of
from ..evaluation.scores import Scored
from ..evaluation.statistics.analysis import Analysis
from ..evaluation.statistics.entry import Entry
from ..evaluation.statistics.measuring import Measuring
from ..evaluation.statistics.patients import Patients
from ..evaluation.statistics.winner import EQUAL
from ..machine import Executor
from ..processes.spread import in_order
from . import plain_scores
from .compared_tables import Check
from .prediction_file import PredictionFile, Span
from .prediction_rows import Expected, check_rows
from .stored_results import StoredResults

if TYPE_CHECKING:
    import pandas as pd

_TOGETHER = 8
"""Combinations of a piece of work."""
_COMPARED = ("shortcut", "control")
Floats = NDArray[np.float64]


class Measured(NamedTuple):
    """What a process finds in the predictions of one combination.

    Attributes
    ----------
    key : (Names, str)
        Names and kind.
    facts : Check
        Of its rows.
    entry : Entry or None
        None where rows are wrong, so that no number can be computed.
    plain : dict
        Metrics by other code; see `plain_scores`.
    folds : list of dict
        The same in each fold.
    """

    key: tuple[Names, str]
    facts: Check
    entry: Entry | None
    plain: dict[str, float]
    folds: list[dict[str, Any]]


@dataclass(frozen=True)
class Recomputed:
    """Everything that follows from the predictions.

    Attributes
    ----------
    scored : Scored, optional
        Tables and the winner, by the project's own statistics; None where no combination has whole predictions.
    plain, plain_folds : DataFrame
        Metrics, and metrics of each fold, by other code.
    facts : sequence of Check
        Of the rows of each combination.
    """

    scored: Scored | None
    plain: pd.DataFrame
    plain_folds: pd.DataFrame
    facts: Sequence[Check]


def analysis_of(stored: StoredResults) -> Analysis:
    """Statistics of these images, groups and folds, without any combination as yet."""
    evaluation, task = stored.experiment.evaluation, stored.task
    design = task.labels, task.classes, task.groups, stored.fold_numbers
    return Analysis(*design, evaluation.rank_by, evaluation.seed, evaluation.resamples, stored.patients)


def recompute(
    stored: StoredResults, advance: Callable[[int], None] = lambda count: None, executor: Executor | None = None
) -> Recomputed:
    """Compute every table again; a combination whose rows are wrong takes no part.

    Parameters
    ----------
    stored : StoredResults
    advance : callable
        Called with the number of combinations just measured.
    executor : Executor, optional
        Measures them.
    """
    import pandas as pd

    analysis, rank_by = analysis_of(stored), stored.experiment.evaluation.rank_by
    file = PredictionFile(stored.folder / "predictions.parquet")
    predicted = _whole(file, stored)
    features = dict(zip(map(names_of, _records(stored.leaderboard)), stored.leaderboard["features"], strict=True))
    plain: list[dict[str, Any]] = []
    by_fold: list[dict[str, Any]] = []
    facts: list[Check] = []
    own: list[tuple[Any, ...]] = []
    undefined: dict[Names, int] = {}
    for measured in _measured(file, predicted, stored, analysis.measuring, executor):
        names, _ = measured.key
        facts.append(measured.facts)
        if measured.entry is not None:
            analysis.take(measured.entry, float(features.get(names, np.nan)))
            plain.append(as_columns(names) | measured.plain)
            by_fold += [as_columns(names) | one for one in measured.folds]
            own += _scores(measured.entry, stored)
            undefined[names] = int(np.isnan(measured.entry.folds[rank_by]).sum())
        advance(1)
    plainly = pd.DataFrame(plain, columns=None if plain else list(NAMES))
    each = pd.DataFrame(by_fold, columns=None if by_fold else [*NAMES, "repeat", "fold"])
    each = each.melt([*NAMES, "repeat", "fold"], var_name="metric", value_name="value")
    scores = pd.DataFrame(own, columns=[*NAMES, "repeat", "fold", "metric", "value"])
    return Recomputed(_scored(stored, analysis, scores, undefined) if plain else None, plainly, each, facts)


def _whole(file: PredictionFile, stored: StoredResults) -> list[tuple[tuple[Names, str], list[Span]]]:
    """Combinations that have every fold, or should have."""
    names = map(names_of, _records(stored.leaderboard))
    status = dict(zip(names, stored.leaderboard["status"].astype(str), strict=True))
    size = stored.fold_numbers.size
    return [
        (key, spans)
        for key, spans in file.combinations.items()
        if not status.get(key[0], "").startswith((FAILED, NOT_REACHED))
        or sum(one.stop - one.start for one in spans) >= size
    ]


def _measured(
    file: PredictionFile,
    predicted: Sequence[tuple[tuple[Names, str], list[Span]]],
    stored: StoredResults,
    measuring: Measuring,
    executor: Executor | None,
) -> Any:
    parts = [predicted[start : start + _TOGETHER] for start in range(0, len(predicted), _TOGETHER)]
    expected, patients = Expected.of(stored, file.columns), _rows_of_patients(stored)
    several = executor if len(parts) > 1 else None
    for part in in_order(
        several, _measure, lambda number: (file.path, parts[number], expected, measuring, patients), len(parts)
    ):
        yield from part


def _measure(
    path: Path,
    part: Sequence[tuple[tuple[Names, str], list[Span]]],
    expected: Expected,
    measuring: Measuring,
    patients: Sequence[tuple[int, NDArray[np.int64]]],
) -> list[Measured]:
    file = PredictionFile(path)
    several = []
    for key, spans in part:
        facts, probabilities = check_rows(key, file.read(spans), expected)
        if probabilities is None:
            several.append(Measured(key, facts, None, {}, []))
            continue
        entry = measuring.entry(key[0], key[1], probabilities)
        several.append(Measured(key, facts, entry, *_plainly(expected, probabilities, patients)))
    return several


def _plainly(
    expected: Expected, probabilities: Floats, patients: Sequence[tuple[int, NDArray[np.int64]]]
) -> tuple[dict[str, float], list[dict[str, Any]]]:
    """Metrics of all images, and of each fold, in plain NumPy; of patients where they are scored."""
    labels, classes = expected.labels, expected.classes
    repeats: list[dict[str, float]] = []
    folds: list[dict[str, Any]] = []
    rows = [images for _, images in patients]
    of_patients = np.array([label for label, _ in patients], dtype=np.int64)
    for repeat, (own, tested) in enumerate(zip(probabilities, expected.folds, strict=True)):
        values, each = (
            plain_scores.overall(labels, own, tested, classes),
            plain_scores.by_fold(labels, own, tested, classes),
        )
        if patients:
            means, places = plain_scores.patient_means(own, rows), tested[[images[0] for images in rows]]
            values |= plain_scores.overall(of_patients, means, places, classes, "patient_")
            more = plain_scores.by_fold(of_patients, means, places, classes, "patient_")
            each = {number: one | more[number] for number, one in each.items()}
        repeats.append(values)
        folds += [{"repeat": repeat, "fold": number, **one} for number, one in each.items()]
    return plain_scores.mean_of(repeats), folds


def _rows_of_patients(stored: StoredResults) -> list[tuple[int, NDArray[np.int64]]]:
    """Label and images of each patient that is scored; none where the leaderboard scores none."""
    if stored.patients is None or metrics_of(patients=True)[0].name not in stored.leaderboard:
        return []
    patients = Patients.of(stored.patients, stored.task.labels)
    return [(int(label), patients.rows[patients.codes == code]) for code, label in enumerate(patients.labels)]


def _scored(stored: StoredResults, analysis: Analysis, scores: pd.DataFrame, undefined: Mapping[Names, int]) -> Scored:
    """As `leukobench.evaluation.scores` has it, but for costs and what the fits noted."""
    import pandas as pd

    analysed, winner = analysis.tables(), analysis.winner()
    board = _leaderboard(stored, analysed.pop("leaderboard"), analysis)
    _add_status(board, stored, undefined)
    endings = {"confusion": "parquet", "reliability": "parquet", "patients": "parquet"}
    tables = {f"{name}.{endings.get(name, 'csv')}": table for name, table in analysed.items()}
    others = board["kind"].isin(_COMPARED) & board[analysis.rank_by].notna()
    compared = board.loc[others, list(NAMES)].itertuples(index=False, name=None)
    against = {names: analysis.against(names) for names in compared} if winner else {}
    guessing = metric_of(analysis.rank_by).guessing(len(stored.task.classes))
    return Scored(board, scores, pd.DataFrame(), tables, winner, against, guessing)


def _leaderboard(stored: StoredResults, analysed: pd.DataFrame, analysis: Analysis) -> pd.DataFrame:
    """Rows in the order that follows from the predictions; those without numbers come last, as they are published."""
    import pandas as pd

    keys, published = list(NAMES), stored.leaderboard
    have = set(analysed[keys].itertuples(index=False, name=None))
    lacking = [row not in have for row in published[keys].itertuples(index=False, name=None)]
    table = pd.concat([analysed, published.loc[lacking, [*keys, "kind"]]], ignore_index=True)
    places = {key: place for place, key in enumerate(analysis.order())}
    own = [places.get(key, len(places)) for key in table[keys].itertuples(index=False, name=None)]
    table = table.iloc[np.argsort(own, kind="stable")]
    candidates = table[analysis.rank_by].where(table["kind"] == "combination").round(EQUAL)
    table.insert(0, "rank", candidates.rank(method="min", ascending=False).astype("Int64"))
    return table.reset_index(drop=True)


def _add_status(board: pd.DataFrame, stored: StoredResults, undefined: Mapping[Names, int]) -> None:
    """Columns folds and status; of rows that lack predictions they are taken as they are published."""
    rank_by, folds = stored.experiment.evaluation.rank_by, stored.fold_numbers
    count = sum(len(np.unique(one)) for one in folds)
    published = stored.leaderboard.set_index(list(NAMES))[["folds", "status"]]
    words = []
    for names in board[list(NAMES)].itertuples(index=False, name=None):
        if names in undefined:
            lacking = f"{rank_by} undefined in {undefined[names]} of {count} folds: a class is absent"
            words.append((count, lacking if undefined[names] else "ok"))
        else:
            words.append(tuple(published.loc[names]))
    board["folds"], board["status"] = zip(*words, strict=True)


def _scores(entry: Entry, stored: StoredResults) -> list[tuple[Any, ...]]:
    """Metrics of each fold of one combination, as ``scores.parquet`` has them."""
    shape = len(stored.fold_numbers), -1
    return [
        (*entry.key, repeat, fold, metric, float(value))
        for metric, values in entry.folds.items()
        for (repeat, fold), value in np.ndenumerate(values.reshape(shape))
    ]


def _records(table: pd.DataFrame) -> list[Mapping[Any, Any]]:
    return list(table[list(NAMES)].to_dict("records"))

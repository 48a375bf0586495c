"""Open the given test part: once the winner is chosen, every combination is scored on it, and the look is recorded."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ..config.experiment import Experiment
from ..evaluation.combination_names import NAMES, names_of, rows_of
from ..evaluation.folds import Fold
from ..evaluation.grid import Grid
from ..evaluation.records import Record, RecordStore
from ..evaluation.sampling import part_of
from ..evaluation.scores import Inference, Scored, write_scores
from ..images.index import ImageIndex
from ..images.splits import TEST
from ..reporting.protocol import groups, patients_of
from ..reporting.split_words import test_words
from ..runs.answer import Winner
from ..runs.folder import RunFolder
from ..runs.identity import deciding_parts
from ..runs.looks import FILE, Look, record_look
from ..runs.split_answer import GivenTest, Leaks
from ..runs.workspace import Workspace
from ..storage import digest
from .audit_index import Audited
from .fit_combinations import fit_combinations
from .prepare_run import PreparedRun
from .score_controls import control_baselines
from .score_sealed import sealed_analysis, sealed_grid, sealed_in_words, unbeaten

if TYPE_CHECKING:
    import pandas as pd

FOLDER = "test"
STATUS = "test_status"
_TABLES = ("classes.csv", "confusion.parquet", "notes.csv", "patients.parquet", "patient_scores.csv")
_RANKS = ["rank", "rank_low", "rank_high", "in_best_set"]
"""Columns of a leaderboard that the test part has no say in."""
_log = logging.getLogger(__name__)


def open_test(scored: Scored, prepared: PreparedRun, whole: Audited, workspace: Workspace) -> GivenTest | None:
    """Score everything on the given test part, and add it to the leaderboard, which stays in its order.

    Writes ``test/`` (leaderboard.csv with every metric, predictions.parquet, notes.csv, tables of classes and patients)
    and ``holdout.json``; what was fitted before is not fitted again.

    Parameters
    ----------
    scored : Scored
        Of the folds; its leaderboard gets the columns ``test_<metric>``, with ``_low`` and ``_high``, and
        ``test_status``.
    prepared : PreparedRun
    whole : Audited
        With all parts.
    workspace : Workspace

    Returns
    -------
    GivenTest or None
        None without a given test part, with permuted labels, or where nothing was chosen.
    """
    folder, experiment = workspace.folder, prepared.experiment
    shutil.rmtree(folder.path / FOLDER, ignore_errors=True)
    every = whole.without_validation()
    sealed = np.zeros(0, dtype=bool) if every.parts is None else np.asarray(every.parts == TEST)
    if not sealed.any() or experiment.evaluation.permute or not scored.winner:
        return None
    held = every.index.split(sealed)[1]
    look = _look(folder, experiment, whole.index, held, scored.winner)
    scratch = RunFolder(folder.matrix(FOLDER).with_suffix(""))
    scratch.begin_features()
    reading = replace(workspace, folder=scratch)
    grid = sealed_grid(experiment, every, sealed, reading)
    controls = control_baselines(prepared.controls, experiment.evaluation, every.index, reading)
    grid = replace(grid, baselines=[*grid.baselines, *controls])
    store = fit_combinations(grid, workspace)
    board = _score(grid, store, experiment, patients_of(every.index), workspace)
    _extend(scored, board, folder)
    best = names_of(scored.winner)
    alone = replace(grid, only=frozenset([best]), networks=[one for one in grid.networks if one.labels == best])
    analysis, failed = sealed_analysis(alone, store, experiment.evaluation, patients_of(every.index))
    lines = [*sealed_in_words(alone, analysis, failed), groups(held).words, *look.earlier]
    folder.write_json(FILE, folder.read_json(FILE) | {"lines": [] if failed else lines})
    scratch.end_features()
    return _answer(scored, board, look, held, whole.leaks or Leaks(), [] if best in failed else unbeaten(analysis))


def _look(
    folder: RunFolder, experiment: Experiment, index: ImageIndex, held: ImageIndex, best: Mapping[str, object]
) -> Look:
    """Recorded before anything is scored: a run that was killed looked, too."""
    compared, winner = digest(deciding_parts(experiment)), Winner.from_json(best).to_json()
    look = record_look(folder, digest(sorted(held.images["image_id"])), index.digest(), compared, winner)
    for sentence in look.earlier:
        _log.warning("%s", sentence)
    return look


class _Renamed(RecordStore):
    """Records of another grid's cells, under the keys of this one's."""

    def __init__(self, store: RecordStore, keys: Mapping[str, str]) -> None:
        super().__init__(store.folder)
        self._keys = keys

    def read(self, key: str) -> Record | None:
        return super().read(self._keys[key])


def _score(
    grid: Grid, store: RecordStore, experiment: Experiment, patients: Sequence[str] | None, workspace: Workspace
) -> pd.DataFrame:
    """A row per combination: every metric of the test part; writes its tables."""
    (fitted,), target = grid.folds, RunFolder(workspace.folder.path / FOLDER)
    rows = fitted.test
    test = Fold(0, 0, rows[:0], np.arange(len(rows)))
    shown = replace(grid, task=part_of(grid.task, rows), folds=[test])
    keys = {shown.key(one, test): grid.key(one, fitted) for one in grid.combinations()}
    named = [patients[row] for row in rows] if patients else None
    target.path.mkdir(parents=True)
    evaluation = experiment.evaluation
    inference = Inference(evaluation.rank_by, evaluation.resamples, named)
    scored = write_scores(shown, _Renamed(store, keys), target.path, inference, executor=workspace.beside_files)
    for name in _TABLES:
        if name in scored.tables and len(scored.tables[name]):
            target.write_table(name, scored.tables[name])
    board = scored.leaderboard
    failed = board["status"].str.startswith("failed")
    undefined = board["status"].str.contains("undefined")
    board["status"] = np.select([failed, undefined], ["failed", f"{evaluation.rank_by} undefined"], "ok")
    return board.drop(columns=[*_RANKS, "folds", *board.filter(regex="_sd$").columns])


def _extend(scored: Scored, board: pd.DataFrame, folder: RunFolder) -> None:
    """The run's leaderboard with the test score of the ranking metric; the test's own in the run's order."""
    names, metric = list(NAMES), str(scored.winner["metric"]) if scored.winner else ""
    ordered = scored.leaderboard[names].merge(board, how="left", on=names)
    RunFolder(folder.path / FOLDER).write_table("leaderboard.csv", ordered)
    for end in ("", "_low", "_high"):
        scored.leaderboard[f"test_{metric}{end}"] = ordered[f"{metric}{end}"].to_numpy()
    scored.leaderboard[STATUS] = ordered["status"].fillna("").to_numpy()
    folder.write_table("leaderboard.csv", scored.leaderboard)


def _answer(
    scored: Scored, board: pd.DataFrame, look: Look, held: ImageIndex, leaks: Leaks, shortcuts: Sequence[str]
) -> GivenTest:
    winner = scored.winner or {}
    metric, row = str(winner["metric"]), rows_of(board, names_of(winner)).iloc[0]
    value, low, high = (float(row[f"{metric}{end}"]) for end in ("", "_low", "_high"))
    source = groups(held)
    units = held.images["patient"] if source.kind == "patients" else held.group
    facts = {
        "images": len(held),
        "groups": len(set(units)),
        "kind": source.kind,
        "metric": metric,
        "value": value,
        "low": low,
        "high": high,
        "cross_validated": float(winner["value"]),
        "failed": int(((board["kind"] == "combination") & (board["status"] == "failed")).sum()),
        "unbeaten": list(shortcuts),
        "opened": look.opened,
        "look": look.number,
        "earlier": list(look.earlier),
        "leaks": leaks.to_json(),
    }
    test = GivenTest.from_json(facts)
    return replace(test, words=test_words(test))

"""Compute statistics: every table of the run, from the stored predictions."""

from __future__ import annotations

from ..config.experiment import Evaluation
from ..evaluation.combination_names import names_of
from ..evaluation.grid import Grid
from ..evaluation.records import RecordStore
from ..evaluation.scores import Inference, Scored, write_scores
from ..images.index import ImageIndex
from ..reporting.protocol import patients_of
from ..runs.workspace import Workspace
from .name_engines import engines

COMPUTING = "computing statistics"


def compute_statistics(
    grid: Grid, store: RecordStore, index: ImageIndex, evaluation: Evaluation, workspace: Workspace
) -> Scored:
    """Scores, intervals, comparisons and the leaderboard; writes ``predictions.parquet`` and every other table."""
    inference, folder = Inference(evaluation.rank_by, evaluation.resamples, patients_of(index)), workspace.folder
    with workspace.progress(COMPUTING, len(list(grid.combinations()))) as advance:
        scored = write_scores(grid, store, folder.path, inference, advance, workspace.beside_files)
    named = engines(grid)
    scored.leaderboard["engine"] = [named[names_of(row)] for row in scored.leaderboard.to_dict("records")]
    for name, table in scored.tables.items():
        folder.write_table(name, table)
    return scored

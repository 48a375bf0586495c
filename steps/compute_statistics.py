"""Compute statistics: every table of the run, from the stored predictions."""

from __future__ import annotations

from ..config.experiment import Evaluation
from ..evaluation.grid import Grid
from ..evaluation.records import RecordStore
from ..evaluation.scores import Scored, write_scores
from ..images.index import ImageIndex
from ..reporting.protocol import groups
from ..runs.workspace import Workspace

COMPUTING = "computing statistics"


def compute_statistics(
    grid: Grid, store: RecordStore, index: ImageIndex, evaluation: Evaluation, workspace: Workspace
) -> Scored:
    """Scores, intervals, comparisons and the leaderboard; writes ``predictions.parquet`` and every other table."""
    patients = index.images["patient"].tolist() if groups(index).kind == "patients" else None
    folder = workspace.folder
    with workspace.progress(COMPUTING, len(list(grid.combinations()))) as advance:
        scored = write_scores(grid, store, folder.path, evaluation.rank_by, evaluation.resamples, patients, advance)
    for name, table in scored.tables.items():
        folder.write_table(name, table)
    return scored

"""Fit combinations: every combination and fold gets its record; networks trained end to end come last."""

from __future__ import annotations

from ..evaluation.grid import Grid
from ..evaluation.network_runner import pending_networks, run_networks
from ..evaluation.records import RecordStore
from ..evaluation.scheduling import pending_units, run_grid, run_trainings
from ..runs.workspace import Workspace

FITTING, TRAINING = "fitting combinations", "training networks"


def fit_combinations(grid: Grid, workspace: Workspace, stages: tuple[str, str] = (FITTING, TRAINING)) -> RecordStore:
    """Fit every combination and fold that has no record yet, or only a failed one; `stages` are shown as progress."""
    store, limits = RecordStore(workspace.folder.records), workspace.limits
    units = pending_units(grid, store, limits)
    with workspace.progress(stages[0], sum(len(unit.classifiers) for unit in units)) as advance:
        run_grid(grid, store, workspace.executor, advance)
    if grid.networks:
        with workspace.progress(stages[1], len(pending_networks(grid, store, limits))) as advance:
            if workspace.cluster:
                run_trainings(grid, store, workspace.executor, advance)
            else:
                run_networks(grid, store, workspace.workers, advance, limits)
    return store

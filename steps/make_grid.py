"""Make the grid: the task, its folds, and every combination and baseline over them."""

from __future__ import annotations

from ..evaluation.folds import folds_table, make_folds
from ..evaluation.grid import Grid
from ..evaluation.guards import permute_labels
from ..evaluation.site_folds import SiteFolds
from ..runs.workspace import Workspace
from .audit_index import Audited
from .extract_features import extract_features
from .find_sites import check_site_column, sites_of
from .fit_permutations import permuted_combinations
from .given_split import split_task
from .prepare_run import PreparedRun
from .score_controls import control_baselines
from .score_shortcuts import shortcut_baselines
from .write_pixels import pixel_combinations


def make_grid(prepared: PreparedRun, audited: Audited, workspace: Workspace) -> Grid:
    """All combinations of a run over shared folds, features extracted; writes ``folds.parquet``.

    Raises
    ------
    ImagesError
        Images have changed, or cannot be split into this number of folds.
    """
    evaluation = prepared.experiment.evaluation
    every = audited.files_in_order()
    sources = extract_features(prepared.extractors, every, workspace)
    task = split_task(evaluation, audited.index, audited.validation)
    if evaluation.permute:
        task = permute_labels(task, evaluation.seed)
    check_site_column(audited.index, evaluation)
    if (sites := sites_of(audited.index, evaluation)) is not None:
        SiteFolds.of(task, sites)
    folds = make_folds(task, evaluation.folds, evaluation.repeats, evaluation.seed, evaluation.shuffle)
    workspace.folder.write_table("folds.parquet", folds_table(task, folds))
    methods, only = prepared.methods, None
    if evaluation.permute:
        only = permuted_combinations([source.label for source in sources], *methods)[0]
    baselines = shortcut_baselines(audited, workspace.folder, evaluation)
    baselines += control_baselines(prepared.controls, evaluation, audited.index, workspace)
    trained = [] if evaluation.permute and sources else prepared.networks
    networks = pixel_combinations(trained, every, workspace)
    return Grid(task, folds, sources, *methods, prepared.rules, baselines, networks, only)

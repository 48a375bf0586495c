"""Score sealed images: a fold that tests them, drawn or given, and what it shows in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ..config.experiment import Evaluation, Experiment
from ..evaluation.combination_names import NAMES, SHORTCUT, Names, names_of
from ..evaluation.folds import given_fold
from ..evaluation.grid import Grid
from ..evaluation.metrics import ACCURACY, AUROC, metric_of
from ..evaluation.records import RecordStore
from ..evaluation.statistics.analysis import Analysis
from ..features.extractors import make_extractor
from ..reporting.verdicts import VERDICTS
from ..runs.workspace import Workspace
from .audit_index import Audited
from .check_names import check_methods
from .choose_methods import fit_rules, make_methods, make_networks
from .extract_features import extract_features
from .given_split import is_given
from .make_task import make_task
from .score_shortcuts import shortcut_baselines
from .write_pixels import PIXELS, pixel_combinations


def sealed_grid(
    experiment: Experiment, audited: Audited, sealed: np.ndarray, workspace: Workspace, only: Names | None = None
) -> Grid:
    """Combinations and shortcuts on one fold: the sealed images for testing, all others for training.

    Parameters
    ----------
    experiment : Experiment
    audited : Audited
        With the sealed images.
    sealed : ndarray of bool, shape (len(audited.index),)
    workspace : Workspace
        Where matrices go.
    only : names, optional
        One combination; all of the experiment by default.
    """
    every, rules = audited.files_in_order(), fit_rules(experiment)
    task = make_task(audited.index)
    if is_given(experiment.evaluation):
        parts = tuple(np.where(sealed, "test", "train").tolist())
        task = replace(task, given=parts, drop_leaks=False)
        task = task if audited.validation is None else task.with_validation(audited.validation.table())
    fold = given_fold(task, sealed)
    networks = [one for one in make_networks(experiment) if only is None or only == (PIXELS, "none", one.label)]
    choices = [one for one in experiment.extractors if only is None or one.label == only[0]]
    check_methods(experiment, {one.label for one in choices})
    extractors = {one.label: make_extractor(one.name, one.parameters) for one in choices}
    sources = extract_features(extractors, every, workspace)
    trained = pixel_combinations(networks, every, workspace)
    baselines = shortcut_baselines(audited, workspace.folder, experiment.evaluation)
    chosen = None if only is None else frozenset([only])
    return Grid(task, [fold], sources, *make_methods(experiment), rules, baselines, trained, chosen)


def sealed_analysis(
    grid: Grid, store: RecordStore, evaluation: Evaluation, patients: Sequence[str] | None
) -> tuple[Analysis, list[Names]]:
    """Statistics of everything on the sealed images, over their groups; and what failed."""
    rows = grid.folds[0].test
    labels, groups, once = grid.task.labels[rows], grid.task.groups[rows], np.zeros((1, len(rows)), dtype=np.int64)
    protocol = evaluation.rank_by, evaluation.seed, evaluation.resamples
    named = [patients[row] for row in rows] if patients else None
    analysis, failed = Analysis(labels, grid.task.classes, groups, once, *protocol, patients=named), []
    for combination in grid.combinations():
        record = store.read(grid.key(combination, grid.folds[0]))
        if record is None or record.probabilities is None:
            failed.append(combination.labels)
        else:
            analysis.add(combination.labels, combination.kind, record.probabilities[None])
    return analysis, failed


def sealed_in_words(grid: Grid, analysis: Analysis, failed: Sequence[Names]) -> list[str]:
    """One line per combination and shortcut, with intervals from resampling the groups of the sealed images."""
    rows = grid.folds[0].test
    groups = len(np.unique(grid.task.groups[rows]))
    lines = [f"{len(rows):,} sealed images in {groups:,} groups, used in no fold and for no choice"]
    lines += [f"{' x '.join(names)}: FAILED; run the same command to try again" for names in failed]
    table = analysis.tables()["leaderboard"].sort_values(["kind", analysis.rank_by], ascending=[True, False])
    reported = dict.fromkeys([metric_of(analysis.rank_by), ACCURACY, AUROC])
    for row in table.to_dict("records"):
        scores = ", ".join(f"{metric.title} {metric.of_row(row)}" for metric in reported)
        lines.append(f"{' x '.join(names_of(row))}: {scores}")
    first = VERDICTS["not better"].title.upper()
    return lines + [f"{first}: {name} alone, beyond the interval of the difference" for name in unbeaten(analysis)]


def unbeaten(analysis: Analysis) -> list[str]:
    """Shortcuts that the combination does not beat on the sealed images."""
    if analysis.winner() is None:
        return []
    table = analysis.tables()["leaderboard"]
    rows = table[(table["kind"] == "shortcut") & table[analysis.rank_by].notna()]
    names = rows.sort_values(analysis.rank_by, ascending=False)[list(NAMES)].itertuples(index=False, name=None)
    return [name[0].removeprefix(SHORTCUT) for name in names if not analysis.against(name)[1] > 0]

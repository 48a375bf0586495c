"""How much data is enough: the grid of a finished run, trained on halves, quarters and eighths of its patients."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..bundling.fit_features import load_features
from ..errors import ConfigurationError, EveryCombinationFailedError
from ..evaluation.combination_names import NAMES, Names, as_columns, names_of
from ..evaluation.folds import Fold
from ..evaluation.grid import FeatureSource, Grid, finished_keys
from ..evaluation.metric import Metric
from ..evaluation.metrics import BALANCED_ACCURACY, metric_of
from ..evaluation.records import Record, RecordStore
from ..evaluation.scheduling import run_grid
from ..evaluation.scorer import Scorer
from ..evaluation.statistics.curves import Curves, Point
from ..evaluation.statistics.entry import Design
from ..evaluation.statistics.resampling import GroupResamples
from ..evaluation.stored_predictions import cells_of, fold_numbers, out_of_fold
from ..evaluation.subsamples import deepest, halved
from ..features.extractors import make_extractor
from ..machine import Progress
from ..reporting.learning_curve import curve_lines, draw_curves
from ..runs.executors import on_cluster
from ..runs.finished import FinishedRun
from ..runs.folder import RunFolder
from ..runs.log import log_to
from ..runs.progress import silent
from ..runs.workspace import Workspace
from ..steps.check_names import check_methods
from ..steps.choose_methods import fit_rules, make_methods
from ..storage import digest, lock

if TYPE_CHECKING:
    import pandas as pd

_HALVINGS, _DRAWS = 3, 2
_CROSSED = [f"{side}_{name}" for side in ("few", "all") for name in NAMES]
_CROSSED += ["units", *(f"with_{side}{end}" for side in ("few", "all") for end in ("", "_low", "_high"))]
"""Columns of ``crossings.csv``."""


@dataclass(frozen=True)
class LearningCurve:
    """What was measured.

    Attributes
    ----------
    folder : Path
        Holds ``learning_curve.csv``, ``crossings.csv`` and ``learning_curve.png``.
    table : DataFrame
        A row per combination and size, best first, then fewest first: names, units (mean number of patients, or of
        images, in a training part), images, draws, value, low, high; what everything adds (gain, gain_low, gain_high)
        and what the double adds (doubling, doubling_low, doubling_high). No numbers for what failed at a size.
    crossings : DataFrame
        Pairs that change places, beyond the intervals: names of the one that is better with `units` training patients
        or images (few_...) and of the one that is better with all (all_...), and both differences with intervals.
    lines : list of str
        In words.
    """

    folder: Path
    table: pd.DataFrame
    crossings: pd.DataFrame
    lines: list[str]


def measure_learning_curve(
    run: Path,
    best: int | None = None,
    draws: int = _DRAWS,
    workers: int | None = None,
    progress: Progress = silent,
    dask: str | None = None,
) -> LearningCurve:
    """Train the combinations of a run on an eighth, a quarter and a half of the groups of each training part.

    The folds and test parts are those of the run's first repeat, features come from the cache, the scores with
    everything from its records. What was fitted before is not fitted again. Lands in ``<name>-learning-curve``.

    Parameters
    ----------
    run : Path
        Folder of a finished run.
    best : int, optional
        Take this many of its best combinations alone.
    draws : int
        Of each size, at most as many as there are disjoint ones.
    workers : int, optional
    progress : Progress
    dask : str, optional
        See `leukobench.config.execution.Execution`.

    Raises
    ------
    ConfigurationError, ImagesError, WeightsError, EngineError, BusyError, ClusterError
        The run has no combinations on features, permuted its labels, or has too few groups to be halved.
    EveryCombinationFailedError
    """
    results = FinishedRun.open(run)
    only, folds = _chosen(results, best), _folds(results)
    halvings = deepest(results.task, folds, _HALVINGS)
    if not halvings:
        raise ConfigurationError(
            "The training parts cannot be halved.",
            expected="at least 4 patients, or groups of images, of a class in each",
            received=f"{len(np.unique(results.task.groups)):,} groups in {len(results.task.classes)} classes",
            fix="use more patients, or fewer folds.",
        )
    folder = RunFolder.beside(results.folder, "learning-curve")
    with (
        lock(folder.lock, f"learning curves of '{results.name}'"),
        log_to(folder.log),
        on_cluster(dask, folder) as cluster,
    ):
        workspace = Workspace.of(folder, workers, progress, cluster=cluster)
        folder.begin()
        store = _Borrowing(folder.records, RunFolder(results.folder).records)
        seed = results.experiment.evaluation.seed
        sizes = [halved(results.task, folds, times, draws, seed) for times in range(halvings, -1, -1)]
        grids = [replace(_grid(results, only, workspace), folds=size) for size in sizes]
        units = [_units(results, grid.folds) for grid in grids]
        for grid, (count, _) in zip(grids, units, strict=True):
            cells = sum(len(unit.classifiers) for unit in grid.pending(finished_keys(grid, store, workspace.limits)))
            with workspace.progress(f"fitting with {count:,.0f} {_unit(results)}", cells) as advance:
                run_grid(grid, store, workspace.executor, advance)
        curve = _write(results, grids, units, store, workspace)
        folder.end_features()
    return curve


class _Borrowing(RecordStore):
    """Records of its own, and those of a finished run, which are only read."""

    def __init__(self, folder: Path, lender: Path) -> None:
        super().__init__(folder)
        self._lender = RecordStore(lender)

    def read(self, key: str) -> Record | None:
        return super().read(key) or self._lender.read(key)


def _chosen(run: FinishedRun, best: int | None) -> frozenset[Names]:
    """Combinations of the grid that were scored, best first."""
    if run.experiment.evaluation.permute:
        raise ConfigurationError("Permuted labels have no learning curve.", received=f"the run '{run.name}'")
    extractors = {choice.label for choice in run.experiment.extractors}
    names = [names_of(row) for row in run.ranked if names_of(row)[0] in extractors]
    if not names:
        raise ConfigurationError(
            "There is nothing to train on fewer images.",
            expected="a run with scored combinations of extractor, selector and classifier",
            received=f"the run '{run.name}'",
        )
    return frozenset(names[:best])


def _folds(run: FinishedRun) -> list[Fold]:
    """Those of the first repeat, as the run drew them."""
    table = run.folds[run.folds["repeat"] == 0]
    rows, tested, numbers = np.arange(len(run.task)), table["row"].to_numpy(np.int64), table["fold"].to_numpy(np.int64)
    parts = {int(number): np.sort(tested[numbers == number]) for number in np.unique(numbers)}
    return [Fold(0, number, np.setdiff1d(rows, test), test) for number, test in parts.items()]


def _grid(run: FinishedRun, only: frozenset[Names], workspace: Workspace) -> Grid:
    """The chosen combinations, features extracted or read from the cache."""
    sources, wanted = [], {names[0] for names in only}
    check_methods(run.experiment, wanted)
    for choice in run.experiment.extractors:
        if choice.label in wanted:
            extractor, name = make_extractor(choice.name, choice.parameters), digest(choice.label)[:16]
            load_features(choice.label, name, extractor, run.images, workspace)
            target = workspace.folder.matrix(name)
            sources.append(FeatureSource(choice.label, target, digest(dict(extractor.identity))))
    return Grid(run.task, [], sources, *make_methods(run.experiment), fit_rules(run.experiment), only=only)


def _unit(run: FinishedRun) -> str:
    return "patients" if run.answer.groups.kind == "patients" else "images"


def _units(run: FinishedRun, folds: Sequence[Fold]) -> tuple[float, float]:
    """Mean number of patients, or of images where patients are not known, in a training part; and of images."""
    images = float(np.mean([len(fold.train) for fold in folds]))
    patients = float(np.mean([len(np.unique(run.task.groups[fold.train])) for fold in folds]))
    return (patients if _unit(run) == "patients" else images), images


def _metric(run: FinishedRun) -> Metric:
    """What ranks the run; balanced accuracy where that is a metric of patients."""
    metric = metric_of(run.metric)
    return BALANCED_ACCURACY if metric.of_patients else metric


def _write(
    run: FinishedRun,
    grids: Sequence[Grid],
    units: Sequence[tuple[float, float]],
    store: RecordStore,
    workspace: Workspace,
) -> LearningCurve:
    import pandas as pd

    names, curves = _curves(run, grids, store, workspace)
    metric, rows = _metric(run), []
    for place, name in enumerate(names):
        for size, (count, images) in enumerate(units):
            draws = 1 + max(fold.repeat for fold in grids[size].folds)
            row = as_columns(name) | {"units": count, "images": images, "draws": draws}
            row |= _columns("value", curves.band(place, size), ("value", "low", "high"))
            last = len(units) - 1
            for what, more in (("gain", last), ("doubling", size + 1)):
                gain = curves.gain(place, size, more) if size < last else (np.nan,) * 3
                row |= _columns(what, gain)
            rows.append(row)
    crossed = [
        {f"few_{key}": value for key, value in as_columns(names[one.few]).items()}
        | {f"all_{key}": value for key, value in as_columns(names[one.all]).items()}
        | {"units": units[one.size][0]}
        | _columns("with_few", one.ahead)
        | _columns("with_all", one.behind)
        for one in curves.crossings()
    ]
    table, crossings = pd.DataFrame(rows), pd.DataFrame(crossed, columns=_CROSSED)
    lines = [*curve_lines(table, crossings, metric, _unit(run)), run.answer.groups.words]
    folder = workspace.folder
    folder.write_table("learning_curve.csv", table)
    folder.write_table("crossings.csv", crossings)
    folder.write_json(
        "learning_curve.json", {"run": run.name, "unit": _unit(run), "metric": metric.name, "lines": lines}
    )
    draw_curves(table, metric, _unit(run), lines, folder.path / "learning_curve.png")
    return LearningCurve(folder.path, table, crossings, lines)


def _columns(name: str, interval: Sequence[float], names: Sequence[str] = ()) -> dict[str, Any]:
    return dict(zip(names or (name, f"{name}_low", f"{name}_high"), interval, strict=True))


def _curves(
    run: FinishedRun, grids: Sequence[Grid], store: RecordStore, workspace: Workspace
) -> tuple[list[Names], Curves]:
    """Curves of the combinations that were scored at every size, best with everything first."""
    evaluation, task, metric = run.experiment.evaluation, run.task, _metric(run)
    drawn, scorer = GroupResamples(task.groups, evaluation.resamples, evaluation.seed), Scorer(task.classes, [metric])
    designs = [Design(task.labels, fold_numbers(grid), drawn, scorer, metric) for grid in grids]
    points: dict[Names, list[Point]] = {}
    combinations = list(grids[0].combinations())
    with workspace.progress("computing curves", len(combinations)) as advance:
        for combination in combinations:
            stored = [out_of_fold(grid, cells_of(grid, store, combination)) for grid in grids]
            known = [one for one in stored if one is not None]
            if len(known) == len(grids):
                row = [Point.of(design, one) for design, one in zip(designs, known, strict=True)]
                if not any(np.isnan(point.draws).any() for point in row):
                    points[combination.labels] = row
            advance(1)
    if not points:
        raise EveryCombinationFailedError(
            "No combination could be trained on each size.",
            received=f"{len(combinations)} combinations",
            fix="use more images of each class; `leukobench run` shows why a combination fails.",
        )
    names = [name for name in map(names_of, run.ranked) if name in points]
    return names, Curves([points[name] for name in names], designs[-1])

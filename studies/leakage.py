"""How much each kind of leak adds to a score: the same combinations under leaky and correct protocols."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..classifiers import CLASSIFIERS
from ..config.experiment import Evaluation, Experiment
from ..errors import ConfigurationError, EveryCombinationFailedError
from ..evaluation.combination_names import NAMES, Names, as_columns
from ..evaluation.grid import FeatureSource, Grid, finished_keys
from ..evaluation.guards import permute_labels
from ..evaluation.leaks import PROTOCOLS, LeakComparison, Setting, comparisons, part_of, subsample
from ..evaluation.methods import Method, make_method
from ..evaluation.metrics import ACCURACY, BALANCED_ACCURACY
from ..evaluation.records import RecordStore
from ..evaluation.scheduling import run_grid
from ..evaluation.scorer import Scorer
from ..evaluation.task import Task
from ..features.extractors import make_extractor
from ..machine import Progress
from ..plugins.permission import named_by_user
from ..reporting.leakage_figure import draw_leakage
from ..reporting.protocol import groups
from ..runs.executors import on_cluster
from ..runs.folder import RunFolder
from ..runs.log import log_to
from ..runs.progress import silent
from ..runs.workspace import Workspace
from ..selection import SELECTORS
from ..steps.audit_index import audit_index
from ..steps.check_names import check_names
from ..steps.choose_methods import experiment_for_size, make_methods
from ..steps.extract_features import extract_features
from ..steps.find_images import find_images
from ..steps.make_task import make_task
from ..storage import lock

if TYPE_CHECKING:
    import pandas as pd

_log = logging.getLogger(__name__)
METRICS = (BALANCED_ACCURACY, ACCURACY)
TRUE, PERMUTED = "as they are", "permuted"
CHOSEN: dict[str, list[Any]] = {
    "extractors": ["efficientnet_lite0"],
    "selectors": ["anova", {"rfe": {"n_features": 100}}],
    "classifiers": ["logistic_regression", "naive_bayes", "knn"],
}
"""What `leukobench leakage` compares by default: minutes, not hours."""


@dataclass(frozen=True)
class Leakage:
    """What was measured.

    Attributes
    ----------
    folder : Path
        Holds ``leakage.csv``, ``summary.csv`` and ``leakage.png``.
    table : DataFrame
        protocol, labels ("as they are", or "permuted" so that nothing can be learnt), size, extractor, selector,
        classifier, repeat, metric, leaky, honest, inflation.
    summary : DataFrame
        protocol, labels, size, honest, leaky and inflation (balanced accuracy, mean over combinations and repeats, in
        percent and points), low and high (95 % t interval over repeats; empty for one), most (of any combination),
        failed (rows of combinations and repeats without a number).
    lines : list of str
        The protocol in words.
    """

    folder: Path
    table: pd.DataFrame
    summary: pd.DataFrame
    lines: list[str]


def measure_leakage(
    experiment: Experiment,
    sizes: Sequence[int | None] = (200, None),
    repeats: int = 10,
    workers: int | None = None,
    progress: Progress = silent,
) -> Leakage:
    """Run every leaky protocol beside its honest counterpart.

    Parameters
    ----------
    experiment : Experiment
        Its images, extractors, selectors, classifiers, folds and seed; lands in ``<name>-leakage``.
    sizes : sequence of int or None
        Images of a stratified subsample in whole groups, drawn anew in each repeat, with the true labels and with
        permuted ones; None takes all, once, with the true labels.
    repeats : int
    workers : int, optional
    progress : Progress

    Raises
    ------
    ConfigurationError, ImagesError, WeightsError, EngineError, BusyError
    """
    _check(experiment)
    folder = RunFolder.beside(experiment.folder, "leakage")
    held = lock(folder.lock, f"running '{experiment.name}-leakage'")
    dask = on_cluster(experiment.executor.dask, folder)
    with named_by_user(experiment.plugins), held, log_to(folder.log), dask as cluster:
        workspace = Workspace.of(folder, workers, progress, cluster=cluster)
        check_names(experiment)
        index = find_images(experiment, workspace)
        folder.begin()
        folder.write_experiment(experiment.to_mapping(), {"images": index.digest()})
        index = audit_index(experiment, index, workspace).index
        index.check(experiment.evaluation.folds)
        extractors = {c.label: make_extractor(c.name, c.parameters) for c in experiment.extractors}
        sources = extract_features(extractors, index, workspace)
        rows: list[dict[str, Any]] = []
        for source in sources:
            for run in _runs(sizes, repeats):
                setting = _setting(experiment, source, make_task(index), run, folder)
                measured = _measure(setting, RecordStore(folder.records), workspace, f"{source.label}, {run}")
                rows += [row | run.place for row in measured]
        guessing = METRICS[0].with_unit(METRICS[0].guessing(len(index.classes())))
        folds = f"{experiment.evaluation.folds} stratified folds; {repeats} repeats of subsamples"
        lines = [groups(index).words, f"{folds}; guessing reaches {guessing}"]
        outcome = _write(folder, rows, lines)
        folder.end_features()
    return outcome


def _check(experiment: Experiment) -> None:
    evaluation, plain = experiment.evaluation, Evaluation()
    changed = [
        key
        for key in ("balance", "calibration", "tuning", "holdout", "split", "permute")
        if getattr(evaluation, key) != getattr(plain, key)
    ]
    searched = [c.label for c in [*experiment.selectors, *experiment.classifiers] if c.searched]
    if experiment.cnns:
        changed.append("cnns")
    if changed or searched:
        raise ConfigurationError(
            "Leaks can only be measured on combinations with fixed parameters.",
            expected="evaluation with only folds and seed, and no search",
            received=", ".join([*(f"{key}: {getattr(evaluation, key, 'some')}" for key in changed), *searched]),
            fix="remove the other settings for this command.",
        )


@dataclass(frozen=True)
class _Run:
    """One subsample, or all images."""

    labels: str
    size: int | None
    repeat: int

    def __str__(self) -> str:
        return f"{self.size or 'all'} images, labels {self.labels}, repeat {self.repeat + 1}"

    @property
    def place(self) -> dict[str, Any]:
        return {"labels": self.labels, "size": self.size or "all", "repeat": self.repeat}


def _runs(sizes: Sequence[int | None], repeats: int) -> list[_Run]:
    drawn = [size for size in sizes if size]
    runs = [_Run(labels, size, r) for size in drawn for labels in (TRUE, PERMUTED) for r in range(repeats)]
    return [*runs, _Run(TRUE, None, 0)] if None in sizes else runs


def _setting(experiment: Experiment, source: FeatureSource, task: Task, run: _Run, folder: RunFolder) -> Setting:
    if source.error:
        raise ConfigurationError("Leaks cannot be measured without features.", received=source.error)
    seed = experiment.evaluation.seed + run.repeat
    drawn = run.size and run.size < len(task)
    rows = subsample(task, run.size or 0, seed, experiment.evaluation.folds) if drawn else np.arange(len(task))
    taken = part_of(task, rows)
    selectors, classifiers = make_methods(experiment_for_size(experiment, len(rows))[0])
    return Setting(
        label=source.label,
        features=np.load(source.matrix, mmap_mode="r")[rows],
        identity=source.identity,
        task=permute_labels(taken, seed) if run.labels == PERMUTED else taken,
        selectors=selectors,
        none=make_method(SELECTORS, "none", {}, "none", seed),
        classifiers=classifiers,
        scaling=_scaling(experiment),
        folds=experiment.evaluation.folds,
        seed=seed,
        folder=folder.path / "features",
    )


def _scaling(experiment: Experiment) -> list[tuple[Method, Method]]:
    """Classifiers that can scale inside the fold: without and with."""
    able = [c for c in experiment.classifiers if "scale" in CLASSIFIERS.parameters(c.name)]
    seed = experiment.evaluation.seed
    sides = [
        [make_method(CLASSIFIERS, c.name, c.fixed | {"scale": scale}, c.label, seed) for c in able]
        for scale in (False, True)
    ]
    return list(zip(*sides, strict=True))


def _measure(setting: Setting, store: RecordStore, workspace: Workspace, title: str) -> list[dict[str, Any]]:
    leaks = list(comparisons(setting))
    grids = list({id(grid): grid for leak in leaks for grid in [*leak.leaky, *leak.honest]}.values())
    cells = sum(
        len(unit.classifiers) for grid in grids for unit in grid.pending(finished_keys(grid, store, workspace.limits))
    )
    with workspace.progress(title, cells) as advance:
        for grid in grids:
            run_grid(grid, store, workspace.executor, advance)
    return [row for leak in leaks for row in _compare(leak, store)]


def _compare(one: LeakComparison, store: RecordStore) -> list[dict[str, Any]]:
    """Every combination; NaN where it failed on either side."""
    leaky, honest = _scores(one.leaky, store, one.real), _scores(one.honest, store, None)
    rows = []
    for labels in dict.fromkeys(c.labels for grid in one.honest for c in grid.combinations()):
        for metric in METRICS:
            sides = {"leaky": leaky, "honest": honest}
            pair = {side: scores.get(labels, {}).get(metric.name, np.nan) for side, scores in sides.items()}
            inflation = pair["leaky"] - pair["honest"]
            rows.append(
                {"protocol": one.protocol, **as_columns(labels), "metric": metric.name, **pair, "inflation": inflation}
            )
    return rows


_Scores = dict[Names, dict[str, float]]


def _scores(grids: Sequence[Grid], store: RecordStore, real: int | None) -> _Scores:
    """Metrics of each combination over its out-of-fold predictions, of the first `real` images; none that failed."""
    scores: _Scores = {}
    for grid in grids:
        scorer = Scorer(grid.task.classes, METRICS)
        for combination in grid.combinations():
            records = [(fold, store.read(grid.key(combination, fold))) for fold in grid.folds]
            answers = np.full((len(grid.task), len(grid.task.classes)), np.nan)
            for fold, record in records:
                if record is not None and record.probabilities is not None:
                    answers[fold.test] = record.probabilities
            if not np.isnan(answers).any():
                rows = slice(0, real)
                scores[combination.labels] = scorer.score(grid.task.labels[rows], answers[rows])
    return scores


def _write(folder: RunFolder, rows: list[dict[str, Any]], lines: list[str]) -> Leakage:
    import pandas as pd

    order = ["labels", "protocol", "size", *NAMES, "repeat", "metric", "leaky", "honest"]
    table = pd.DataFrame(rows, columns=[*order, "inflation"])
    places = {"protocol": list(PROTOCOLS), "labels": [TRUE, PERMUTED], "size": list(dict.fromkeys(table["size"]))}
    table = table.sort_values(
        order[:8], key=lambda column: column.map(places[column.name].index) if column.name in places else column
    )
    if table["inflation"].isna().all():
        raise EveryCombinationFailedError(
            "No combination could be scored with and without a leak.",
            received=f"{len(table):,} rows without a number",
            fix="use more images per class, or other combinations; `leukobench run` shows why each of them fails.",
        )
    summary = _summary(table[table["metric"] == METRICS[0].name])
    if failed := int(summary["failed"].sum()):
        _log.warning("%s combinations failed and are not in the means: the empty rows of leakage.csv.", f"{failed:,}")
    folder.write_table("leakage.csv", table)
    folder.write_table("summary.csv", summary)
    draw_leakage(table[table["metric"] == METRICS[0].name], summary, lines, folder.path / "leakage.png")
    return Leakage(folder.path, table, summary, lines)


def _summary(table: pd.DataFrame) -> pd.DataFrame:
    """Percent and points, one row a protocol and size."""
    import pandas as pd
    from scipy.stats import t

    rows = []
    for (labels, protocol, size), whole in table.groupby(["labels", "protocol", "size"], sort=False):
        part = whole[whole["inflation"].notna()]
        failed = len(whole) - len(part)
        repeats = 100 * part.groupby("repeat")["inflation"].mean()
        mean, count = repeats.mean(), len(repeats)
        half = t.ppf(0.975, count - 1) * repeats.std() / np.sqrt(count) if count > 1 else np.nan
        most = 100 * part.groupby(list(NAMES))["inflation"].mean().max()
        sides = {side: 100 * part[side].mean() for side in ("honest", "leaky")}
        row = {"labels": labels, "protocol": protocol, "size": size, **sides, "inflation": mean}
        ends = {"low": mean - half, "high": mean + half}
        rows.append(row | ends | {"most": most, "failed": failed, "what": PROTOCOLS[str(protocol)]})
    return pd.DataFrame(rows)

"""Every combination of a run, fitted on all its images, for external images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from ..bundling.build_reference import build_reference
from ..bundling.fit_features import check_extractor
from ..bundling.fit_temperature import fit_temperature
from ..bundling.measured_quantiles import measured_quantiles
from ..bundling.run_facts import out_of_fold
from ..errors import ConfigurationError
from ..evaluation.combination_names import Names, names_of
from ..evaluation.folds import Fold
from ..evaluation.grid import FeatureSource, Grid
from ..evaluation.records import RecordStore
from ..evaluation.statistics.shifts import Quantiles
from ..evaluation.task import Task
from ..features.cache import FeatureCache
from ..features.extraction import extract_to, feature_names, pending
from ..features.extractor import Extractor
from ..features.extractors import TABLE, make_extractor
from ..features.simple_measurements import SimpleMeasurements
from ..images.index import ImageIndex
from ..reporting.failure_cause import failure_cause
from ..runs.finished import FinishedRun
from ..runs.identity import deciding_parts
from ..runs.workspace import Workspace
from ..serving.temperature import apply_temperature
from ..steps.check_names import check_methods
from ..steps.choose_methods import fit_rules, make_methods
from ..steps.extract_features import extract_features
from ..steps.fit_combinations import fit_combinations
from ..storage import digest
from .external_model import Model, Predicted, Surroundings


def run_model(run: FinishedRun, best: int | None = None) -> Model:
    """What is tested of a run: its combinations on features of frozen networks, or the `best` of them.

    Raises
    ------
    ConfigurationError
        There is none, or the labels of the run were permuted.
    """
    names, parts = _names(run)[:best], deciding_parts(run.experiment)
    return Model(
        kind="run",
        name=run.name,
        digest=digest([parts, dict(run.resolved), [list(one) for one in names]]),
        classes=run.task.classes,
        counts=tuple(np.bincount(run.task.labels, minlength=len(run.task.classes)).tolist()),
        evaluation=run.experiment.evaluation,
        chosen=names[0],
        image_ids=frozenset(run.images["image_id"]),
        patients=run.answer.groups.kind,
        training=run.images,
        quantiles=lambda workspace: _quantiles(run, workspace),
        predict=lambda index, workspace: _predict(run, names, index, workspace),
    )


def _names(run: FinishedRun) -> list[Names]:
    """Combinations on features that were scored, best first; a table has none of new images."""
    if run.answer.chance:
        raise ConfigurationError("The labels of this run were permuted, so nothing of it can be tested elsewhere.")
    extractors = {choice.label for choice in run.experiment.extractors if choice.name != TABLE}
    names = [names_of(row) for row in run.ranked if names_of(row)[0] in extractors]
    if not names:
        raise ConfigurationError(
            "There is no combination to test.",
            expected="a run with scored combinations of extractor, selector and classifier",
            received=f"the run '{run.name}'",
            fix="`leukobench fit` makes a bundle of a network that was trained end to end: test that.",
        )
    return names


def _quantiles(run: FinishedRun, workspace: Workspace) -> Quantiles | None:
    files = list(zip(run.images["image_id"], run.images["path"], strict=True))
    cache = FeatureCache.shared(SimpleMeasurements.identity)
    if pending(files, cache):
        return None
    target = workspace.folder.matrix("measured")
    extract_to(target, SimpleMeasurements(), files, cache, workspace.workers)
    return measured_quantiles(np.load(target, mmap_mode="r"), cache.feature_names(), run.task)


def _predict(run: FinishedRun, names: Sequence[Names], index: ImageIndex, workspace: Workspace) -> list[Predicted]:
    check_methods(run.experiment, {one[0] for one in names})
    both, rows = _together(run, index), np.arange(len(run.task) + len(index))
    trained, tested = np.split(rows, [len(run.task)])
    extractors = {label: _extractor(run, label) for label in dict.fromkeys(one[0] for one in names)}
    sources, methods = extract_features(extractors, both, workspace), make_methods(run.experiment)
    fold, rules = Fold(0, 0, trained, tested), fit_rules(run.experiment)
    grid = Grid(_task(run, both), [fold], sources, *methods, rules, only=frozenset(names))
    store = fit_combinations(grid, workspace)
    around = {source.label: _surroundings(run, source, extractors) for source in sources if not source.error}
    raw = _probabilities(grid, store, run.experiment.plugins)
    predicted = []
    for one in names:
        probabilities, error = raw[one]
        if probabilities is None:
            predicted.append(Predicted.failed(one, len(index), len(run.task.classes), error))
            continue
        before = out_of_fold(run, one)
        temperature = fit_temperature(before).value
        inside = before.at_temperature(temperature)
        calibrated = apply_temperature(probabilities, temperature)
        predicted.append(around[one[0]].predicted(one, calibrated, inside.conformal_scores(), inside))
    return predicted


def _probabilities(
    grid: Grid, store: RecordStore, folders: Sequence[Path]
) -> dict[Names, tuple[np.ndarray | None, str]]:
    """Of the external images as the fits give them, or why there are none."""
    raw: dict[Names, tuple[np.ndarray | None, str]] = {}
    for combination in grid.combinations():
        record = store.read(grid.key(combination, grid.folds[0]))
        cause = failure_cause(record.error, folders) if record else "no record"
        raw[combination.labels] = (record.probabilities if record else None, cause)
    return raw


def _surroundings(run: FinishedRun, source: FeatureSource, extractors: Mapping[str, Extractor]) -> Surroundings:
    features, trained = np.load(source.matrix, mmap_mode="r"), len(run.task)
    names = feature_names(extractors[source.label])
    reference = build_reference(np.asarray(features[:trained]), names, run.task)
    return Surroundings(reference, np.asarray(features[trained:]))


def _extractor(run: FinishedRun, label: str) -> Extractor:
    choice = next(choice for choice in run.experiment.extractors if choice.label == label)
    extractor = make_extractor(choice.name, choice.parameters)
    check_extractor(run, label, extractor)
    return extractor


def _together(run: FinishedRun, index: ImageIndex) -> ImageIndex:
    """Training images, then external ones."""
    import pandas as pd

    columns = ["image_id", "label", "patient", "path"]
    return replace(index, images=pd.concat([run.images[columns], index.images[columns]], ignore_index=True))


def _task(run: FinishedRun, both: ImageIndex) -> Task:
    """Of all images; labels of external ones, which decide no prediction, are those of the first class."""
    trained, count = run.task, len(both) - len(run.task)
    groups = np.concatenate([trained.groups, trained.groups.max() + 1 + np.arange(count)])
    labels = np.concatenate([trained.labels, np.zeros(count, dtype=np.int64)])
    ids = both.images["image_id"].to_numpy(dtype=str)
    return Task(ids, labels, trained.classes, groups, paths=tuple(both.images["path"]))

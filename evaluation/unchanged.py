"""A combination that was fitted on the images as they are, and predicts others: views of the test images."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Sequence

import numpy as np

from ..storage import digest
from .folds import Fold
from .grid import Combination, FeatureSource, Grid
from .records import Record, RecordStore
from .refit import refit
from .sampling import part_of


def unchanged_key(grid: Grid, combination: Combination, fold: Fold, source: FeatureSource) -> str:
    """Name of the record of the combination's predictions of another source of the same images."""
    return digest([grid.key(combination, fold), "predicts", source.identity])


def predict_sources(
    grid: Grid,
    combination: Combination,
    fold: Fold,
    sources: Sequence[FeatureSource],
    store: RecordStore,
    begin: Callable[[str], None] = lambda step: None,
) -> None:
    """Fit a combination on the training part of a fold, and write what it predicts for the test part of each source.

    What was predicted before is kept. It is one step.
    """
    keys = {source.label: unchanged_key(grid, combination, fold, source) for source in sources}
    records = {label: store.read(key) for label, key in keys.items()}
    if all(record is not None and not record.error for record in records.values()):
        return
    task = grid.task
    begin("predicting")
    try:
        features = np.load(combination.source.matrix, mmap_mode="r")[fold.train]
        training = part_of(task, fold.train)
        fitted = refit(features, training, combination.selector, combination.classifier, grid.rules)
        for source in sources:
            test = np.load(source.matrix, mmap_mode="r")[fold.test]
            record = Record(fitted.probabilities(test, len(task.classes)))
            store.write(keys[source.label], record, task.classes)
    except (Exception, SystemExit):
        for key in keys.values():
            store.write(key, Record(None, error=traceback.format_exc()), task.classes)

"""One combination's numbers, from its out-of-fold probabilities, which are not needed afterwards."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .intervals import Interval
from .limits import metric_limits
from .patients import PatientPredictions
from .pooled import BINS, CHANCE_ECE, bins, chance_ece, mean_of_defined, pooled_metrics, tally
from .ranking import FoldAreas, macro_over_folds, operating_points
from .resampling import GroupResamples

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Key = tuple[str, str, str]


@dataclass(frozen=True)
class Design:
    """What every combination of a run shares.

    Attributes
    ----------
    labels : ndarray of int64, shape (n,)
    classes : tuple of str, length K
    folds : ndarray of int64, shape (repeats, n)
        Fold that tests each image, from 0.
    resamples : GroupResamples
    rank_by : str
    """

    labels: Integers
    classes: tuple[str, ...]
    folds: Integers
    resamples: GroupResamples
    rank_by: str

    @property
    def folds_a_repeat(self) -> int:
        """How many."""
        return int(self.folds.max()) + 1


@dataclass(frozen=True)
class Entry:
    """Everything that tables say about one combination.

    Attributes
    ----------
    key : (str, str, str)
        Extractor, selector, classifier.
    kind : {"combination", "shortcut"}
    metrics : dict of str to (float, float, float)
        Value (mean over repeats), low and high of each metric.
    folds : dict of str to ndarray, shape (repeats * folds,)
        Each metric in each fold.
    repeats : ndarray, shape (repeats,)
        The ranking metric in each repeat.
    inside, outside : ndarray, shape (resamples,)
        The ranking metric on the groups that are drawn, and on those that are not.
    confusion : ndarray, shape (K, K)
        Counts, summed over repeats.
    bins : ndarray, shape (BINS, 3)
        Images, sum of top probabilities and hits in each bin, summed over repeats.
    areas, at_specificity, at_sensitivity : ndarray, shape (K,)
        Each class against the rest: area under the ROC curve, sensitivity at 95 % specificity, and the reverse.
    patients : PatientPredictions, optional
    """

    key: Key
    kind: str
    metrics: dict[str, Interval]
    folds: dict[str, Floats]
    repeats: Floats
    inside: Floats
    outside: Floats
    confusion: Floats
    bins: Floats
    areas: Floats
    at_specificity: Floats
    at_sensitivity: Floats
    patients: PatientPredictions | None = None


def make_entry(
    design: Design, key: Key, kind: str, probabilities: Floats, patients: PatientPredictions | None = None
) -> Entry:
    """Numbers of one combination from its probabilities, shape (repeats, n, K)."""
    groups = design.resamples
    tallies = [tally(design.labels, one, groups.codes, groups.count) for one in probabilities]
    areas = [
        FoldAreas(design.labels, one, folds, groups.codes, groups.count)
        for one, folds in zip(probabilities, design.folds, strict=True)
    ]
    plain = [area(np.ones((groups.count, 1)))[..., 0] for area in areas]
    repeats = _metrics(np.array([one.sum(axis=0) for one in tallies]), design.classes)
    repeats["auroc"] = np.array([macro_over_folds(area) for area in plain])
    value = {name: float(found.mean()) for name, found in repeats.items()}
    resampled, outside = _resample(design, tallies, areas)
    area = np.array([mean_of_defined(one, axis=0) for one in plain]).mean(axis=0)
    limits = metric_limits(value, resampled, np.mean(tallies, axis=0), area, design.classes)
    at_specificity, at_sensitivity = _points(design.labels, probabilities)
    return Entry(
        key,
        kind,
        {name: (value[name], *limits[name]) for name in value},
        _folds(design, probabilities, plain),
        repeats[design.rank_by],
        resampled[design.rank_by],
        outside,
        np.sum(tallies, axis=(0, 1))[: len(design.classes) ** 2].reshape(len(design.classes), -1),
        _bins(design.labels, probabilities),
        area,
        at_specificity,
        at_sensitivity,
        patients,
    )


def _metrics(sums: Floats, classes: tuple[str, ...]) -> dict[str, Floats]:
    """Every pooled metric in the order of the tables, with a place for ``auroc``."""
    found = pooled_metrics(sums, classes)
    order = ("accuracy", "balanced_accuracy", "f1_macro", "f1_weighted", "mcc", "auroc", "brier", "log_loss", "ece")
    placed = {name: found.pop(name, np.full(sums.shape[:-1], np.nan)) for name in order}
    return placed | found


def _resample(design: Design, tallies: list[Floats], areas: list[FoldAreas]) -> tuple[dict[str, Floats], Floats]:
    """Every metric in every resample, mean over repeats, and the ranking metric on what was not drawn."""
    inside: list[dict[str, Floats]] = []
    outside: list[Floats] = []
    cells = len(design.classes) ** 2
    for drawn, left in design.resamples.chunks():
        sums = [drawn.T @ one for one in tallies]
        found = [_metrics(one, design.classes) for one in sums]
        for metrics, area, one, whole in zip(found, areas, sums, tallies, strict=True):
            metrics["auroc"] = macro_over_folds(area(drawn))
            metrics[CHANCE_ECE] = chance_ece(one, whole.sum(axis=0), cells)
        inside.append({name: np.mean([one[name] for one in found], axis=0) for name in found[0]})
        if design.rank_by == "auroc":
            unseen = [macro_over_folds(area(left)) for area in areas]
        else:
            unseen = [pooled_metrics(left.T @ one[:, :cells], design.classes)[design.rank_by] for one in tallies]
        outside.append(np.mean(unseen, axis=0))
    return {name: np.concatenate([one[name] for one in inside]) for name in inside[0]}, np.concatenate(outside)


def _folds(design: Design, probabilities: Floats, areas: list[Floats]) -> dict[str, Floats]:
    """Each metric in each fold, repeat by repeat."""
    found = []
    for one, folds, area in zip(probabilities, design.folds, areas, strict=True):
        metrics = _metrics(tally(design.labels, one, folds, design.folds_a_repeat), design.classes)
        metrics["auroc"] = area.mean(axis=1)
        found.append(metrics)
    return {name: np.concatenate([one[name] for one in found]) for name in found[0]}


def _points(labels: Integers, probabilities: Floats) -> Floats:
    """Operating points of each class, mean over repeats, shape (2, K)."""
    classes = range(probabilities.shape[2])
    found = [[operating_points(labels == column, one[:, column]) for column in classes] for one in probabilities]
    return np.array(found).mean(axis=0).T


def _bins(labels: Integers, probabilities: Floats) -> Floats:
    confidence, top = probabilities.max(axis=2), probabilities.argmax(axis=2)
    place = bins(confidence).ravel()
    columns = (np.ones(place.size), confidence.ravel(), (top == labels).ravel())
    return np.column_stack([np.bincount(place, column, BINS) for column in columns])

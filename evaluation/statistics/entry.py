"""One combination's numbers, from its out-of-fold probabilities, which are not needed afterwards."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..metric import Floats, FromAreas, Integers, Metric, mean_of_defined
from ..metrics import CALIBRATION_BINS, LOG_LOSS, calibration_bins
from ..scorer import Scorer
from .adverse import adverse_groups
from .intervals import Interval
from .limits import Evidence, metric_limits
from .operating_points import Points, operating_points
from .patients import PatientPredictions
from .ranking import FoldAreas
from .resampling import GroupResamples
from .winner import is_saturated

Key = tuple[str, str, str]
Columns = dict[str, Floats]


@dataclass(frozen=True)
class Design:
    """What every combination of a run shares.

    Attributes
    ----------
    labels : ndarray of int64, shape (n,)
    folds : ndarray of int64, shape (repeats, n)
        Fold that tests each image, from 0.
    resamples : GroupResamples
    scorer : Scorer
    rank_by : Metric
    """

    labels: Integers
    folds: Integers
    resamples: GroupResamples
    scorer: Scorer
    rank_by: Metric

    @property
    def classes(self) -> tuple[str, ...]:
        """Names behind the labels."""
        return self.scorer.classes

    @property
    def folds_a_repeat(self) -> int:
        """How many."""
        return int(self.folds.max()) + 1


@dataclass(frozen=True)
class RankingValues:
    """The ranking metric in every repeat, shape (repeats,); on drawn and on other groups, shape (resamples,).

    And the log loss on drawn groups, by which equals are ordered.
    """

    repeats: Floats
    inside: Floats
    outside: Floats
    log_losses: Floats


@dataclass(frozen=True)
class ClassCurves:
    """Each class against the rest, each of shape (K,).

    Attributes
    ----------
    areas : ndarray
        Under the ROC curve; mean over folds and repeats.
    at_specificity, at_sensitivity : Points
        Sensitivity at 95 % specificity, and the reverse, at thresholds chosen on the other folds.
    """

    areas: Floats
    at_specificity: Points
    at_sensitivity: Points


@dataclass(frozen=True)
class Entry:
    """Everything that tables hold of one combination.

    Attributes
    ----------
    key : (str, str, str)
        Extractor, selector, classifier.
    kind : {"combination", "shortcut", "content", "control"}
    metrics : dict of str to (float, float, float)
        Value (mean over repeats), low and high of each column of the metrics.
    folds : dict of str to ndarray, shape (repeats * folds,)
        Each of these columns in each fold.
    ranking : RankingValues
    confusion : ndarray, shape (K, K)
        Counts, summed over repeats.
    bins : ndarray, shape (CALIBRATION_BINS, 3)
        Images, sum of top probabilities and hits in each bin, summed over repeats.
    curves : ClassCurves
    saturated : bool
        See `leukobench.evaluation.statistics.winner.is_saturated`.
    patients : PatientPredictions, optional
    """

    key: Key
    kind: str
    metrics: dict[str, Interval]
    folds: dict[str, Floats]
    ranking: RankingValues
    confusion: Floats
    bins: Floats
    curves: ClassCurves
    saturated: bool
    patients: PatientPredictions | None = None

    @classmethod
    def of(
        cls, design: Design, key: Key, kind: str, probabilities: Floats, patients: PatientPredictions | None = None
    ) -> Entry:
        """Numbers of one combination from its probabilities, shape (repeats, n, K)."""
        scorer = design.scorer
        repeats = [_Repeat.of(design, one, folds) for one, folds in zip(probabilities, design.folds, strict=True)]
        areas = np.array([mean_of_defined(one.plain_areas, axis=0) for one in repeats]).mean(axis=0)[:, 0]
        values = _concatenate([scorer.pooled_scores(one.tally.sum(axis=0)[None], one.plain_areas) for one in repeats])
        resampled, adverse, by_chance, outside = _resample(design, repeats)
        counts = scorer.counts(np.array([one.tally for one in repeats]))
        value = {column: np.asarray(numbers.mean()) for column, numbers in values.items()}
        limits = metric_limits(Evidence(scorer, value, resampled, adverse, by_chance, counts.mean(axis=0), areas))
        rank_by, groups = design.rank_by.name, design.resamples
        points = operating_points(design.labels, probabilities, design.folds, groups.codes, groups.count)
        log_losses = resampled.get(LOG_LOSS.name, np.zeros(design.resamples.resamples))  # no metric of patients
        return cls(
            key=key,
            kind=kind,
            metrics={column: (float(value[column]), *limits[column]) for column in scorer.columns},
            folds=_concatenate([one.by_fold(design) for one in repeats]),
            ranking=RankingValues(values[rank_by], resampled[rank_by], outside, log_losses),
            confusion=counts.sum(axis=(0, 1)),
            bins=_bins(design.labels, probabilities),
            curves=ClassCurves(areas, *points),
            saturated=is_saturated(probabilities),
            patients=patients,
        )


@dataclass(frozen=True)
class _Repeat:
    """One repeat of the folds.

    Attributes
    ----------
    probabilities, folds : ndarray, shapes (n, K) and (n,)
    tally : ndarray, shape (groups, columns of a tally)
    areas : FoldAreas
    plain_areas : ndarray, shape (folds, K, 1)
        Areas where every group counts once.
    adverse : dict of str to ndarray, shape (columns of a tally,)
        See `adverse_groups`.
    """

    probabilities: Floats
    folds: Integers
    tally: Floats
    areas: FoldAreas
    plain_areas: Floats
    adverse: dict[str, Floats]

    @classmethod
    def of(cls, design: Design, probabilities: Floats, folds: Integers) -> _Repeat:
        groups = design.resamples
        tally = design.scorer.tally(design.labels, probabilities, groups.codes, groups.count)
        areas = FoldAreas(design.labels, probabilities, folds, groups.codes, groups.count)
        adverse = adverse_groups(design.scorer, design.labels, probabilities, tally)
        return cls(probabilities, folds, tally, areas, areas(np.ones((groups.count, 1))), adverse)

    def by_fold(self, design: Design) -> dict[str, Floats]:
        """Every column in each fold, shape (folds,)."""
        sums = design.scorer.tally(design.labels, self.probabilities, self.folds, design.folds_a_repeat)
        return design.scorer.pooled_scores(sums, self.plain_areas[:, :, 0].T[None])


def _concatenate(parts: list[dict[str, Floats]]) -> dict[str, Floats]:
    return {name: np.concatenate([one[name] for one in parts], axis=-1) for name in parts[0]}


def _mean(repeats: list[dict[str, Floats]]) -> dict[str, Floats]:
    return {name: np.mean([one[name] for one in repeats], axis=0) for name in repeats[0]}


def _resample(design: Design, repeats: list[_Repeat]) -> tuple[Columns, Columns, Columns, Floats]:
    """In every resample, mean over repeats: all columns, some with the adverse group, some by chance, and what is left.

    Metrics by chance have shape (2, resamples), without and with the adverse group; of the groups that are not drawn
    there is the ranking metric.
    """
    scorer, rank_by = design.scorer, design.rank_by
    inside: list[Columns] = []
    adverse: list[Columns] = []
    by_chance: list[Columns] = []
    outside: list[Floats] = []
    start = 0
    for drawn, left in design.resamples.chunks():
        extra = design.resamples.extra[start : start + drawn.shape[1], None]
        start += drawn.shape[1]
        sums = [drawn.T @ one.tally for one in repeats]
        inside.append(
            _mean([scorer.pooled_scores(own, one.areas(drawn)) for own, one in zip(sums, repeats, strict=True)])
        )
        worse = [
            {name: own + extra * group for name, group in one.adverse.items()}
            for own, one in zip(sums, repeats, strict=True)
        ]
        adverse.append(_mean([_values(scorer, one) for one in worse]))
        chance = [_chance(scorer, *three) for three in zip(sums, worse, repeats, strict=True)]
        by_chance.append(_mean(chance))
        if isinstance(rank_by.source, FromAreas):
            unseen = [rank_by.source.compute(one.areas(left)) for one in repeats]
        else:
            unseen = [scorer.value(rank_by, left.T @ scorer.columns_for(rank_by, one.tally)) for one in repeats]
        outside.append(np.mean(unseen, axis=0))
    return _concatenate(inside), _concatenate(adverse), _concatenate(by_chance), np.concatenate(outside)


def _values(scorer: Scorer, sums: dict[str, Floats]) -> dict[str, Floats]:
    return {metric.name: scorer.value(metric, sums[metric.name]) for metric in scorer.metrics if metric.name in sums}


def _chance(scorer: Scorer, sums: Floats, worse: dict[str, Floats], repeat: _Repeat) -> dict[str, Floats]:
    whole = repeat.tally.sum(axis=0)
    return {
        name: np.array([plain, scorer.by_chance(worse[name], whole)[name]])
        for name, plain in scorer.by_chance(sums, whole).items()
    }


def _bins(labels: Integers, probabilities: Floats) -> Floats:
    confidence, top = probabilities.max(axis=2), probabilities.argmax(axis=2)
    place = calibration_bins(confidence).ravel()
    columns = (np.ones(place.size), confidence.ravel(), (top == labels).ravel())
    return np.column_stack([np.bincount(place, column, CALIBRATION_BINS) for column in columns])

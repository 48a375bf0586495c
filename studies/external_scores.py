"""The numbers of an external test: scores beside those of the cross-validation, calibration, sets, shifts, shares."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..bundling.measured_quantiles import PARTS, part_of
from ..bundling.out_of_fold import OutOfFold
from ..evaluation.combination_names import as_columns
from ..evaluation.metric import Floats, Integers, Metric
from ..evaluation.metrics import BALANCED_ACCURACY, metric_of
from ..evaluation.statistics.analysis import Analysis
from ..evaluation.statistics.calibration_line import UNDEFINED, calibration_lines
from ..evaluation.statistics.class_shares import PredictedImages, effect_of_shares
from ..evaluation.statistics.intervals import Interval, rates
from ..evaluation.statistics.present_classes import over_present
from ..evaluation.statistics.recalibration import recalibration_curve
from ..evaluation.statistics.shifts import Quantiles, shifts
from ..machine import Advance, Progress
from ..runs.external_answer import (
    ClassCalibration,
    CombinationTested,
    RecalibrationPoint,
    SetsTested,
    SharesTested,
    ShiftTested,
)  # fmt: skip
from .external_classes import ClassMap
from .external_model import Model, Predicted

if TYPE_CHECKING:
    import pandas as pd

Flags = NDArray[np.bool_]
FAR = 0.2
"""A quantity differs where it is at least so far from 0.5, beyond its interval."""


@dataclass(frozen=True)
class Scored:
    """Images that are scored, and the classes that predictions are brought into.

    Attributes
    ----------
    model : Model
    classes : ClassMap
    labels, groups : ndarray of int64, shape (n,)
    patients : list of str, optional
        '' where one is not known; None where none is.
    """

    model: Model
    classes: ClassMap
    labels: Integers
    groups: Integers
    patients: list[str] | None

    @property
    def metric(self) -> Metric:
        """That ranks the run; balanced accuracy where that is one of patients."""
        metric = metric_of(self.model.evaluation.rank_by)
        return BALANCED_ACCURACY if metric.of_patients else metric

    @property
    def present(self) -> Flags:
        """Classes of which there are images, shape (K,)."""
        return np.bincount(self.labels, minlength=len(self.classes.classes)) > 0

    def rows(self, chosen: Flags) -> Scored:
        """Of some of the images."""
        patients = None if self.patients is None else [self.patients[row] for row in np.flatnonzero(chosen)]
        return replace(self, labels=self.labels[chosen], groups=self.groups[chosen], patients=patients)

    def inside(self, predicted: Predicted) -> OutOfFold | None:
        """Out-of-fold predictions of the training images, of the classes that are scored."""
        if predicted.inside is None:
            return None
        own, classes = predicted.inside, self.classes
        return OutOfFold(classes.probabilities(own.probabilities), classes.codes(own.labels), own.groups, own.folds)

    def analysis(self, predictions: Sequence[Predicted], advance: Advance = lambda done, words="": None) -> Analysis:
        """Statistics of predictions of these images."""
        once, protocol = np.zeros((1, len(self.labels)), dtype=np.int64), self.model.evaluation
        settings = self.metric.name, protocol.seed, protocol.resamples
        analysis = Analysis(self.labels, self.classes.classes, self.groups, once, *settings, patients=self.patients)
        for predicted in predictions:
            probabilities = self.classes.probabilities(predicted.probabilities)
            analysis.add(predicted.names, "combination", probabilities[None])
            advance(1)
        return analysis


def inside_interval(scored: Scored, predicted: Predicted) -> Interval:
    """The ranking metric in the cross-validation, on training images of the classes that are scored here."""
    own = scored.inside(predicted)
    if own is None:
        return (np.nan,) * 3
    own = own.rows(scored.present[own.labels])
    folds = np.unique(own.folds, return_inverse=True)[1][None]
    protocol, metric = scored.model.evaluation, scored.metric.name
    settings = metric, protocol.seed, protocol.resamples
    analysis = Analysis(own.labels, scored.classes.classes, own.groups, folds, *settings)
    analysis.add(predicted.names, "combination", own.probabilities[None])
    row = analysis.tables()["leaderboard"].iloc[0]
    return float(row[metric]), float(row[f"{metric}_low"]), float(row[f"{metric}_high"])


def gap_of(outside: Interval, inside: Interval) -> Interval:
    """Difference of two independent values, from their limits.

    References
    ----------
    Zou, Donner: Construction of confidence limits about effect measures. Statistics in Medicine 27 (2008) 1693-1702.
    """
    gap = outside[0] - inside[0]
    down = np.hypot(outside[0] - outside[1], inside[2] - inside[0])
    up = np.hypot(outside[2] - outside[0], inside[0] - inside[1])
    return float(gap), float(gap - down), float(gap + up)


def score_all(
    scored: Scored, predictions: Sequence[Predicted], progress: Progress
) -> tuple[list[CombinationTested], dict[str, Any]]:
    """Every combination with its interval, beside its cross-validated score; and the tables of `Analysis`."""
    fitted = [one for one in predictions if not one.error]
    with progress("scoring", len(fitted)) as advance:
        tables = scored.analysis(fitted, advance).tables() if fitted else {}
    rows = {}
    if fitted:
        board = tables["leaderboard"]
        rows = {tuple(row[:3]): row for row in board.itertuples(index=False, name=None)}
        places = [board.columns.get_loc(f"{scored.metric.name}{end}") for end in ("", "_low", "_high")]
    combinations = []
    with progress("comparing with the cross-validation", len(predictions)) as advance:
        for one in predictions:
            advance(1)
            if one.error:
                combinations.append(_combination(one, UNDEFINED, UNDEFINED))
                continue
            value, low, high = (float(rows[one.names][place]) for place in places)
            combinations.append(_combination(one, (value, low, high), inside_interval(scored, one)))
    return combinations, tables


def _combination(one: Predicted, value: Interval, inside: Interval) -> CombinationTested:
    numbers = {"value": value, "inside": inside, "gap": gap_of(value, inside)}
    ends = {
        ("" if name == "value" else f"{name}_") + end if end else name: number
        for name, interval in numbers.items()
        for end, number in zip(("", "low", "high"), interval, strict=True)
    }
    return CombinationTested.from_json({**as_columns(one.names), **ends, "error": one.error})


def score_without(scored: Scored, predicted: Predicted, left: Flags) -> Interval:
    """The ranking metric without some images; NaN where none are left."""
    if left.all():
        return (np.nan,) * 3
    kept = replace(predicted, probabilities=predicted.probabilities[~left])
    row = scored.rows(~left).analysis([kept]).tables()["leaderboard"].iloc[0]
    return tuple(float(row[f"{scored.metric.name}{end}"]) for end in ("", "_low", "_high"))  # type: ignore[return-value]


def calibration_of(scored: Scored, predicted: Predicted) -> list[ClassCalibration]:
    """Intercept and slope of each class that there is."""
    probabilities = scored.classes.probabilities(predicted.probabilities)
    lines = calibration_lines(scored.labels, probabilities, scored.groups)
    return [
        ClassCalibration(label, *map(_plain, (*line.intercept, *line.slope)))
        for label, line, there in zip(scored.classes.classes, lines, scored.present, strict=True)
        if there
    ]


def sets_of(scored: Scored, predicted: Predicted) -> list[SetsTested]:
    """Coverage of the prediction sets of each level."""
    tested = []
    for level, members in predicted.sets.items():
        own = scored.classes.sets(members)
        size, right = own.sum(axis=1), own[np.arange(len(own)), scored.labels]
        value, low, high = share_of(right, scored.groups)
        tested.append(
            SetsTested(level, value, _plain(low), _plain(high), float(size.mean()), float((size == 1).mean()))
        )
    return tested


def share_of(flags: Flags, groups: Integers) -> Interval:
    """Share of the images with a flag, and its 95 % interval."""
    distinct, codes = np.unique(groups, return_inverse=True)
    hits, images = (np.bincount(codes, one, len(distinct)).astype(np.float64)[:, None] for one in (flags, None))
    low, high = rates(hits, images)
    return float(flags.mean()), float(low[0]), float(high[0])


def shifts_of(scored: Scored, quantiles: Quantiles | None, numbers: Floats) -> list[ShiftTested]:
    """Measured quantities beside those of the training images, those that differ most first in each part."""
    if quantiles is None:
        return []
    rows = []
    for one in shifts(quantiles.joined(scored.classes.members), numbers, scored.labels, scored.groups):
        value, low, high = one.above
        differs = abs(value - 0.5) > FAR and (low > 0.5 or high < 0.5)
        measured = {"above": value, "low": low, "high": high, "here": one.here, "there": one.there}
        row = ShiftTested.from_json({"part": part_of(one.name), "name": one.name, "differs": bool(differs), **measured})
        rows.append((row.part, -abs(value - 0.5), row))
    parts = list(PARTS)
    return [row for _, _, row in sorted(rows, key=lambda item: (parts.index(item[0]), item[1]))]


def shares_of(scored: Scored, predicted: Predicted) -> list[SharesTested]:
    """What the shares of the classes alone do to every metric of the cross-validation."""
    own = scored.inside(predicted)
    if own is None:
        return []
    images = PredictedImages(own.labels, scored.classes.classes, own.probabilities, own.groups, own.folds)
    counts = np.bincount(scored.labels, minlength=len(scored.classes.classes))
    protocol = scored.model.evaluation
    effects = effect_of_shares(images, counts, protocol.resamples, protocol.seed)
    return [SharesTested.from_json(asdict(one)) for one in effects]


def recalibration_of(scored: Scored, predicted: Predicted) -> list[RecalibrationPoint]:
    """The curve over the number of groups that are used for it."""
    probabilities = scored.classes.probabilities(predicted.probabilities)
    (metric,) = over_present([scored.metric], scored.present)
    curve = recalibration_curve(
        scored.labels, probabilities, scored.groups, scored.classes.classes, [metric], seed=scored.model.evaluation.seed
    )
    return [RecalibrationPoint.from_json(asdict(one)) for one in curve]


def _plain(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


def predictions_table(scored: Scored, predicted: Predicted, images: pd.DataFrame) -> pd.DataFrame:
    """A row an image: what it is, its label, probabilities, prediction sets, and whether it is unlike the others."""
    names = np.asarray(scored.classes.classes, dtype=object)
    probabilities = scored.classes.probabilities(predicted.probabilities)
    table = images[["path", "image_id", "patient", "source_label"]].assign(
        label=names[scored.labels], predicted=names[probabilities.argmax(axis=1)]
    )
    for column, name in enumerate(names):
        table[f"p_{name}"] = probabilities[:, column]
    for level, members in predicted.sets.items():
        own = scored.classes.sets(members)
        table[f"set_{100 * level:g}"] = ["|".join(names[row]) for row in own]
    return table.assign(unlike=predicted.unlike, likely_copy_of=predicted.copies)

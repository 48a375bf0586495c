"""The table of metrics: whatever ranks, tests, stores or prints a metric reads it here.

An installed package adds one by the entry-point group ``leukobench.metrics``: its name, and a `Metric`. One that is
not defined is NaN, never 0.
"""

from __future__ import annotations

import functools
import sys

import numpy as np

from ..errors import ConfigurationError
from ..registry import Registry
from .metric import (
    Floats,
    FromAreas,
    FromCounts,
    FromProbabilities,
    Integers,
    Metric,
    Rate,
    mean_of_defined,
    ratio,
)  # fmt: skip

CALIBRATION_BINS = 15
_LEAST_PROBABILITY = 1e-15


def calibration_bins(confidence: Floats) -> Integers:
    """Which of `CALIBRATION_BINS` equally wide bins, closed at the right, each top probability falls into."""
    return np.clip(np.ceil(confidence * CALIBRATION_BINS).astype(np.int64) - 1, 0, CALIBRATION_BINS - 1)


def _margins(counts: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """Hits, images and predictions of each class, shape (..., K), and all images, shape (...)."""
    return (
        np.diagonal(counts, axis1=-2, axis2=-1), counts.sum(axis=-1), counts.sum(axis=-2), counts.sum(axis=(-2, -1))
    )  # fmt: skip


def _right(counts: Floats) -> tuple[Floats, Floats]:
    hits, _, _, total = _margins(counts)
    return hits.sum(axis=-1)[..., None], total[..., None]


def sensitivities(counts: Floats) -> tuple[Floats, Floats]:
    """Hits and images of each class, both of shape (..., K), from confusion counts."""
    hits, actual, _, _ = _margins(counts)
    return hits, actual


def specificities(counts: Floats) -> tuple[Floats, Floats]:
    """Images that are rightly not taken for each class, and images of the others, both of shape (..., K)."""
    hits, actual, predicted, total = _margins(counts)
    others = total[..., None] - actual
    return others - (predicted - hits), others


def _f1(counts: Floats) -> Floats:
    hits, actual, predicted, _ = _margins(counts)
    return np.where(actual > 0, ratio(2 * hits, actual + predicted), np.nan)


def _f1_macro(counts: Floats) -> Floats:
    return _f1(counts).mean(axis=-1)


def _weighted_f1(counts: Floats) -> Floats:
    actual = counts.sum(axis=-1)
    return ratio((np.where(actual > 0, _f1(counts), 0.0) * actual).sum(axis=-1), actual.sum(axis=-1))


def _mcc(counts: Floats) -> Floats:
    """Multi-class correlation of Gorodkin (2004); NaN when the labels hold one class, 0 when the predictions do."""
    hits, actual, predicted, _ = _margins(counts)
    right, total = hits.sum(axis=-1), actual.sum(axis=-1)
    spread_actual, spread_predicted = (total**2 - np.square(x).sum(axis=-1) for x in (actual, predicted))
    covariance = right * total - (actual * predicted).sum(axis=-1)
    defined = np.where(spread_predicted > 0, ratio(covariance, np.sqrt(spread_actual * spread_predicted)), 0.0)
    return np.where(spread_actual > 0, defined, np.nan)


def macro_over_folds(areas: Floats) -> Floats:
    """Mean over the folds in which a class's area is defined, then over classes.

    The mean over folds, because scores of models of several folds have no common scale to be pooled on (Forman and
    Scholz: Apples-to-apples in cross-validation studies. SIGKDD Explorations 12 (2010) 49-57).
    """
    return mean_of_defined(areas, axis=0).mean(axis=0)


def _own(labels: Integers, probabilities: Floats) -> Floats:
    """Probability of each image's true class."""
    return probabilities[np.arange(len(labels)), labels]


def _squared_errors(labels: Integers, probabilities: Floats) -> tuple[Integers, Floats]:
    """Squared error of the probabilities summed over classes (Brier 1950), 0 to 2."""
    errors = np.square(probabilities).sum(axis=1) - 2 * _own(labels, probabilities) + 1
    return np.zeros_like(labels), errors


def _log_losses(labels: Integers, probabilities: Floats) -> tuple[Integers, Floats]:
    """Minus the natural logarithm of the true class's probability, which is not taken below 1e-15."""
    return np.zeros_like(labels), -np.log(np.maximum(_own(labels, probabilities), _LEAST_PROBABILITY))


def _calibration_gaps(labels: Integers, probabilities: Floats) -> tuple[Integers, Floats]:
    """Top probability minus hit, by bins of the top probability (Guo et al., ICML 2017)."""
    top = probabilities.argmax(axis=1)
    confidence = probabilities[np.arange(len(labels)), top]
    return calibration_bins(confidence), confidence - (top == labels)


def _mean_gap(sums: Floats, images: Floats) -> Floats:
    return ratio(np.abs(sums).sum(axis=-1), images)


ACCURACY = Metric("accuracy", "accuracy", Rate(_right))
BALANCED_ACCURACY = Metric(
    "balanced_accuracy", "balanced accuracy", Rate(sensitivities), chance=lambda classes: 1 / classes
)
AUROC = Metric("auroc", "AUROC", FromAreas(macro_over_folds), chance=0.5)
BRIER = Metric(
    "brier", "Brier score", FromProbabilities(_squared_errors, bounds=(0.0, 2.0)), "number", greater_is_better=False
)
LOG_LOSS = Metric(
    "log_loss", "log loss", FromProbabilities(_log_losses, bounds=(0.0, np.inf)), "number", greater_is_better=False
)
ECE = Metric(
    "ece", "expected calibration error",
    FromProbabilities(_calibration_gaps, CALIBRATION_BINS, _mean_gap, "less chance", (0.0, 1.0)),
    greater_is_better=False,
)  # fmt: skip
PATIENTS = (
    Metric("patient_accuracy", "accuracy of patients", ACCURACY.source, of_patients=True),
    Metric(
        "patient_balanced_accuracy", "balanced accuracy of patients", BALANCED_ACCURACY.source,
        chance=BALANCED_ACCURACY.chance, of_patients=True,
    ),
    Metric("patient_auroc", "AUROC of patients", AUROC.source, chance=AUROC.chance, of_patients=True),
)  # fmt: skip
"""One patient counts as much as another, however many images each has; only where patients are known."""
SENSITIVITY = Metric("sensitivity", "sensitivity", Rate(sensitivities), by_class=True)
SPECIFICITY = Metric("specificity", "specificity", Rate(specificities), by_class=True)

METRICS = Registry("metric")
for _metric in (
    ACCURACY,
    BALANCED_ACCURACY,
    Metric("f1_macro", "macro F1", FromCounts(_f1_macro, 0.0)),
    Metric("f1_weighted", "weighted F1", FromCounts(_weighted_f1, 0.0)),
    Metric("mcc", "MCC", FromCounts(_mcc, -1.0), "number", chance=0.0),
    AUROC,
    BRIER,
    LOG_LOSS,
    ECE,
    *PATIENTS,
    SENSITIVITY,
    SPECIFICITY,
):
    METRICS.add(_metric.name, _metric)

RANK_BY = BALANCED_ACCURACY.name
"""What combinations are ranked by unless an experiment says otherwise."""


def metrics() -> tuple[Metric, ...]:
    """Every metric, those of plug-ins included; those by class last.

    Raises
    ------
    ConfigurationError
        What a plug-in registers is no `Metric` of that name.
    """
    return _metrics(tuple(sys.path))


@functools.lru_cache(maxsize=1)
def _metrics(path: tuple[str, ...]) -> tuple[Metric, ...]:
    """Kept until the places that packages are installed in change: every number that is printed asks for its metric."""
    named = {name: METRICS.get(name) for name in METRICS.names()}
    for name, metric in named.items():
        if not isinstance(metric, Metric) or metric.name != name:
            raise ConfigurationError(
                f"The plug-in '{name}' is no metric.",
                expected=f"a leukobench.evaluation.metric.Metric whose name is '{name}'",
                received=repr(metric)[:200],
                fix=f"correct the entry point '{name}' of the group leukobench.metrics, or uninstall its package.",
            )
    return tuple(sorted(named.values(), key=lambda metric: metric.by_class))


def metrics_of(patients: bool) -> list[Metric]:
    """Those of patients, or those of images."""
    return [metric for metric in metrics() if metric.of_patients == patients]


def overall_metrics() -> list[Metric]:
    """Metrics that give a combination one number."""
    return [metric for metric in metrics() if not metric.by_class]


def ranking_metrics() -> dict[str, Metric]:
    """Name -> metric, of those that combinations can be ranked by."""
    return {metric.name: metric for metric in metrics() if metric.ranks}


def patient_rates() -> dict[str, Rate]:
    """Name -> rate, of the metrics that tables of patients hold by each rule, each patient counting once."""
    rates = {metric.name: metric.source for metric in overall_metrics() if not metric.of_patients}
    return {name: source for name, source in rates.items() if isinstance(source, Rate)}


def metric_of(column: str) -> Metric:
    """The metric of a column such as ``mcc`` or ``sensitivity[Pro]``.

    One that a plug-in computed which is not installed here is a number, and known by its name.
    """
    name = column.partition("[")[0]
    for metric in metrics():
        if metric.name == name:
            return metric
    return Metric(name, name.replace("_", " "), FromCounts(lambda counts: np.full(counts.shape[:-2], np.nan)), "number")

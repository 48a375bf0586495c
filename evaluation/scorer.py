"""Metrics of predictions: what is summed over images, and what follows from the sums."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .metric import Floats, FromAreas, FromCounts, FromProbabilities, Integers, Metric, Rate, ratio
from .metrics import metrics_of
from .statistics.ranking import FoldAreas


class Scorer:
    """Metrics of images in some classes, vectorised over resamples, folds or whatever the leading axes are.

    Parameters
    ----------
    classes : sequence of str, length K
    chosen : sequence of Metric, optional
        By default all metrics of images.

    Attributes
    ----------
    columns : list of str
        Of every metric, in the order of the tables.
    """

    def __init__(self, classes: Sequence[str], chosen: Sequence[Metric] | None = None) -> None:
        self.classes = tuple(classes)
        self.metrics = tuple(metrics_of(patients=False) if chosen is None else chosen)
        self.columns = [column for metric in self.metrics for column in metric.columns(self.classes)]
        self._places: dict[str, slice] = {}
        width = len(self.classes) ** 2
        for metric in self.metrics:
            if isinstance(metric.source, FromProbabilities):
                self._places[metric.name] = slice(width, width + metric.source.sums)
                width += metric.source.sums

    def tally(self, labels: Integers, probabilities: Floats, places: Integers, count: int) -> Floats:
        """Sums over the images of each place (a group, or a fold), from which metrics follow.

        Parameters
        ----------
        labels : ndarray of int64, shape (n,)
        probabilities : ndarray of float64, shape (n, K)
            The predicted class is the most probable one, the first of equals.
        places : ndarray of int64, shape (n,)
            From 0 to ``count - 1``.
        count : int

        Returns
        -------
        ndarray of float64, shape (count, K * K + sums)
            Confusion counts (true class by row), and the sums of each metric of probabilities.
        """
        size = len(self.classes)
        cells = (places * size + labels) * size + probabilities.argmax(axis=1)
        blocks = [np.bincount(cells, minlength=count * size**2).reshape(count, -1)]
        for metric in self.metrics:
            if isinstance(source := metric.source, FromProbabilities):
                column, value = source.contributions(labels, probabilities)
                sums = np.bincount(places * source.sums + column, value, minlength=count * source.sums)
                blocks.append(sums.reshape(count, -1))
        return np.column_stack(blocks).astype(np.float64)

    def counts(self, sums: Floats) -> Floats:
        """Confusion counts of a tally, shape (..., K, K)."""
        size = len(self.classes)
        return sums[..., : size**2].reshape(*sums.shape[:-1], size, size)

    def columns_for(self, metric: Metric, tally: Floats) -> Floats:
        """The columns of a tally that come up to those that `metric` is computed from."""
        return tally[..., : self._places[metric.name].stop if metric.name in self._places else len(self.classes) ** 2]

    def value(self, metric: Metric, sums: Floats) -> Floats:
        """One metric from sums of the rows of a tally, shape (...), or (..., K) by class; NaN where it is not defined.

        One of areas has no value from sums: it is NaN.
        """
        source, counts = metric.source, self.counts(sums)
        if isinstance(source, FromProbabilities):
            return source.combine(sums[..., self._places[metric.name]], counts.sum(axis=(-2, -1)))
        return of_counts(metric, counts)

    def by_chance(self, sums: Floats, whole: Floats) -> dict[str, Floats]:
        """Metrics whose lower limit is less chance, as if the images' own sums were 0: what chance does, shape (...).

        Parameters
        ----------
        sums, whole : ndarray of float64, shape (..., columns of a tally)
            Of resamples, and of all images.
        """
        total = self.counts(sums).sum(axis=(-2, -1))
        values: dict[str, Floats] = {}
        for metric in self.metrics:
            source = metric.source
            if isinstance(source, FromProbabilities) and source.interval == "less chance":
                place = self._places[metric.name]
                expected = whole[..., place] * (total / self.counts(whole).sum(axis=(-2, -1)))[..., None]
                values[metric.name] = source.combine(sums[..., place] - expected, total)
        return values

    def pooled_scores(self, sums: Floats, areas: Floats | None = None) -> dict[str, Floats]:
        """Every column from sums of the rows of a tally, shape (...).

        Parameters
        ----------
        sums : ndarray of float64, shape (..., columns of a tally)
        areas : ndarray of float64, shape (folds, K, r), optional
            See `FoldAreas`, where ``...`` is r; metrics of areas are NaN without.

        References
        ----------
        Forman, Scholz: Apples-to-apples in cross-validation studies. SIGKDD Explorations 12 (2010) 49-57.
        """
        values: dict[str, Floats] = {}
        for metric in self.metrics:
            if areas is not None and isinstance(metric.source, FromAreas):
                values[metric.name] = metric.source.compute(areas)
                continue
            value = self.value(metric, sums)
            rows = np.moveaxis(value, -1, 0) if metric.by_class else [value]
            values |= dict(zip(metric.columns(self.classes), rows, strict=True))
        return values

    def score(self, labels: Integers, probabilities: Floats, folds: Integers | None = None) -> dict[str, float]:
        """Every column of one fold, or of several; NaN where a class that the metric needs is absent.

        Parameters
        ----------
        labels : ndarray of int, shape (n,)
        probabilities : ndarray of float64, shape (n, K)
        folds : ndarray of int, shape (n,), optional
            That test each image: areas under ROC curves are those of each fold.
        """
        nowhere = np.zeros(len(labels), dtype=np.int64)
        areas = None
        if any(isinstance(metric.source, FromAreas) for metric in self.metrics):
            places = nowhere if folds is None else folds
            areas = FoldAreas(labels, probabilities, places, nowhere, 1)(np.ones((1, 1)))
        values = self.pooled_scores(self.tally(labels, probabilities, nowhere, 1), areas)
        return {column: float(value[0]) for column, value in values.items()}


def of_counts(metric: Metric, counts: Floats) -> Floats:
    """A metric from confusion counts, shape (..., K, K): shape (...), or (..., K) by class; NaN if it needs more."""
    if isinstance(metric.source, Rate):
        rates = ratio(*metric.source.parts(counts))
        return rates if metric.by_class else rates.mean(axis=-1)
    return (
        metric.source.compute(counts) if isinstance(metric.source, FromCounts) else np.full(counts.shape[:-2], np.nan)
    )

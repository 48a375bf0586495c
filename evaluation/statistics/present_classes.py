"""Metrics of images that lack some classes of a model: their means go over the classes that there are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ..metric import Floats, FromAreas, Metric, Rate

Flags = NDArray[np.bool_]


def over_present(metrics: Sequence[Metric], present: Flags) -> list[Metric]:
    """The same metrics, as means over the classes of which there are images.

    An image that is taken for a class of which there are none is wrong, as it is for any other wrong class. Metrics by
    class, and metrics of counts such as the macro F1, stay as they are: what they need of an absent class is undefined.

    Parameters
    ----------
    metrics : sequence of Metric
    present : ndarray of bool, shape (K,)
        Classes of which there are images.
    """
    return list(metrics) if present.all() else [_over(metric, present) for metric in metrics]


def _over(metric: Metric, present: Flags) -> Metric:
    source = metric.source
    if isinstance(source, FromAreas):
        areas = source.compute
        return replace(metric, source=FromAreas(lambda values: areas(values[:, present])))
    if isinstance(source, Rate) and not metric.by_class:
        return replace(metric, source=Rate(_parts_of(source, present)))
    return metric


def _parts_of(source: Rate, present: Flags) -> Callable[[Floats], tuple[Floats, Floats]]:
    def parts(counts: Floats) -> tuple[Floats, Floats]:
        hits, images = source.parts(counts)
        one_a_class = hits.shape[-1] == len(present)
        return (hits[..., present], images[..., present]) if one_a_class else (hits, images)

    return parts

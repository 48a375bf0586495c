"""What a bundle keeps of its training: out-of-fold predictions and quantiles of measurements, and no image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..evaluation.statistics.shifts import Quantiles
from .container import Contents, arrays

CALIBRATION, MEASUREMENTS = "calibration.npz", "measurements.npz"


@dataclass(frozen=True)
class TrainingFacts:
    """Of the training images.

    Attributes
    ----------
    image_ids : frozenset of str
    labels, groups : ndarray of int64, shape (n,)
    folds : ndarray of int64, shape (n,), optional
        None in a bundle that an earlier leukobench made.
    probabilities : ndarray of float64, shape (n, K), optional
        Out-of-fold, at the bundle's temperature.
    quantiles : Quantiles, optional
        Of colour, sharpness and size, by class.
    """

    image_ids: frozenset[str]
    labels: NDArray[np.int64]
    groups: NDArray[np.int64]
    folds: NDArray[np.int64] | None
    probabilities: NDArray[np.float64] | None
    quantiles: Quantiles | None

    @classmethod
    def of(cls, contents: Contents) -> TrainingFacts:
        """From a bundle's files.

        Raises
        ------
        ValueError
            They do not fit together.
        """
        stored = arrays(contents.file(CALIBRATION))
        complete = "probabilities" in stored and "folds" in stored
        probabilities, folds = (stored["probabilities"], stored["folds"]) if complete else (None, None)
        labels, groups = stored["labels"], stored["groups"].astype(np.int64)
        size = len(contents.manifest["classes"])
        if probabilities is not None and folds is not None:
            shapes = probabilities.shape == (len(labels), size) and folds.shape == labels.shape
            if not shapes or not np.isfinite(probabilities).all() or folds.dtype.kind not in "iu":
                raise ValueError("the out-of-fold predictions do not fit together")
        return cls(
            frozenset(stored["image_ids"].tolist()), labels, groups, folds, probabilities, _quantiles(contents, size)
        )


def quantile_arrays(quantiles: Quantiles) -> dict[str, NDArray[Any]]:
    """What is stored of them."""
    return {"names": np.array(quantiles.names), "values": quantiles.values, "groups": quantiles.groups}


def _quantiles(contents: Contents, classes: int) -> Quantiles | None:
    if MEASUREMENTS not in contents.files:
        return None
    stored = arrays(contents.file(MEASUREMENTS))
    names, values, groups = stored["names"], stored["values"], stored["groups"]
    if values.ndim != 3 or values.shape[:2] != (len(names), classes) or groups.shape != (classes,):
        raise ValueError("the quantiles of the measurements do not fit together")
    return Quantiles(tuple(map(str, names.tolist())), values.astype(np.float64), groups.astype(np.int64))

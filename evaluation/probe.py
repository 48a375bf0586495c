"""Probe: whether a method of the user's own says of an image what only the other tested images can have told it."""

from __future__ import annotations

import contextlib
import json
import random
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..storage import write_text
from .guards import leaks_into
from .methods import fit_arguments

_CLASSES, _OF_A_CLASS, _FEATURES = 3, 24, 256
"""Rows that are drawn, three quarters of them for training; as many features as a selector may want."""
UNSTEADY = "the predictions differ from one fit to the next on the same images with the same seeds"


def probe(estimator: Any, target: Path, begin: Callable[[str], None]) -> None:
    """Fit and use a selector or classifier on drawn numbers, and write as JSON what leaks into it.

    Parameters
    ----------
    estimator : scikit-learn estimator
        Unfitted. What fails on drawn numbers gets no finding: its own fits will say why.
    target : Path
        Gets a list of sentences, as `leaks_into` gives them; or `UNSTEADY` alone.
    begin : callable
        Called once, with ``"probe"``.
    """
    begin("probe")
    with warnings.catch_warnings(), contextlib.suppress(OSError):
        warnings.simplefilter("ignore")
        write_text(target, json.dumps(_findings(estimator)))


def _findings(estimator: Any) -> list[str]:
    rng = np.random.default_rng(0)
    labels = np.tile(np.arange(_CLASSES), _OF_A_CLASS)
    features = rng.normal(size=(len(labels), _FEATURES)) + labels[:, None] * (np.arange(_FEATURES) < _CLASSES)
    tested = np.arange(len(labels)) % 4 == 3
    sides = np.flatnonzero(~tested), np.flatnonzero(tested)

    def fit_predict(
        X: NDArray[Any], y: NDArray[np.int64], train: NDArray[np.int64], test: NDArray[np.int64]
    ) -> NDArray[Any]:
        return _fit_predict(estimator, X[train], y[train], train // 2, X[test])

    try:
        first, second = (fit_predict(features, labels, *sides) for _ in range(2))
        if first.shape != second.shape or not np.allclose(first, second, rtol=0, atol=1e-9):
            return [UNSTEADY]
        return leaks_into(fit_predict, features, labels, *sides)
    except (Exception, SystemExit):
        return []


def _fit_predict(
    estimator: Any, X: NDArray[Any], y: NDArray[np.int64], groups: NDArray[np.int64], new: NDArray[Any]
) -> NDArray[Any]:
    """What a fresh copy says of new rows, fitted under fixed seeds of the global generators."""
    from sklearn.base import clone

    random.seed(0)
    np.random.seed(0)
    fresh = clone(estimator)
    fitted = fresh.fit(X, y, **fit_arguments(fresh, {"groups": groups}))
    for name in ("transform", "predict_proba", "decision_function", "predict"):
        if hasattr(fitted, name):
            return np.asarray(getattr(fitted, name)(new), dtype=np.float64).reshape(len(new), -1)
    raise TypeError(type(fitted).__name__)

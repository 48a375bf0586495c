"""Calibration: probabilities fitted on grouped inner folds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from numpy.typing import NDArray

STORED_TYPES = (
    "sklearn.calibration.CalibratedClassifierCV",
    "sklearn.calibration._CalibratedClassifier",
    "sklearn.calibration._SigmoidCalibration",
    "sklearn.calibration._TemperatureScaling",
    "sklearn.isotonic.IsotonicRegression",
)
"""Types that a bundle holds of a calibrated classifier."""


def calibrate(estimator: Any, method: str, splits: Sequence[tuple[NDArray[Any], NDArray[Any]]]) -> Any:
    """An estimator with calibrated probabilities: `estimator` fitted on everything, its calibrator on inner folds."""
    from sklearn.calibration import CalibratedClassifierCV

    return CalibratedClassifierCV(estimator, method=method, cv=list(splits), ensemble=False)

"""The predictions of a second run of the same experiment, beside those that are verified: were they made up?"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..errors import ConfigurationError
from .compared_tables import Check, Mismatch, joined
from .prediction_file import PredictionFile
from .stored_results import StoredResults

RERUN, CLOSE = "predictions of the second run", 1e-3
"""Probabilities from here on are another prediction: engines and libraries of another machine move them by less."""
_FILE = "predictions.parquet"


def check_rerun(stored: StoredResults, path: Path) -> Check:
    """Compare every probability with that of a run that was computed anew, image by image.

    Raises
    ------
    ConfigurationError
        The second run has other images or other folds.
    """
    again = StoredResults.open(path)
    images = [one.images["image_id"].tolist() if one.names_images else [] for one in (stored, again)]
    same = images[0] == images[1] and np.array_equal(stored.fold_numbers, again.fold_numbers)
    if not images[0] or not same or stored.task.classes != again.task.classes:
        raise ConfigurationError(
            f"{path} is no second run of {stored.folder}.",
            expected="the same images, labels and folds",
            received=f"{len(images[0]):,} images, and {len(images[1]):,}"
            if len(images[0]) != len(images[1])
            else "others",
            fix="run its experiment.yaml on the same images, under another name.",
        )
    files = [PredictionFile(one.folder / _FILE) for one in (stored, again)]
    names = [{key for key, _ in file.combinations} for file in files]
    common = [key for key, _ in files[0].combinations if key in names[1]]
    lost = [" x ".join(key) for key in sorted(names[0] - names[1])]
    absent = tuple(Mismatch(_FILE, name, "", "predictions", "none in the second run") for name in lost[:5])
    checks = [
        _compare(
            " x ".join(key),
            *(file.probabilities(key, stored.task.classes, stored.fold_numbers.shape) for file in files),
        )
        for key in common
    ]
    return joined(RERUN, [Check(RERUN, len(lost), len(lost), mismatches=absent), *checks])


def _compare(title: str, first: np.ndarray, second: np.ndarray) -> Check:
    gaps = np.abs(first - second)
    wrong = np.argwhere(~(gaps <= CLOSE))
    named = []
    for repeat, row, column in wrong[:5].tolist():
        values = (f"{array[repeat, row, column]:.6f}" for array in (first, second))
        named.append(Mismatch(_FILE, title, f"row {row} of repeat {repeat}, class {column}", *values))
    return Check(title, gaps.size, len(wrong), float(np.nanmax(gaps, initial=0.0)), tuple(named))

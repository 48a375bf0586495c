"""Name engines: the library that fitted each row of the leaderboard."""

from __future__ import annotations

from typing import Any

from ..evaluation.combination_names import Names
from ..evaluation.grid import Grid

ONEDAL, SCIKIT_LEARN = "oneDAL", "scikit-learn"


def engines(grid: Grid) -> dict[Names, str]:
    """Names of each row -> what fitted it; the selector's engine stands beside where that is oneDAL alone.

    Which libraries are installed is a part of the identity of every record: what is named here fitted those of earlier
    runs, too.
    """
    named = {}
    for row in grid.combinations():
        classifier, selector = engine_of(row.classifier.estimator), engine_of(row.selector.estimator)
        named[row.labels] = f"{classifier}; selector {ONEDAL}" if selector == ONEDAL != classifier else classifier
    return named


def engine_of(estimator: Any) -> str:
    """Library that fits an estimator: that of the last step of a pipeline."""
    from ..classifiers.boosting import XGBoost
    from ..classifiers.cnns.network_classifier import NetworkClassifier
    from ..classifiers.forest import RandomForest, onedal_installed
    from ..selection.forest import Forest

    if steps := getattr(estimator, "steps", None):
        return engine_of(steps[-1][1])
    if isinstance(estimator, RandomForest | Forest):
        other = getattr(estimator, "class_weight", None) == "balanced_subsample"
        return ONEDAL if estimator.engine != "scikit-learn" and onedal_installed() and not other else SCIKIT_LEARN
    if isinstance(estimator, XGBoost):
        return "XGBoost"
    if isinstance(estimator, NetworkClassifier):
        return "Keras"
    package = type(estimator).__module__.partition(".")[0]
    return SCIKIT_LEARN if package in ("sklearn", "leukobench") else package

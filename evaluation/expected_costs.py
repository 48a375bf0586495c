"""Expected costs: the order in which combinations are fitted where the time may not suffice for all of them."""

from __future__ import annotations

import math

from .methods import Method

_SELECTING = {"none": 0.0, "anova": 0.2, "lasso": 0.6, "rfe": 0.9, "forest": 1.0, "pca": 1.0}
_FITTING = {
    "knn": 0.03,
    "naive_bayes": 0.03,
    "lda": 0.1,
    "logistic_regression": 0.2,
    "svm_rbf": 0.4,
    "svm_linear_primal": 0.5,
    "svm_rbf_nystroem": 0.5,
    "svm_linear": 0.6,
    "random_forest": 0.6,
    "xgboost": 0.7,
    "linear_probe": 2.0,
    "dense_head": 10.0,
}
"""Seconds of a fold with 2,605 training images and about 200 features, from the published run on the ALL images."""
_FEATURES = 200


def expected_seconds(width: int, selector: Method, classifier: Method) -> float:
    """What a combination may cost in a fold, fixed before anything is fitted; infinite for methods of the user's own.

    Parameters
    ----------
    width : int
        Features of the extractor.
    selector, classifier : Method
    """
    names = str(selector.identity["name"]), str(classifier.identity["name"])
    kept = width if names[0] == "none" else min(width, _FEATURES)
    fitting = _FITTING.get(names[1], math.inf) * max(1.0, kept / _FEATURES)
    return _SELECTING.get(names[0], math.inf) + fitting

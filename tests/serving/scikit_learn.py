"""scikit-learn's classifiers and transformers, fitted to a few numbers."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
from sklearn.base import is_classifier
from sklearn.linear_model import LogisticRegression
from sklearn.utils import all_estimators

PARAMETERS: dict[str, dict[str, Any]] = {
    "BaggingClassifier": {"n_estimators": 2},
    "CCA": {"n_components": 1},
    "CategoricalNB": {"min_categories": 9},
    "ExtraTreesClassifier": {"n_estimators": 3},
    "FeatureUnion": {"transformer_list": [("a", LogisticRegression())]},
    "GaussianRandomProjection": {"n_components": 3},
    "GradientBoostingClassifier": {"n_estimators": 3},
    "HistGradientBoostingClassifier": {"max_iter": 3, "min_samples_leaf": 5},
    "KBinsDiscretizer": {"encode": "ordinal"},
    "MLPClassifier": {"hidden_layer_sizes": (4,), "max_iter": 400},
    "PLSCanonical": {"n_components": 1},
    "PLSSVD": {"n_components": 1},
    "RadiusNeighborsClassifier": {"radius": 9.0},
    "RandomForestClassifier": {"n_estimators": 3},
    "SparseRandomProjection": {"n_components": 3},
    "VotingClassifier": {"voting": "soft"},
}
FAMILIES = {name: (cls, family) for family in ("transformer", "classifier") for name, cls in all_estimators(family)}


def numbers(classes: int = 3, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """60 images of 8 features above 0."""
    X, y = np.abs(np.random.default_rng(seed).normal(size=(60, 8))), np.arange(60) % classes
    X[np.arange(60), y] += 2
    return X, y


def fitted(name: str, classes: int = 3) -> Any:
    """The estimator of this name."""
    cls = FAMILIES[name][0]
    signature, parameters = inspect.signature(cls).parameters, dict(PARAMETERS.get(name, {}))
    if "estimators" in signature:
        parameters["estimators"] = [("a", LogisticRegression()), ("b", LogisticRegression(C=2.0))]
    elif "estimator" in signature and signature["estimator"].default is inspect.Parameter.empty:
        parameters["estimator"] = LogisticRegression()
    return cls(**parameters).fit(*numbers(classes))


def outputs(estimator: Any) -> list[np.ndarray]:
    """All that it says of new images."""
    X = numbers(seed=1)[0]
    methods = ("predict_proba", "decision_function", "predict") if is_classifier(estimator) else ()
    return [getattr(estimator, name)(X) for name in (*methods, "transform") if hasattr(estimator, name)]

"""Search spaces: which parameters of a classifier are tried, and with which values, the default among them first."""

from __future__ import annotations

from typing import Any

SEARCH_SPACES: dict[str, dict[str, list[Any]]] = {
    "svm_linear": {"C": [1.0, 0.01, 0.1, 10.0]},
    "svm_rbf": {"C": [10.0, 1.0, 100.0], "gamma": ["scale", 0.001, 0.01]},
    "svm_linear_primal": {"C": [1.0, 0.01, 0.1, 10.0]},
    "svm_rbf_nystroem": {"C": [10.0, 1.0, 100.0], "gamma": ["scale", 0.001, 0.01]},
    "random_forest": {"max_features": ["sqrt", 0.1], "min_samples_leaf": [1, 3]},
    "xgboost": {"max_depth": [3, 2, 5], "learning_rate": [0.2, 0.1]},
    "naive_bayes": {"var_smoothing": [1e-3, 1e-5, 1e-1]},
    "knn": {"n_neighbors": [5, 1, 15], "weights": ["uniform", "distance"]},
    "logistic_regression": {"C": [1.0, 0.01, 0.1, 10.0]},
    "lda": {"shrinkage": ["auto", 0.05, 0.5]},
    "dense_head": {"hidden": [128, 0], "learning_rate": [1e-3, 3e-3]},
}

WITHOUT_SPACE = {"linear_probe": "a published protocol, with its penalty given by the numbers of features and classes"}

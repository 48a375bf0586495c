"""Search spaces: which parameters of a selector are tried, and with which values, the default among them first."""

from __future__ import annotations

from typing import Any

_NUMBERS = [200, 50, 100, 400]

SEARCH_SPACES: dict[str, dict[str, list[Any]]] = {
    "anova": {"n_features": _NUMBERS},
    "rfe": {"n_features": _NUMBERS},
    "lasso": {"n_features": _NUMBERS},
    "forest": {"n_features": _NUMBERS},
    "pca": {"n_components": [0.95, 20, 50, 0.99]},
}

WITHOUT_SPACE = {"none": "there is nothing to choose"}

"""Nearest neighbours."""

from __future__ import annotations

from typing import Any

from sklearn.neighbors import KNeighborsClassifier

from ..registry import declares
from .scaling import SCALED, add_scaling


@declares(
    search_space={"n_neighbors": [5, 1, 15], "weights": ["uniform", "distance"]},
    stored_types=("sklearn.neighbors._classification.KNeighborsClassifier", *SCALED),
)
def knn(
    *,
    n_neighbors: int = 5,
    weights: str = "uniform",
    metric: str = "minkowski",
    scale: bool = False,
    n_jobs: int | None = None,
) -> Any:
    """Nearest neighbours.

    Not scaled by default: on pooled network features, standardising costs accuracy (93.6 instead of 97.9 % on the
    average-pooled features of the ALL images, one fold), since it blows up nearly constant channels.

    Parameters
    ----------
    n_neighbors : int
    weights : {"uniform", "distance"}
    metric : str
        A distance of scikit-learn: "minkowski" (Euclidean), "cosine", "manhattan", ...
    scale : bool
        Standardise the features first.
    n_jobs : int, optional

    References
    ----------
    T. Cover, P. Hart, Nearest Neighbor Pattern Classification, IEEE Trans. Inf. Theory 13, 1967.
    """
    return add_scaling(KNeighborsClassifier(n_neighbors, weights=weights, metric=metric, n_jobs=n_jobs), scale)

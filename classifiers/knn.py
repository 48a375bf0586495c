"""k nearest neighbours."""

from __future__ import annotations

from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline

from .scaling import scaled


def knn(
    *, n_neighbors: int = 5, metric: str = "euclidean", weights: str = "uniform", scale: bool = False
) -> KNeighborsClassifier | Pipeline:
    """Return the vote of the nearest training images. It knows no class weights.

    Parameters
    ----------
    n_neighbors : int, default=5
        How many images vote; at most the number of training images.
    metric : str, default="euclidean"
        Distance between feature vectors, such as "euclidean" or "cosine".
    weights : {"uniform", "distance"}, default="uniform"
        Whether nearer images count more.
    scale : bool, default=False
        Standardise the features. Off, because distances would then be ruled by nearly constant channels and, after
        PCA, by the smallest components.

    References
    ----------
    T. Cover, P. Hart, Nearest Neighbor Pattern Classification, IEEE Transactions on Information Theory 13, 1967.
    """
    return scaled(KNeighborsClassifier(n_neighbors, metric=metric, weights=weights), scale)

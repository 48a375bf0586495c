"""A small classification problem."""

from __future__ import annotations

import numpy as np
from sklearn.datasets import make_classification


def problem(seed: int, images: int = 90, features: int = 24, classes: int = 3) -> tuple[np.ndarray, np.ndarray]:
    X, y = make_classification(
        images, features, n_informative=6, n_redundant=4, n_classes=classes, n_clusters_per_class=1, random_state=seed
    )
    return X, y

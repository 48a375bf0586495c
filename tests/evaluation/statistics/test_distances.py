"""Distances to the training images are those of scikit-learn's neighbours, fold by fold."""

from __future__ import annotations

import numpy as np
from sklearn.neighbors import NearestNeighbors

from leukobench.evaluation.folds import make_folds
from leukobench.evaluation.statistics.distances import distances_to_training
from leukobench.evaluation.task import Task


def test_the_fifth_nearest_training_image_of_the_first_repeat() -> None:
    rng = np.random.default_rng(2)
    features, weight = rng.normal(size=(90, 7)).astype(np.float32), rng.random(7).astype(np.float32)
    task = Task.of([f"{row:02d}" for row in range(90)], ["ab"[row % 2] for row in range(90)], list(range(90)))
    folds = make_folds(task, 3, 2, 0)
    expected = np.full(90, np.nan)
    for fold in folds[:3]:
        neighbours = NearestNeighbors(n_neighbors=5).fit(features[fold.train] * weight)
        expected[fold.test] = neighbours.kneighbors(features[fold.test] * weight)[0][:, -1]
    np.testing.assert_allclose(distances_to_training(features, folds, weight), expected, rtol=1e-4)

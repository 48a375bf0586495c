from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from leukobench.evaluation.metrics import macro_over_folds
from leukobench.evaluation.statistics.ranking import FoldAreas


def drawn(seed: int, decimals: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Labels, scores with equals among them, groups, and folds that keep groups together."""
    rng = np.random.default_rng(seed)
    groups = rng.integers(0, 15, 90)
    labels = rng.integers(0, 3, 90)
    scores = rng.dirichlet(np.ones(3), 90)
    scores[np.arange(90), labels] += rng.choice([0.0, 0.5, 2.0])
    return labels, scores.round(decimals), groups, groups % 2


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 10_000), decimals=st.sampled_from([1, 2, 8]))
def test_resampled_areas_equal_scikit_learns_weighted_ones(seed: int, decimals: int) -> None:
    labels, scores, groups, folds = drawn(seed, decimals)
    weights = np.random.default_rng(seed).integers(0, 4, (15, 3)).astype(float)
    found = FoldAreas(labels, scores, folds, groups, 15)(weights)
    for fold in range(2):
        rows = folds == fold
        for column in range(3):
            for draw in range(3):
                own = weights[groups[rows], draw]
                present = labels[rows][own > 0] == column
                value = found[fold, column, draw]
                if present.all() or not present.any():
                    assert np.isnan(value)
                else:
                    area = roc_auc_score(labels[rows] == column, scores[rows, column], sample_weight=own)
                    assert value == pytest.approx(area)


def test_a_class_that_a_fold_lacks_counts_in_the_other_folds_only() -> None:
    areas = np.array([[0.8, np.nan], [0.6, 1.0]])[..., None]
    assert macro_over_folds(areas)[0] == pytest.approx((0.7 + 1.0) / 2)

"""The map of features against scikit-learn's PCA."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler

from leukobench.runs.folder import RunFolder
from leukobench.steps.map_features import feature_map, write_feature_map


def features(count: int) -> np.ndarray:
    rng = np.random.default_rng(3)
    mixed = rng.normal(size=(count, 4)) @ np.diag([5.0, 3.0, 0.3, 0.2]) @ rng.normal(size=(4, 12))
    return np.column_stack([mixed, np.ones(count)]).astype(np.float32)


def test_places_and_shares_are_those_of_a_full_decomposition() -> None:
    values = features(80)
    table = feature_map(values)
    full = PCA(n_components=2, svd_solver="full").fit(StandardScaler().fit_transform(values.astype(np.float64)))
    expected = full.transform(StandardScaler().fit_transform(values.astype(np.float64)))
    for column, axis in (("x", 0), ("y", 1)):
        same = np.corrcoef(table[column], expected[:, axis])[0, 1]
        assert abs(same) == pytest.approx(1, abs=1e-4)
    np.testing.assert_allclose(table[["share_x", "share_y"]].iloc[0], full.explained_variance_ratio_, rtol=1e-3)


def test_a_sample_is_the_same_every_time_and_in_order(tmp_path: Path) -> None:
    values = features(2100)
    first, second = feature_map(values), feature_map(values)
    pd.testing.assert_frame_equal(first, second)
    assert len(first) == 2000
    assert first["row"].is_monotonic_increasing
    write_feature_map(values[:1], RunFolder(tmp_path))
    assert not list(tmp_path.iterdir()), "one image has no map"

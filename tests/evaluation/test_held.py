"""Large matrices stay on disk, and nothing that is computed from them depends on that."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn.decomposition import PCA

from leukobench.evaluation import held
from leukobench.evaluation.records import RecordStore
from leukobench.evaluation.scheduling import run_grid
from leukobench.registry import Registry
from leukobench.selection import SELECTORS

from ..in_process import InProcess
from .test_runner import make_grid, registries

__all__ = ["registries"]


@pytest.fixture
def matrix(tmp_path: Path) -> np.ndarray:
    values = np.random.default_rng(0).normal(size=(9000, 6)).astype(np.float32)
    values[:, 2] = 1
    np.save(tmp_path / "matrix.npy", values)
    return np.load(tmp_path / "matrix.npy", mmap_mode="r")


def test_rows_and_columns_are_those_of_the_matrix(matrix: np.ndarray) -> None:
    rows, columns = np.random.default_rng(1).permutation(9000)[:5000], np.array([4, 1])
    part = held.OnDisk(matrix, rows, columns)
    assert part.shape == (len(part), 2) == (5000, 2)
    assert part.values().dtype == np.float64
    assert np.array_equal(part.values(), matrix[rows][:, columns])


def test_small_matrices_are_held(matrix: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = np.arange(10)
    assert np.array_equal(held.held(matrix, rows), matrix[:10])
    monkeypatch.setattr(held, "_LARGE_BYTES", 1000)
    part = held.held(matrix, rows)
    assert isinstance(part, held.OnDisk)
    assert np.array_equal(held.values_of(part), matrix[:10])


def test_columns_stay_on_disk_and_new_features_do_not(matrix: np.ndarray) -> None:
    part = held.OnDisk(matrix, np.arange(100))
    selector = SELECTORS.get("none")().fit(part.values())
    columns = held.reduced(part, part.values(), selector)
    assert isinstance(columns, held.OnDisk)
    assert np.array_equal(columns.values(), selector.transform(part.values()))
    components = held.reduced(part, part.values(), PCA(2).fit(part.values()))
    assert isinstance(components, np.ndarray)
    assert components.shape == (100, 2)


def test_records_are_the_same_but_for_rounding(
    tmp_path: Path, registries: tuple[Registry, Registry], monkeypatch: pytest.MonkeyPatch
) -> None:
    grid = make_grid(tmp_path, registries, ["bayes", "tree"], ("anova", "none"))
    probabilities = []
    for folder, most in (("held", 1e9), ("on_disk", 1)):
        monkeypatch.setattr(held, "_LARGE_BYTES", most)
        store = RecordStore(tmp_path / folder)
        run_grid(grid, store, InProcess())
        records = [store.read(grid.key(one, fold)) for one in grid.combinations() for fold in grid.folds]
        probabilities.append([record.probabilities for record in records])
    assert len(probabilities[0]) == 16
    assert all(np.allclose(*pair, rtol=1e-9, atol=1e-12) for pair in zip(*probabilities, strict=True))

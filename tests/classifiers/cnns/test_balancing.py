"""Balancing against imbalanced-learn and scikit-learn."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from imblearn.over_sampling import SMOTE, RandomOverSampler
from sklearn.neighbors import NearestNeighbors
from sklearn.utils.class_weight import compute_class_weight

from leukobench.classifiers.cnns import balancing
from leukobench.classifiers.cnns.balancing import balanced_examples, nearest

RNG = np.random.default_rng(5)
LABELS = np.repeat([0, 1, 2], [40, 25, 9])
IMAGES = RNG.integers(0, 256, (len(LABELS), 6, 5, 3), dtype=np.uint8)


def as_set(rows: np.ndarray, labels: np.ndarray) -> list[tuple[Any, ...]]:
    return sorted(
        (int(label), *np.round(row, 3)) for row, label in zip(rows.reshape(len(rows), -1), labels, strict=True)
    )


@pytest.mark.parametrize(("name", "sampler"), [("smote", SMOTE), ("random", RandomOverSampler)])
@pytest.mark.parametrize("seed", [0, 7])
def test_oversampling_makes_what_imbalanced_learn_makes(name: str, sampler: Any, seed: int) -> None:
    flat = IMAGES.reshape(len(IMAGES), -1).astype(np.float64)
    expected, labels = sampler(random_state=seed).fit_resample(flat, LABELS)
    examples = balanced_examples(IMAGES, LABELS, np.arange(len(LABELS)), name, seed=seed)
    made = examples.batch(IMAGES, np.arange(len(examples)))
    assert np.bincount(examples.labels).tolist() == [40, 40, 40]
    assert made.dtype == np.float32
    np.testing.assert_allclose(as_set(made, examples.labels), as_set(expected, labels), atol=2e-3)


def test_only_the_rows_that_may_be_trained_on_take_part() -> None:
    rows = np.concatenate([np.arange(30), np.arange(40, 60), np.arange(66, 74)])
    examples = balanced_examples(IMAGES, LABELS, rows, "smote")
    assert set(examples.first) | set(examples.second) == set(rows)


@pytest.mark.parametrize("step", [1, 4, 1000])
def test_neighbours_are_those_of_scikit_learn_for_any_size_of_blocks(
    step: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(balancing, "_BLOCK_BYTES", step * 8 * 90)
    members = np.flatnonzero(LABELS == 1)
    flat = IMAGES[members].reshape(len(members), -1).astype(float)
    expected = NearestNeighbors(n_neighbors=6).fit(flat).kneighbors(flat, return_distance=False)[:, 1:]
    np.testing.assert_array_equal(nearest(IMAGES, members, 5), expected)


def test_class_weights_are_those_of_scikit_learn() -> None:
    examples = balanced_examples(IMAGES, LABELS, np.arange(len(LABELS)), class_weight="balanced")
    expected = compute_class_weight("balanced", classes=np.arange(3), y=LABELS)
    np.testing.assert_allclose(examples.weights, expected[LABELS], rtol=1e-6)
    given = balanced_examples(IMAGES, LABELS, np.arange(len(LABELS)), class_weight={0: 2.0})
    np.testing.assert_array_equal(given.weights, np.where(LABELS == 0, 2.0, 1.0))


@pytest.mark.parametrize("members", [1, 2, 5])
def test_a_small_class_has_fewer_neighbours(members: int) -> None:
    labels = np.repeat([0, 1, 2], [10, members, 8])
    inputs = np.arange(len(labels), dtype=np.float32)[:, None] ** 1.5
    examples = balanced_examples(inputs, labels, np.arange(len(labels)), "smote")
    assert np.bincount(examples.labels).tolist() == [10, 10, 10]
    drawn = examples.batch(inputs, np.flatnonzero(examples.labels == 1))
    assert inputs[labels == 1].min() <= drawn.min() <= drawn.max() <= inputs[labels == 1].max()


@given(st.lists(st.integers(1, 12), min_size=2, max_size=4), st.integers(0, 99))
def test_repeating_brings_every_class_to_the_size_of_the_largest(counts: list[int], seed: int) -> None:
    labels = np.repeat(np.arange(len(counts)), counts)
    inputs = np.arange(len(labels), dtype=np.float32)[:, None]
    examples = balanced_examples(inputs, labels, np.arange(len(labels)), "random", seed=seed)
    assert np.bincount(examples.labels).tolist() == [max(counts)] * len(counts)
    assert (labels[examples.first] == examples.labels).all()
    assert set(range(len(labels))) <= set(examples.first)

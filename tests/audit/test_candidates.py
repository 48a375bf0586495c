"""Candidates: the nearest by fingerprint, compared with a plain computation, and images of equal checksums."""

from __future__ import annotations

import numpy as np
import pytest

from leukobench.audit import candidates
from leukobench.audit.candidates import EVERY, LEAST, NEAREST, candidate_pairs
from leukobench.images.fingerprint import CHECKSUMS


def fingerprints(seed: int, bases: int, each: int, noise: float = 0.5) -> np.ndarray:
    """Families of similar vectors, which have something in common, with checksums of their own."""
    rng = np.random.default_rng(seed)
    middles = np.repeat(rng.normal(size=(bases, 300)) + rng.normal(size=300), each, axis=0)
    vectors = middles + noise * rng.normal(size=middles.shape)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.column_stack([rng.permutation(len(vectors)), np.zeros(len(vectors)), vectors]).astype(np.float32)


def as_set(pairs: np.ndarray) -> set[tuple[int, int]]:
    return {tuple(sorted(pair)) for pair in pairs.tolist()}


@pytest.mark.parametrize("cells", [4_000_000, 40])
def test_of_many_images_the_nearest_are_candidates(cells: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(candidates, "_CELLS", cells)
    prints, calls = fingerprints(0, bases=40, each=4), []
    pairs = candidate_pairs(prints, np.arange(160), lambda done, all_: calls.append((done, all_)))
    centred = prints[:, CHECKSUMS:].astype(float) - prints[:, CHECKSUMS:].mean(axis=0)
    _, strength, directions = np.linalg.svd(centred, full_matrices=False)
    points = centred @ (directions[:80].T / np.sqrt(strength[:80]))
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    likeness = points @ points.T - 2 * np.eye(160)
    expected = set()
    for row in range(160):
        near = [other for other in np.argsort(-likeness[row])[:NEAREST] if likeness[row, other] >= LEAST]
        expected |= {(min(row, other), max(row, other)) for other in near}
    assert np.abs(likeness - LEAST).min() > 1e-6
    assert as_set(pairs) == expected
    assert len(pairs) == len(expected)
    families = {(a, b) for a in range(160) for b in range(a + 1, 160) if a // 4 == b // 4}
    assert families <= expected
    assert calls[-1] == (160, 160)


def test_of_few_images_every_pair_is_a_candidate() -> None:
    prints = fingerprints(1, bases=EVERY, each=1)
    assert len(as_set(candidate_pairs(prints, np.arange(EVERY)))) == EVERY * (EVERY - 1) / 2
    assert len(candidate_pairs(prints, np.arange(1))) == len(candidate_pairs(prints, np.arange(0))) == 0


@pytest.mark.parametrize("count", [10, EVERY + 10])
def test_images_of_equal_checksums_are_compared_with_the_first_of_them_only(count: int) -> None:
    prints = fingerprints(2, bases=count, each=1)
    prints[3:9, :CHECKSUMS] = -1
    prints[3:9, CHECKSUMS:] = 0  # without keypoints
    inside = {pair for pair in as_set(candidate_pairs(prints, np.arange(count))) if pair <= (8, 8) and pair[0] >= 3}
    assert {pair for pair in inside if pair[1] <= 8} == {(3, other) for other in range(4, 9)}


def test_the_order_of_the_rows_does_not_matter_but_for_which_comes_first() -> None:
    prints, order = fingerprints(3, bases=30, each=3), np.random.default_rng(0).permutation(90)
    assert as_set(candidate_pairs(prints, order)) == as_set(candidate_pairs(prints, np.arange(90)))
    places = np.argsort(order)
    pairs = candidate_pairs(prints, order)
    assert (places[pairs[:, 0]] < places[pairs[:, 1]]).all()

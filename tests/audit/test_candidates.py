"""Candidates for copies: none is missed that a comparison of every pair at every turn would find."""

from __future__ import annotations

import numpy as np
import pytest

from leukobench.audit import candidates
from leukobench.audit.candidates import candidate_pairs
from leukobench.images.fingerprint import COARSE


def variants(seed: int, bases: int, each: int, noise: float) -> np.ndarray:
    """Vectors of norm 1 that are turned, mirrored and noisy forms of a few."""
    rng, made = np.random.default_rng(seed), []
    for base in rng.normal(size=(bases, COARSE.radii, COARSE.angles)):
        for _ in range(each):
            turned = np.roll(base[:, ::-1] if rng.random() < 0.5 else base, rng.integers(COARSE.angles), axis=1)
            made.append((turned + rng.normal(size=turned.shape) * rng.uniform(0, noise)).ravel())
    vectors = np.array(made)
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def ringed(seed: int, count: int) -> np.ndarray:
    """Vectors of rings, which no turn changes: their distance is all in the magnitudes."""
    rng = np.random.default_rng(seed)
    rings = 1 + rng.uniform(0, 0.9, (count, COARSE.radii, 1)) * rng.normal(size=(count, COARSE.radii, 1))
    vectors = np.repeat(np.abs(rings), COARSE.angles, axis=2).reshape(count, -1)
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def best(one: np.ndarray, other: np.ndarray) -> float:
    """The highest inner product of all turns, plain and mirrored."""
    return float((turns(other) @ one).max())


def turns(vector: np.ndarray) -> np.ndarray:
    """A vector at every turn, plain and mirrored, a row each."""
    plain = vector.reshape(COARSE.radii, COARSE.angles)
    places = (np.arange(COARSE.angles) - np.arange(COARSE.angles)[:, None]) % COARSE.angles
    return np.concatenate(
        [side[:, places].swapaxes(0, 1).reshape(COARSE.angles, -1) for side in (plain, plain[:, ::-1])]
    )


def pairs_of(vectors: np.ndarray, rows: np.ndarray) -> list[tuple[int, int]]:
    blocks = candidate_pairs(vectors, rows, lambda first, second: np.ones(len(first), bool))
    return [(int(a), int(b)) for block in blocks for a, b in block]


@pytest.mark.parametrize("cells", [4_000_000, 40])
@pytest.mark.parametrize("seed", range(3))
def test_no_candidate_is_missed(seed: int, cells: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(candidates, "_CELLS", cells)
    vectors = np.concatenate([variants(seed, bases=5, each=4, noise=0.6), ringed(seed, 8)])
    vectors[5] = 0
    rows = np.delete(np.arange(28), 9)
    turned = {int(b): turns(vectors[b]) for b in rows}
    likeness = {(int(a), b): float((turned[b] @ vectors[a]).max()) for a in rows for b in turned if a < b}
    expected = {pair for pair, value in likeness.items() if value >= 0.9}
    assert 5 < len(expected) < 60
    assert min(abs(value - 0.9) for value in likeness.values()) > 1e-5
    found = pairs_of(vectors, rows)
    assert len(found) == len(set(found))
    assert set(found) == expected


def test_each_image_is_compared_with_a_limited_number_of_others_the_most_alike_first() -> None:
    vectors = variants(0, bases=1, each=45, noise=0.2)
    found = pairs_of(vectors, np.arange(45))
    counted = np.bincount([a for a, _ in found], minlength=45)
    assert counted.tolist() == [min(32, 44 - row) for row in range(45)]
    likeness = [best(vectors[0], vectors[b]) for a, b in found if a == 0]
    assert likeness == pytest.approx(sorted(likeness, reverse=True), abs=1e-4)
    left_out = {(0, b) for b in range(1, 45)} - set(found)
    assert max(best(vectors[0], vectors[b]) for _, b in left_out) <= min(likeness) + 1e-4


def test_pairs_that_need_no_look_are_not_yielded() -> None:
    vectors = variants(1, bases=3, each=5, noise=0.1)
    blocks = candidate_pairs(vectors, np.arange(15), lambda first, second: (first + second) % 2 == 0)
    found = np.concatenate(list(blocks))
    assert len(found) > 0
    assert (found.sum(axis=1) % 2 == 0).all()

"""Label suspects: the pool is a geometric mean, wrong labels come first, a sure combination does not decide alone."""

from __future__ import annotations

import numpy as np
from scipy.stats import gmean

from leukobench.evaluation.statistics.suspects import NEARLY_ALL, Pool


def drawn(seed: int, images: int = 400, classes: int = 3) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """True classes, labels of which one in 25 is another, and probabilities of four combinations in two repeats."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(classes, size=images)
    labels = truth.copy()
    wrong = rng.permutation(images)[: images // 25]
    labels[wrong] = (truth[wrong] + 1) % classes
    logits = rng.normal(size=(4, 2, images, classes))
    logits[..., np.arange(images), truth] += 4.5
    probabilities = np.exp(logits)
    return wrong, labels, probabilities / probabilities.sum(axis=-1, keepdims=True)


def pooled(labels: np.ndarray, probabilities: np.ndarray) -> Pool:
    pool = Pool(labels, probabilities.shape[-1])
    for one in probabilities:
        pool.add(one)
    return pool


def test_the_pool_is_the_geometric_mean_of_combinations_and_repeats() -> None:
    _, labels, probabilities = drawn(0)
    means = gmean(probabilities.reshape(-1, *probabilities.shape[2:]), axis=0)
    expected = means / means.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(pooled(labels, probabilities).probabilities(), expected, rtol=1e-10)


def test_wrong_labels_come_first_with_their_true_class() -> None:
    for seed in range(5):
        wrong, labels, probabilities = drawn(seed)
        suspects = pooled(labels, probabilities).suspects()
        assert set(suspects.rows[: len(wrong)].tolist()) == set(wrong.tolist())
        first = suspects.rows[: len(wrong)]
        np.testing.assert_array_equal(suspects.suggested[: len(wrong)], (labels[first] - 1) % 3)
        assert (suspects.against[: len(wrong)] >= NEARLY_ALL).mean() > 0.8
        votes = (probabilities.argmax(axis=-1) != labels)[..., suspects.rows].mean(axis=(0, 1))
        np.testing.assert_allclose(suspects.against, votes)


def test_one_combination_that_is_wrongly_sure_contradicts_no_label() -> None:
    labels = np.zeros(10, dtype=np.int64)
    good, saturated = np.tile([0.99, 0.01], (1, 10, 1)), np.tile([0.0, 1.0], (1, 10, 1))
    pool = pooled(labels, np.array([good, good, good, good, saturated]))
    assert len(pool.suspects().rows) == 0

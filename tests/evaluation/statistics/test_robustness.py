"""The robustness index against a count neighbour by neighbour, and where it is known."""

from __future__ import annotations

import numpy as np
import pytest

from leukobench.evaluation.statistics.robustness import FEWEST, NEIGHBOURS, pairs, robustness_index

COUNT = 80


@pytest.fixture
def drawn() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    labels, sites = np.arange(COUNT) % 2, np.arange(COUNT) // 2 % 2
    features = rng.normal(size=(COUNT, 6)) + 1.5 * labels[:, None] * np.eye(6)[0] + 1.0 * sites[:, None] * np.eye(6)[1]
    return features, labels, sites, np.arange(COUNT) // 8


def counted(features: np.ndarray, labels: np.ndarray, sites: np.ndarray, groups: np.ndarray, count: int) -> float:
    """Share of neighbours with the class alone in common, of those with one of both alone; one image at a time."""
    same_class = same_site = 0
    for row in range(len(labels)):
        cosine = features @ features[row] / np.linalg.norm(features, axis=1) / np.linalg.norm(features[row])
        others = [other for other in np.argsort(-cosine, kind="stable") if groups[other] != groups[row]][:count]
        for other in others:
            same_class += labels[other] == labels[row] and sites[other] != sites[row]
            same_site += labels[other] != labels[row] and sites[other] == sites[row]
    return same_class / (same_class + same_site)


def test_it_is_the_share_counted_one_by_one(drawn: tuple[np.ndarray, ...]) -> None:
    found = robustness_index(*drawn, resamples=200)
    assert found is not None
    assert found.neighbours in NEIGHBOURS
    assert found.value == pytest.approx(counted(*drawn, found.neighbours), abs=1e-12)
    assert found.low < found.value < found.high
    assert found.pairs == 1


def test_features_of_the_class_alone_are_robust_and_those_of_the_site_are_not(drawn: tuple[np.ndarray, ...]) -> None:
    _, labels, sites, groups = drawn
    noise = np.random.default_rng(1).normal(0, 0.01, (COUNT, 2))
    robust = robustness_index(np.eye(2)[labels] + noise, labels, sites, groups)
    fragile = robustness_index(np.eye(2)[sites] + noise, labels, sites, groups)
    assert robust is not None
    assert fragile is not None
    assert robust.value > 0.99
    assert fragile.value < 0.01


def test_pairs_hold_as_many_images_of_each_class_at_each_site() -> None:
    labels = np.repeat([0, 1, 2], 40)
    sites = np.tile(np.repeat([0, 1], [33, 7]), 3)
    drawn = pairs(labels, sites, 0)
    assert len(drawn) == 3
    for rows in drawn:
        _, counts = np.unique(np.column_stack([labels[rows], sites[rows]]), axis=0, return_counts=True)
        assert counts.tolist() == [7, 7, 7, 7]


def test_there_is_none_where_no_two_sites_share_two_classes() -> None:
    labels = np.repeat([0, 1], 20)
    sites = labels.copy()
    sites[: FEWEST - 1] = 1
    assert robustness_index(np.ones((40, 2)), labels, sites, np.arange(40)) is None

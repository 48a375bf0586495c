from __future__ import annotations

import numpy as np
import pytest

from leukobench.bundling.coverage import LEVELS, check_coverage
from leukobench.bundling.out_of_fold import OutOfFold


def drawn(rng: np.random.Generator, groups: int, images: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Probabilities of 3 classes whose quality is that of the patient: images of one patient go wrong together."""
    quality = np.repeat(rng.normal(1.5, 1.5, groups), images)
    labels = np.repeat(rng.integers(0, 3, groups), images)
    logits = rng.normal(size=(groups * images, 3))
    logits[np.arange(len(labels)), labels] += quality
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return probabilities, labels, np.repeat(np.arange(groups), images)


@pytest.mark.parametrize("level", [0.8, 0.9])
def test_images_of_new_patients_are_covered_where_images_as_their_own_groups_would_fall_short(level: float) -> None:
    rng, by_group, by_image = np.random.default_rng(1), [], []
    for _ in range(300):
        probabilities, labels, groups = drawn(rng, 25, 20)
        old, new = groups < 24, groups == 24
        for covered, numbers in ((by_group, groups), (by_image, np.arange(len(groups)))):
            seen = OutOfFold(probabilities, labels, numbers, numbers).rows(old).conformal_scores()
            scores = 1 - probabilities[new, labels[new]]
            covered.append(float((scores <= seen.thresholds(level)[labels[new]]).mean()))
    spread = np.std(by_group) / np.sqrt(len(by_group))
    assert np.mean(by_group) > level - 2 * spread
    assert np.mean(by_group) > np.mean(by_image)


def test_the_check_covers_what_it_says_and_leaks_nothing() -> None:
    rng = np.random.default_rng(2)
    probabilities, labels, groups = drawn(rng, 400, 3)
    rows = check_coverage(OutOfFold(probabilities, labels, groups, groups % 5))
    assert [row.level for row in rows] == list(LEVELS)
    for row in rows:
        assert row.by_group > row.level - 0.03
        assert len(row.by_class) == 3
        assert 1 <= row.size <= 3
    assert np.all(np.diff([row.size for row in rows]) >= 0)


def test_the_check_of_a_fold_does_not_see_its_own_scores() -> None:
    """A fold that is always wrong, among others that are sure: only thresholds from itself would cover it."""
    labels, folds = np.zeros(300, dtype=int), np.repeat([0, 1, 2], 100)
    probabilities = np.where((folds == 0)[:, None], [[0.1, 0.9]], [[0.99, 0.01]])
    (row,) = check_coverage(OutOfFold(probabilities, labels, np.arange(300), folds), [0.9])
    assert row.coverage == pytest.approx(2 / 3)

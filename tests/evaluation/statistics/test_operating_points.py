from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest, norm
from sklearn.metrics import roc_curve

from leukobench.evaluation.statistics.operating_points import flagged, operating_points


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), decimals=st.sampled_from([1, 8]), least=st.sampled_from([0.5, 0.9, 0.95]))
def test_thresholds_are_those_of_scikit_learns_curve_on_the_other_folds(seed: int, decimals: int, least: float) -> None:
    rng = np.random.default_rng(seed)
    positive, folds = rng.random(80) < 0.4, rng.integers(0, 3, 80)
    scores = (rng.random(80) + positive * rng.choice([0.0, 0.4])).round(decimals)
    specific, missed = flagged(positive, scores, folds, least), flagged(~positive, -scores, folds, least)
    for fold in range(3):
        other, own = folds != fold, folds == fold
        alarms, hits, thresholds = roc_curve(positive[other], scores[other], drop_intermediate=False)
        best = hits[alarms <= 1 - least + 1e-12].max()
        reached = thresholds[(alarms <= 1 - least + 1e-12) & (hits == best)]
        seen = own & np.isin(scores, scores[other])  # between two scores of other images, any threshold is as good
        assert (specific[seen] == (scores[seen] >= reached.min())).all()
        assert (missed[own] == (scores[own] < thresholds[hits >= least - 1e-12].max())).all()


def test_an_image_never_chooses_its_own_threshold() -> None:
    rng = np.random.default_rng(0)
    positive, folds, scores = rng.random(60) < 0.5, np.arange(60) % 3, rng.random(60)
    own = folds == 1
    before, after = flagged(positive, scores, folds), flagged(np.where(own, ~positive, positive), scores, folds)
    assert (before[own] == after[own]).all()


def test_rates_are_pooled_and_their_intervals_wider_than_exact_ones() -> None:
    rng = np.random.default_rng(1)
    labels, folds = rng.integers(0, 2, 200), np.arange(200) % 4
    own = np.clip(rng.normal(0.4 + 0.3 * labels, 0.2), 0, 1)
    probabilities = np.column_stack([1 - own, own])[None]
    sensitivity, specificity = operating_points(labels, probabilities, folds[None], np.arange(200), 200)
    hits = flagged(labels == 1, own, folds)[labels == 1]
    rejected = flagged(labels == 0, -own, folds)[labels == 0]
    for points, right in ((sensitivity, hits), (specificity, rejected)):
        assert points.value[1] == pytest.approx(right.mean())
        limits = binomtest(int(right.sum()), len(right)).proportion_ci(method="exact")
        assert points.low[1] < limits.low < limits.high < points.high[1]
    assert 0.2 < sensitivity.value[1] < 0.8


@pytest.mark.slow
@pytest.mark.parametrize(("groups", "images", "common"), [(400, 1, 0.0), (24, 20, 0.3)])
def test_intervals_hold_the_sensitivity_of_endlessly_many_images(groups: int, images: int, common: float) -> None:
    """Two normal distributions, two standard deviations apart: at 95 % specificity the threshold is at 1.645."""
    codes, held, simulations = np.repeat(np.arange(groups), images), 0, 150
    for seed in range(simulations):
        rng = np.random.default_rng(seed)
        noise = np.sqrt(common) * rng.normal(size=groups)[codes] + np.sqrt(1 - common) * rng.normal(size=len(codes))
        scores = norm.cdf(2.0 * (codes % 2) + noise)
        folds = (rng.permutation(groups) % 5)[codes]
        points, _ = operating_points(codes % 2, np.column_stack([1 - scores, scores])[None], folds[None], codes, groups)
        held += points.low[1] <= norm.sf(norm.ppf(0.95) - 2.0) <= points.high[1]
    assert held / simulations >= 0.92


def test_scores_of_noise_reach_no_more_than_chance() -> None:
    rng = np.random.default_rng(2)
    labels, folds = rng.integers(0, 2, 4000), rng.integers(0, 5, 4000)
    probabilities = rng.dirichlet(np.ones(2), (2, 4000))
    sensitivity, specificity = operating_points(labels, probabilities, np.stack([folds, folds]), np.arange(4000), 4000)
    assert sensitivity.value == pytest.approx(0.05, abs=0.012)
    assert specificity.value == pytest.approx(0.05, abs=0.012)


def test_they_need_both_sides_on_the_other_folds() -> None:
    labels, folds = np.array([0, 0, 1, 1]), np.array([0, 0, 1, 1])
    probabilities = np.array([[[0.9, 0.1], [0.8, 0.2], [0.3, 0.7], [0.2, 0.8]]])
    for points in operating_points(labels, probabilities, folds[None], np.arange(4), 4):
        assert np.isnan(np.array(points)).all()

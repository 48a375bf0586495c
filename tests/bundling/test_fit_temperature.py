from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import log_loss

from leukobench.bundling.fit_temperature import fit_temperature
from leukobench.bundling.out_of_fold import OutOfFold
from leukobench.serving.temperature import apply_temperature


def drawn(sharpness: float, n: int = 2000, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities that are `sharpness` times as sure as they may be, and labels."""
    rng = np.random.default_rng(seed)
    logits = 2 * rng.normal(size=(n, 3))
    true = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    labels = (rng.random((n, 1)) > true.cumsum(axis=1)).sum(axis=1)
    sharp = np.exp(sharpness * logits)
    return sharp / sharp.sum(axis=1, keepdims=True), labels


@pytest.mark.parametrize("sharpness", [0.5, *(pytest.param(by, marks=pytest.mark.slow) for by in (2.0, 4.0))])
def test_it_finds_how_much_too_sure_the_probabilities_are(sharpness: float) -> None:
    probabilities, labels = drawn(sharpness)
    temperature = fit_temperature(OutOfFold(probabilities, labels, np.arange(2000), np.arange(2000) % 5))
    assert temperature.value == pytest.approx(sharpness, rel=0.1)
    assert temperature.low > 0
    grid = np.geomspace(0.1, 10, 400)
    losses = [log_loss(labels, apply_temperature(probabilities, value)) for value in grid]
    assert temperature.value == pytest.approx(grid[int(np.argmin(losses))], rel=0.03)
    gain = log_loss(labels, probabilities) - min(losses)
    assert temperature.gain == pytest.approx(gain, rel=0.05)


@pytest.mark.parametrize("groups", [3, 40, 200])
def test_a_few_images_that_are_all_right_do_not_ask_for_certainty(groups: int) -> None:
    """Good probabilities of a good model: what is applied must not be worse on new images."""
    worse = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        logits = 6 * np.eye(4)[rng.integers(0, 4, 2000)] + rng.normal(size=(2000, 4))
        true = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        labels = (rng.random((2000, 1)) > true.cumsum(axis=1)).sum(axis=1)
        seen, new = slice(0, max(groups, 12)), slice(1000, 2000)
        own = np.arange(max(groups, 12)) % groups
        temperature = fit_temperature(OutOfFold(true[seen], labels[seen], own, own % 3))
        worse += log_loss(labels[new], apply_temperature(true[new], temperature.value), labels=range(4)) > (
            log_loss(labels[new], true[new], labels=range(4)) + 1e-9
        )
    assert worse <= 1


def test_good_probabilities_are_left_as_they_are() -> None:
    probabilities, labels = drawn(1.0)
    temperature = fit_temperature(OutOfFold(probabilities, labels, np.arange(2000), np.arange(2000) % 5))
    assert temperature.value == 1.0
    assert temperature.best == pytest.approx(1, abs=0.1)
    assert apply_temperature(probabilities, temperature.value) is probabilities


def test_doubt_counts_patients_not_images() -> None:
    """The same 40 images, each 50 times: as single images they seem to prove what 40 patients cannot."""
    probabilities, labels = drawn(1.6, n=40, seed=3)
    many, repeated, groups = np.repeat(probabilities, 50, axis=0), np.repeat(labels, 50), np.repeat(np.arange(40), 50)
    as_images = fit_temperature(OutOfFold(many, repeated, np.arange(2000), groups % 5))
    as_patients = fit_temperature(OutOfFold(many, repeated, groups, groups % 5))
    assert as_patients.high - as_patients.low > 5 * (as_images.high - as_images.low)


def test_certainties_that_were_wrong_do_not_make_it_infinite() -> None:
    probabilities = np.eye(2)[np.zeros(60, int)]
    labels = np.r_[np.zeros(50, int), np.ones(10, int)]
    temperature = fit_temperature(OutOfFold(probabilities, labels, np.arange(60), np.arange(60) % 3))
    assert np.isfinite(temperature.value)
    assert temperature.best > 5
    assert apply_temperature(probabilities, temperature.best)[0, 0] == pytest.approx(50 / 61, abs=0.05)

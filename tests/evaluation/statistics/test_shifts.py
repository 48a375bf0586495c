"""Shifts by quantiles: the area under the curve of the whole samples, from nineteen numbers a class."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from leukobench.evaluation.statistics.shifts import LEVELS, Quantiles, shifts


def test_it_is_nearly_the_area_of_the_whole_samples() -> None:
    rng = np.random.default_rng(1)
    labels, here_labels = np.repeat([0, 1], 200), np.repeat([0, 1], [30, 90])
    numbers = rng.normal(size=(400, 3)) + 5 * labels[:, None]
    here = rng.normal(size=(120, 3)) * [1, 1, 3] + 5 * here_labels[:, None] + [0.0, 0.8, 0.0]
    training = Quantiles.of(["same", "moved", "wider"], numbers, labels, np.arange(400), 2)
    rows = {one.name: one for one in shifts(training, here, here_labels, np.arange(120))}
    for column, name in enumerate(training.names):
        areas = []
        for label in (0, 1):
            both = np.concatenate([here[here_labels == label, column], numbers[labels == label, column]])
            areas.append(roc_auc_score(np.arange(len(both)) < (here_labels == label).sum(), both))
        assert rows[name].above[0] == pytest.approx(np.mean(areas), abs=0.02)
    assert rows["same"].above[1] < 0.5 < rows["same"].above[2]
    assert rows["moved"].above[1] > 0.5
    middle = np.mean([np.median(here[here_labels == k, 1]) for k in (0, 1)])
    assert rows["moved"].here == pytest.approx(middle)


def test_few_groups_make_the_interval_wide() -> None:
    numbers = np.linspace(0, 1, 200)[:, None]
    training = Quantiles.of(["one"], numbers, np.zeros(200, dtype=np.int64), np.arange(200), 2)
    ends = [
        shifts(training, numbers + 0.3, np.zeros(200, dtype=np.int64), np.arange(200) // size)[0].above
        for size in (1, 50)
    ]
    assert ends[1][2] - ends[1][1] > 2 * (ends[0][2] - ends[0][1])


def test_joined_classes_have_the_quantiles_of_all_their_images() -> None:
    rng = np.random.default_rng(2)
    labels = np.repeat([0, 1, 2], [300, 100, 50])
    numbers = rng.normal(size=(450, 1)) + 4 * (labels[:, None] == 1)
    both = Quantiles.of(["one"], numbers, labels, np.arange(450), 3).joined([(0, 1), (2,)])
    expected = np.quantile(numbers[labels < 2], LEVELS)
    assert both.values[0, 0] == pytest.approx(expected, abs=0.2)
    assert both.values[0, 1] == pytest.approx(np.quantile(numbers[labels == 2], LEVELS))
    assert both.groups.tolist() == [400, 50]

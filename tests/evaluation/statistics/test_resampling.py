from __future__ import annotations

import numpy as np
import pytest

from leukobench.evaluation.statistics import resampling
from leukobench.evaluation.statistics.resampling import GroupResamples


def weights(resamples: GroupResamples) -> np.ndarray:
    return np.concatenate([drawn for drawn, _ in resamples.chunks()], axis=1)


def test_each_resample_draws_as_many_groups_as_there_are() -> None:
    drawn = weights(GroupResamples(np.array([7, 7, 3, 9, 3, 1]), 50, seed=1))
    assert drawn.shape == (4, 50)
    assert (drawn.sum(axis=0) == 4).all()
    assert (drawn == 0).any()


def test_groups_are_drawn_equally_often_whatever_their_size() -> None:
    groups = np.repeat(np.arange(40), np.arange(1, 41))
    drawn = weights(GroupResamples(groups, 4000, seed=0))
    assert drawn.mean(axis=1) == pytest.approx(1, abs=5 / np.sqrt(4000))
    assert drawn.var(axis=1).mean() == pytest.approx(1 - 1 / 40, rel=0.05)


def test_what_is_left_out_is_what_was_not_drawn() -> None:
    for drawn, left in GroupResamples(np.arange(9), 30, seed=3).chunks():
        assert np.array_equal(left == 1, drawn == 0)
        assert set(np.unique(left)) <= {0, 1}


def test_chunks_make_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = weights(GroupResamples(np.arange(20), 33, seed=5))
    monkeypatch.setattr(resampling, "_CHUNK", 100)
    monkeypatch.setattr(resampling, "_KEPT", 100)
    parts = list(GroupResamples(np.arange(20), 33, seed=5).chunks())
    assert len(parts) == 7
    assert np.array_equal(np.concatenate([drawn for drawn, _ in parts], axis=1), whole)


def test_a_seed_is_a_resample() -> None:
    groups = np.arange(20)
    assert np.array_equal(weights(GroupResamples(groups, 5, 1)), weights(GroupResamples(groups, 5, 1)))
    assert not np.array_equal(weights(GroupResamples(groups, 5, 1)), weights(GroupResamples(groups, 5, 2)))

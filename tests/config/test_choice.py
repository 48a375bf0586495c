"""One choice of an experiment file: fixed parameters, searches and the points of a range."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from leukobench.config.choice import Choice, Search
from leukobench.config.experiment_file import for_folder
from leukobench.errors import ConfigurationError

SEARCHED = {"svm_rbf": {"scale": True, "C": {"search": [1, 10]}, "gamma": {"search": ["scale", 0.01]}}}


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ([], "give a list of values, or low below high"),
        ({}, "give a list of values, or low below high"),
        (5, "C.search: Input should be a valid dictionary"),
        ({"low": 1}, "give a list of values, or low below high"),
        ({"low": 2, "high": 1}, "give a list of values, or low below high"),
        ({"low": 1, "high": 1}, "give a list of values, or low below high"),
        ({"low": 0, "high": 1, "log": True}, "both above 0 with log: true"),
        ({"values": [1], "low": 1, "high": 2}, "give a list of values, or low below high"),
        ({"values": [1, 2], "log": True}, "give a list of values, or low below high"),
        ({"low": "a", "high": 2}, "valid number"),
        ({"low": 1, "high": 2, "step": 1}, "step: unknown key"),
    ],
)
def test_impossible_searches_are_refused_with_their_place(tmp_path: Path, said: Any, message: str) -> None:
    for family in ("selectors", "classifiers"):
        with pytest.raises(ConfigurationError) as refused:
            for_folder(tmp_path, **{family: ["first", {"second": {"C": {"search": said}}}]})
        assert f"{family}.1" in str(refused.value)
        assert message in str(refused.value)


def test_fixed_and_searched_parameters_are_separated() -> None:
    choice = Choice.model_validate(SEARCHED)
    assert choice.fixed == {"scale": True}
    assert {name: search.points(5) for name, search in choice.searched.items()} == {
        "C": [1, 10],
        "gamma": ["scale", 0.01],
    }
    assert choice.label == "svm_rbf(scale=True, C=tuned, gamma=tuned)"
    mapping = Choice.model_validate({"a": {"weights": {"search": 1, "other": 2}}})
    assert (mapping.fixed, mapping.searched) == ({"weights": {"search": 1, "other": 2}}, {})


@pytest.mark.parametrize("count", [2, 5, 25])
def test_points_of_a_range_begin_and_end_with_its_limits(count: int) -> None:
    for low, high, log in ((0.01, 100, True), (1, 3, False), (-1, 1, False)):
        points = Search(low=low, high=high, log=log).points(count)
        assert len(points) == count
        assert points == sorted(set(points))
        assert (points[0], points[-1]) == (pytest.approx(low), pytest.approx(high))
        steps = [after / before if log else after - before for before, after in pairwise(points)]
        assert steps == pytest.approx([steps[0]] * (count - 1))

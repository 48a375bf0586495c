"""Limits of a fit in an experiment file, and quantities as people write them."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from leukobench.config.cell_limits import bytes_of, seconds_of
from leukobench.config.experiment_file import for_folder
from leukobench.errors import ConfigurationError
from leukobench.machine import Limits


@pytest.mark.parametrize(
    ("text", "number"),
    [("4GB", 4e9), ("500 mb", 5e8), ("4GiB", 4 * 2**30), (1000, 1000), ("1.5G", 1.5e9), ("12", 12)],
)
def test_sizes(text: Any, number: float) -> None:
    assert bytes_of(text) == number


@pytest.mark.parametrize(("text", "number"), [("90s", 90), ("30m", 1800), ("2 h", 7200), (600, 600), ("1.5min", 90)])
def test_times(text: Any, number: float) -> None:
    assert seconds_of(text) == number


@pytest.mark.parametrize("text", ["", "m", "-3m", "0", "1e9", "nan", True, "4 weeks", "9" * 99, None])
def test_what_is_no_quantity_is_refused(text: Any) -> None:
    for read in (bytes_of, seconds_of):
        with pytest.raises(ValueError, match="not a quantity above 0, such as"):
            read(text)


def test_limits_of_an_experiment() -> None:
    limits = {"seconds": 600, "memory": "4GB"}
    experiment = for_folder(Path("images"), evaluation={"limits": limits})
    assert experiment.evaluation.limits.until(7.0) == Limits(600.0, 4e9, 7.0)
    assert for_folder(Path("images")).evaluation.limits.until() == Limits(math.inf, math.inf, math.inf)
    assert experiment.to_mapping()["evaluation"]["limits"] == {"seconds": 600.0, "memory": 4_000_000_000}


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ({"second": 3}, "did you mean seconds"),
        ({"memory": "much"}, "such as 4GB"),
        ({"seconds": 0}, "greater than 0"),
    ],
)
def test_mistakes_are_named(limits: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        for_folder(Path("images"), evaluation={"limits": limits})

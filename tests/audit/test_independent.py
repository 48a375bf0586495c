"""One row for each group of images that are not independent."""

from __future__ import annotations

import numpy as np
import pandas as pd

from leukobench.audit.independent import one_per_group


def test_each_class_of_a_group_has_its_middle_or_its_most_frequent_value() -> None:
    labels, groups = np.array(list("aaabb")), np.array([0, 0, 0, 0, 1])
    values, own = one_per_group(pd.Series([1.0, 2.0, 9.0, 5.0, 7.0]), labels, groups)
    assert (values.tolist(), own.tolist()) == ([2, 5, 7], ["a", "b", "b"])
    values, own = one_per_group(pd.Series(["x", "y", "y", "z", "x"]), labels, groups)
    assert sorted(zip(own, values, strict=True)) == [("a", 1), ("b", 0), ("b", 2)]


def test_rows_that_are_independent_stay_as_they_are() -> None:
    dates = pd.Series([pd.Timestamp("1970-01-03"), pd.NaT])
    values, own = one_per_group(dates, np.array(["a", "b"]), np.arange(2))
    assert values[0] == 2
    assert values[1] < -1e6
    assert own.tolist() == ["a", "b"]

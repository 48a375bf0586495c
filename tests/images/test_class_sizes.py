"""Classes that are too small: the message names the ways out, and each of them works."""

from __future__ import annotations

import itertools
import re
import shlex

import pandas as pd
import pytest

from leukobench.errors import ImagesError
from leukobench.images.class_sizes import check_sizes


def counts(groups):
    return pd.DataFrame({"images": groups, "groups": groups})


def refusal(groups, folds):
    with pytest.raises(ImagesError) as caught:
        check_sizes(counts(groups), folds, "folders", "none")
    return caught.value


@pytest.mark.parametrize(
    "groups", [{"a": 9, "b": 8, "c c": 1}, {"a": 9, "b": 4, "c": 7}, {"a": 9, "b": 2, "c": 1}, {"a": 9, "b": 7, "c": 2}]
)
def test_each_way_out_works(groups):
    ways = [shlex.split(way) for way in re.split(r", or |\.$", refusal(groups, 5).fix) if "--" in way]
    assert ways
    for words in ways:
        pairs = list(itertools.pairwise(word.strip("()") for word in words))
        excluded = {after for option, after in pairs if option == "--exclude-class"}
        folds = next((int(after) for option, after in pairs if option == "--folds"), 5)
        assert folds >= 2
        check_sizes(counts({name: n for name, n in groups.items() if name not in excluded}), folds, "folders", "none")


def test_no_number_of_folds_is_named_that_cannot_work():
    error = refusal({"a": 9, "b": 8, "basophil": 1}, 5)
    assert "--exclude-class basophil" in error.fix
    assert "fold" not in error.fix
    assert "2 to 4 folds (--folds 4)" in refusal({"a": 9, "b": 4, "c": 8}, 5).fix


def test_no_class_is_excluded_where_one_would_be_left():
    assert refusal({"a": 9, "b": 1}, 5).fix == "add images of it."

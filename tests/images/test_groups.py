"""Expressions for the group: one that would never end is refused."""

from __future__ import annotations

import time

import pytest

from leukobench.errors import ConfigurationError
from leukobench.images.groups import check_ends, compile_group


def test_an_expression_that_would_never_end_is_refused() -> None:
    start = time.perf_counter()
    with pytest.raises(ConfigurationError, match="takes too long"):
        check_ends(compile_group(r"(a|a)*b"), ["a" * 60])
    assert time.perf_counter() - start < 2
    check_ends(compile_group(r"(\d+)/"), [f"{number}/x.png" for number in range(1000)])


def test_thousands_of_parentheses_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="more than 1,000 characters"):
        compile_group("(" * 5000 + ")" * 5000)

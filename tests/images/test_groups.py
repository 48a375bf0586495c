"""Expressions for the group: one that would never end is refused."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from leukobench.errors import ConfigurationError
from leukobench.images.files import Listing, Row
from leukobench.images.groups import check_ends, compile_group, regroup


def test_an_expression_that_would_never_end_is_refused() -> None:
    start = time.perf_counter()
    with pytest.raises(ConfigurationError, match="takes too long"):
        check_ends(compile_group(r"(a|a)*b"), ["a" * 60])
    assert time.perf_counter() - start < 2
    check_ends(compile_group(r"(\d+)/"), [f"{number}/x.png" for number in range(1000)])


def test_thousands_of_parentheses_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="more than 1,000 characters"):
        compile_group("(" * 5000 + ")" * 5000)


@pytest.mark.parametrize(
    ("group", "patients", "source"),
    [
        (r"(?P<site>S\d)/(P\d)", ["P1", "P2"], "regular expression"),
        (r"(?P<site>S\d)/(?P<other>P)?(?P<patient>P\d)", ["P1", "P2"], "regular expression"),
        (r"(?P<site>S\d)/", ["own", "other"], "names"),
    ],
)
def test_groups_called_site_are_columns_and_no_patients(group: str, patients: list[str], source: str) -> None:
    rows = [Row("S1/P1/a.png", "x", "own"), Row("S2/P2/b.png", "x", "other")]
    listing = regroup(Listing(rows, [], "names"), compile_group(group), Path("/images"))
    assert [row.patient for row in listing.rows] == patients
    assert listing.patients.startswith(source)
    assert [row.columns for row in listing.rows] == [{"site": "S1"}, {"site": "S2"}]


def test_paths_without_a_site_are_refused_with_the_reason() -> None:
    rows = [Row("S1/a.png", "x"), Row("b.png", "x")]
    listing = regroup(Listing(rows, [], "none"), compile_group(r"(?P<scanner>S\d)/"), Path("/images"))
    assert listing.refused == [("b.png", "no scanner: the regular expression for the group does not match")]

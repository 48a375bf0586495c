"""Comparison of two tables."""

from __future__ import annotations

import pandas as pd

from leukobench.studies.compared_tables import Check, Mismatch, compare_tables, compare_values

KEYS = ["name"]


def compared(published: pd.DataFrame, recomputed: pd.DataFrame) -> Check:
    return compare_tables("table", "table.csv", published, recomputed, KEYS, 1e-6)


def test_numbers_texts_and_what_is_undefined_are_compared_by_row() -> None:
    first = pd.DataFrame(
        {"name": ["a", "b", "c"], "value": [1.0, None, 3.0], "text": ["x", "", "z"], "more": [1, 2, 3]}
    )
    second = pd.DataFrame({"name": ["c", "a", "b"], "value": [3.0 + 1e-7, 1.0, float("nan")], "text": ["z", "x", None]})
    check = compared(first, second)
    assert (check.compared, check.differ) == (9, 0)
    assert 0 < check.largest < 1e-6
    second.loc[0, "value"] += 1e-3
    second.loc[1, "text"] = "y"
    check = compared(first, second)
    assert check.differ == 2
    assert {one.row for one in check.mismatches} == {"a", "c"}
    assert "published 3.0, recomputed 3.001" in " ".join(one.words for one in check.mismatches)


def test_a_number_that_is_not_defined_is_no_number() -> None:
    first, second = (pd.DataFrame({"name": ["a"], "value": [value]}) for value in (0.5, float("nan")))
    assert [compared(*pair).differ for pair in ((first, second), (second, first))] == [1, 1]


def test_rows_that_one_table_lacks_and_rows_that_are_twice_differ() -> None:
    one = pd.DataFrame({"name": ["a", "b"], "value": [1.0, 2.0]})
    assert compared(one, one.iloc[:1]).differ == 1
    assert compared(one.iloc[:1], one).differ == 1
    assert compared(pd.concat([one, one.iloc[:1]]), one).differ == 1


def test_a_column_that_is_not_published_differs() -> None:
    one = pd.DataFrame({"name": ["a", "b"], "value": [1.0, 2.0]})
    check = compared(one.drop(columns="value"), one)
    assert check.differ == 2
    assert check.mismatches[0] == Mismatch("table.csv", "", "value", "no such column", "a column")


def test_values_of_json_are_compared_by_path() -> None:
    stored = {"a.b": 1.0, "a.c": "text", "d": None, "e": True}
    check = compare_values("answer", "answer.json", stored, stored | {"a.b": 1.5, "d": float("nan"), "f": 2}, 1e-9)
    assert [(one.column, one.published) for one in check.mismatches] == [("a.b", "1.0"), ("f", "absent")]
    assert check.largest == 0.5

"""Names of runs, and why some are refused."""

from __future__ import annotations

import pytest

from leukobench.config.run_name import is_name, name_problem


@pytest.mark.parametrize("name", ["a", "quickstart-2", "3 folds", "_x", "blutbild.älter", "標本"])
def test_names_of_folders_are_names(name: str) -> None:
    assert is_name(name)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("a/b", "but not a slash"),
        ("C:\\x", "but not ':' or a backslash"),
        ("a\nb", "but not a line break"),
        ("what?", "but not '?'"),
        (".hidden", "begins with a letter, a digit or an underscore"),
        ("-x", "begins with"),
        ("", "begins with"),
    ],
)
def test_others_are_refused_in_words(name: str, words: str) -> None:
    assert not is_name(name)
    assert words in name_problem(name)
    assert "[" not in name_problem(name)

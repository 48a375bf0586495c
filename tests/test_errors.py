"""Messages show every sign of a name, and send none to the terminal that would act on it."""

from __future__ import annotations

import pytest

from leukobench.errors import ImagesError, visible, visible_lines


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Early \x1b[31mred", r"Early \x1b[31mred"),
        ("a\nb\tc\rd\x7f\x9b", r"a\nb\tc\rd\x7f\x9b"),
        ("exe\u202egpj", r"exe\u202egpj"),
        ("caf\udce9", r"caf\udce9"),
        ("\u826f\u6027 \u0646\u200c\u0645 M\u00fcller", "\u826f\u6027 \u0646\u200c\u0645 M\u00fcller"),
    ],
)
def test_what_would_move_a_cursor_becomes_an_escape(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_lines_stay_lines() -> None:
    assert visible_lines("one\ntwo\x1b") == "one\ntwo\\x1b"


def test_a_name_of_several_lines_cannot_pretend_to_be_another_message() -> None:
    lines = str(ImagesError("There is no image.", received="a\nleukobench: all is well", fix="rename it.")).split("\n")
    assert all(line.startswith("  ") for line in lines[1:])
    assert str(ImagesError("red \x1b[31m")) == r"red \x1b[31m"
    assert str(ImagesError("2 mistakes:\n    one\n    two")) == "2 mistakes:\n    one\n    two"

"""The line of a failed row says what happened, and where in the user's own code."""

from __future__ import annotations

import traceback
from pathlib import Path

import pytest

from leukobench.errors import ExtractionError, LeukobenchError
from leukobench.reporting.failure_cause import failure_cause


def fail(error: Exception) -> None:
    raise error


def record_of(error: Exception) -> str:
    try:
        fail(error)
    except Exception:
        return traceback.format_exc()
    return ""


def test_what_happened_is_kept_of_an_error_of_several_lines() -> None:
    text = record_of(ExtractionError("The extractor failed.", expected="a", received="b", fix="correct it."))
    assert failure_cause(text) == "The extractor failed"
    nested = record_of(LeukobenchError("Two mistakes:\n    one\n    two", fix="correct them."))
    assert failure_cause(nested) == "Two mistakes"
    assert failure_cause(record_of(ValueError("first\nsecond"))) == "ValueError: first"


@pytest.mark.parametrize("text", ["The fit was stopped: too long.", "Not tried, as in fold 0: too long.", ""])
def test_a_sentence_is_kept(text: str) -> None:
    assert failure_cause(text) == text.rstrip(".")


def test_an_error_that_came_of_another_is_the_one_that_counts() -> None:
    try:
        try:
            fail(KeyError("inner"))
        except KeyError as error:
            raise ValueError("outer") from error
    except ValueError:
        assert failure_cause(traceback.format_exc()) == "ValueError: outer"


def test_the_line_of_own_code_is_named_and_no_other(tmp_path: Path) -> None:
    file = tmp_path / "mine" / "own.py"
    file.parent.mkdir()
    file.write_text("import json\n\ndef fit():\n    json.loads('{')\n")
    scope: dict[str, object] = {}
    exec(compile(file.read_text(), str(file), "exec"), scope)
    try:
        scope["fit"]()  # type: ignore[operator]
    except ValueError:
        text = traceback.format_exc()
    assert failure_cause(text, [file.parent]).startswith("json.decoder.JSONDecodeError: Expecting property name")
    assert failure_cause(text, [file.parent]).endswith(f" ({file}:4)")
    assert "own.py" not in failure_cause(text, [tmp_path / "other"])

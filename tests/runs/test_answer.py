from __future__ import annotations

import json
from dataclasses import replace

import pytest

from leukobench.errors import ConfigurationError
from leukobench.runs.answer import SCHEMA, Answer, Chance, Duplicates, Groups, ShortcutVerdict, Winner
from leukobench.runs.label_answer import Failures, LabelSuspects, WorsePart
from leukobench.runs.view_answer import ShortcutNeed, ViewResult, Views

WINNER = Winner("net", "none", "svm", "accuracy", 0.9, 0.8, 0.95, 0.89, 0.79, 0.94, 0, 6, 1, None)
VIEW = ViewResult(
    "grey", "brightness alone", "hue", 0.9, 0.01, -0.01, 0.03, "not needed", None, 0.7, 0.2, 0.1, None
)  # fmt: skip
NEED = ShortcutNeed("colour", 0.6, "undecided", "grey")
VIEWS = Views("accuracy", 80, 40, 0.9, 0.04, 0.1, (VIEW,), (NEED,), ("why",))
ANSWER = Answer(
    name="trial",
    time="2026-01-31T12:00:00+00:00",
    sentences=("one", "two"),
    protocol=("96 images",),
    best=WINNER,
    best_set=2,
    algorithms=None,
    shortcut=ShortcutVerdict("colour", 0.6, None, None, 0, "better", 0.3, "words"),
    groups=Groups("patients", "patient-level"),
    duplicates=Duplicates(1, 2, 3, 4, 5, "copies", ("line",), ("warning",)),
    chance=Chance(True, 0.25, 19, 6, 0.26, "net x none x svm", 0.3, 0.02, "words"),
    views=VIEWS,
    suspects=LabelSuspects(96, 4, 5, 2, "words"),
    failures=Failures(0.1, 9, (WorsePart("site", "B", 30, 12.0, 0.4, 0.2, 0.6, 0.05, 0.01),), "words"),
)


@pytest.mark.parametrize("answer", [ANSWER, replace(ANSWER, best=None, shortcut=None, chance=None)])
def test_an_answer_survives_its_file(answer: Answer) -> None:
    text = json.dumps(answer.to_json(), allow_nan=False)
    assert Answer.from_json(json.loads(text)) == answer


def test_an_answer_of_a_run_without_views_is_read() -> None:
    stored = {key: value for key, value in ANSWER.to_json().items() if key != "views"}
    assert Answer.from_json(stored) == replace(ANSWER, views=None)


def test_the_file_says_which_run_when_and_in_which_form() -> None:
    stored = ANSWER.to_json()
    assert (stored["schema"], stored["name"], stored["time"]) == (SCHEMA, "trial", "2026-01-31T12:00:00+00:00")


def test_a_number_that_is_not_defined_is_none() -> None:
    assert Winner.from_json(WINNER.__dict__ | {"low": float("nan")}).low is None


@pytest.mark.parametrize(("schema", "words"), [({}, "an older"), ({"schema": SCHEMA + 1}, "a newer")])
def test_another_version_is_named(schema: dict[str, int], words: str) -> None:
    stored = {key: value for key, value in ANSWER.to_json().items() if key != "schema"} | schema
    with pytest.raises(ConfigurationError, match=f"{words} version"):
        Answer.from_json(stored)

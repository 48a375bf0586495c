"""Class differences in words."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from leukobench.audit.difference_words import difference_lines, prediction_lines
from leukobench.audit.differences import class_differences
from leukobench.audit.predictions import predictions


def sentences(facts: pd.DataFrame, labels: np.ndarray) -> list[str]:
    return prediction_lines(predictions(facts, labels), class_differences(facts, labels), len(set(labels)))


def test_the_size_that_gives_the_label_away_is_said_in_words() -> None:
    labels = np.repeat(["leukaemia", "normal"], 20)
    assert sentences(pd.DataFrame({"width": np.repeat([224.0, 512.0], 20)}), labels) == [
        "Image size alone predicts leukaemia against normal: balanced accuracy 100% (width: leukaemia 224, normal 512)."
    ]


@pytest.mark.parametrize(
    ("widths", "words"),
    [
        ([1, 1, 2], "c against every other class:"),
        ([1, 2, 3], "each of the 3 classes against each other:"),
        ([1, 1, 2, 2], "a against c and d and b against c and d:"),
        ([1, 1, 1, 1, 1, 1, 2], "g against every other class:"),
    ],
)
def test_classes_are_named_together(widths: list[int], words: str) -> None:
    labels = np.repeat(list("abcdefg")[: len(widths)], 30)
    (line,) = sentences(pd.DataFrame({"width": np.repeat(np.array(widths, float), 30)}), labels)
    assert f"Image size alone predicts {words}" in line


def test_dates_are_compared_as_dates() -> None:
    labels = np.repeat(["A", "B"], 30)
    dates = [pd.Timestamp(year, 3, 1) + pd.Timedelta(minutes=7 * k) for year in (2019, 2021) for k in range(30)]
    facts = pd.DataFrame({"taken": dates})
    row = class_differences(facts, labels).iloc[0]
    assert row[["A", "B"]].tolist() == ["2019-03-01", "2021-03-01"]
    assert row["verdict"] == "differs strongly between classes"
    assert sentences(facts, labels)[0].startswith("Date alone predicts A against B: balanced accuracy 100%")


@pytest.mark.parametrize(
    ("one", "two", "words"),
    [
        ([5.0] * 40, [5.0] * 25 + [9.0] * 15, ("5", "5 to 9")),
        ([5.0] * 40, [5.0] * 27 + [9.0] * 13, ("5", "5 to 9")),
        ([3.00421] * 40, [3.00427] * 40, ("3.00421", "3.00427")),
        (["JPEG"] * 40, ["JPEG"] * 25 + ["PNG"] * 15, ("JPEG in 100%", "JPEG in 62%")),
    ],
)
def test_equal_middles_are_not_what_is_said_to_differ(one: list[float], two: list[float], words: tuple[str]) -> None:
    table = class_differences(pd.DataFrame({"fact": [*one, *two]}), np.repeat(["a", "b"], 40))
    assert table.iloc[0]["verdict"].startswith("differs")
    assert tuple(table.iloc[0][["a", "b"]]) == words


def test_what_equals_the_last_line_is_not_cut_by_the_alphabet() -> None:
    facts = pd.DataFrame({f"fact {k}": np.repeat([1.0, 2.0], 20) for k in range(8)} | {"weak": np.arange(40.0) % 23})
    lines = difference_lines(class_differences(facts, np.repeat(["a", "b"], 20)))
    assert [line.split(" differs")[0] for line in lines] == [f"fact {k}" for k in range(8)]


def test_images_of_a_patient_count_once() -> None:
    rng = np.random.default_rng(1)
    groups = np.repeat(np.arange(8), 50)
    facts = pd.DataFrame({f"fact {k}": rng.normal(size=8)[groups] + rng.normal(0, 0.1, 400) for k in range(30)})
    labels = np.where(groups < 4, "a", "b")
    assert (class_differences(facts, labels)["verdict"] != "much the same").any()
    assert set(class_differences(facts, labels, groups)["verdict"]) == {"much the same"}

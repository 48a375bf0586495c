"""Words of external tests: each verdict by its interval, each sentence by its numbers, and nothing beyond them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from leukobench.errors import ConfigurationError
from leukobench.reporting.external import sentences_of, words_of_quantity
from leukobench.reporting.external_verdicts import verdict_of
from leukobench.runs.external_answer import (
    ClassCalibration,
    CombinationTested,
    CopiesTested,
    ExternalAnswer,
    ImagesTested,
    RecalibrationPoint,
    SetsTested,
    SharesTested,
    ShiftTested,
    external_answers,
)

IMAGES = ImagesTested("site-b", "ab", 200, 20, True, ("hem", "ALL"), (60, 140), (500, 500), ("blast = ALL",))
COMBINATION = CombinationTested("e", "s", "c", 0.8, 0.7, 0.88, 0.95, 0.93, 0.97, -0.15, -0.25, -0.06)
ANSWER = ExternalAnswer(
    "site-b", "2026-01-31T12:00:00+00:00", "bundle", "run", "cd", "state", "balanced_accuracy", 0.045, IMAGES,
    CopiesTested(compared=1000, training=1000), (COMBINATION,),
    calibration=(ClassCalibration("ALL", 0.4, 0.1, 0.7, 0.5, 0.3, 0.7), ClassCalibration("hem", 0, -1, 1, 1, 0.5, 2)),
    sets=(SetsTested(0.95, 0.8, 0.72, 0.86, 1.2, 0.8),),
    flagged=0.38, flagged_low=0.3, flagged_high=0.47,
    shifts=(
        ShiftTested("colour", "colour.mean.r", 0.93, 0.8, 0.98, 180.0, 150.0, True),
        ShiftTested("size", "file.width", 0.5, 0.3, 0.7, 224.0, 224.0, False),
    ),
    shares=(
        SharesTested("balanced_accuracy", 0.95, 0.95, 0.0, 0.0, 0.0),
        SharesTested("accuracy", 0.95, 0.94, -0.01, -0.02, 0.0),
    ),
    recalibration=(
        RecalibrationPoint("log_loss", 8, 50, 0.61, 0.32, 0.3, 0.38, 1.0),
        RecalibrationPoint("balanced_accuracy", 8, 50, 0.8, 0.84, 0.8, 0.87, 0.9),
    ),
)  # fmt: skip


def words(**changed: Any) -> str:
    answer = replace(ANSWER, **changed)
    answer = replace(answer, verdict=verdict_of(answer))
    return "\n".join(sentences_of(answer))


@pytest.mark.parametrize(
    ("gap", "verdict"),
    [
        ((-0.15, -0.25, -0.06), "lower"),
        ((-0.02, -0.04, -0.01), "slightly lower"),
        ((-0.01, -0.04, 0.02), "holds"),
        ((0.05, 0.01, 0.09), "holds"),
        ((-0.03, -0.1, 0.04), "undecided"),
        ((-0.03, None, None), "unknown"),
    ],
)
def test_the_verdict_goes_by_the_interval_of_the_difference(gap: Any, verdict: str) -> None:
    one = replace(COMBINATION, gap=gap[0], gap_low=gap[1], gap_high=gap[2])
    assert verdict_of(replace(ANSWER, combinations=(one,))) == verdict


def test_each_sentence_has_its_numbers() -> None:
    text = words()
    for part in (
        "LOWER ELSEWHERE: on 200 images of 20 patients of site-b, e x s x c reaches 80.00 % [70.00 to 88.00]",
        "against 95.00 % [93.00 to 97.00] in its own cross-validation: a difference of -15.00 points",
        "Classes of these images and of the model: blast = ALL.",
        "colour (mean of red: 93 % of the training images have a lower one); no difference is shown in size.",
        "hem 30 % instead of 50 %, ALL 70 % instead of 50 %",
        "leave balanced accuracy as it is and change accuracy in the cross-validation by -1.00 points",
        "Flagged as unlike the training data: 38.00 % [30.00 to 47.00]",
        "LESS THAN PROMISED: prediction sets of 95 % contain the true class of 80.00 %",
        "too extreme for ALL (slope 0.50 [0.30 to 0.70]); too low for ALL (intercept 0.40 [0.10 to 0.70])",
        "Recalibrated on 8 of these patients, on the others: log loss 0.320 [0.300 to 0.380] instead of 0.610",
    ):
        assert part in text
    assert "for hem (" not in text
    assert "COPIES" not in text


def test_copies_have_their_sentences() -> None:
    none_left = replace(IMAGES, scored=0, groups=0, counts=(0, 0))
    text = words(images=none_left, copies=CopiesTested(2, 3, compared=9, training=9), combinations=())
    assert text.startswith("ALL IMAGES ARE COPIES of training images (2 identical files, 3 near-duplicates)")
    assert "\n" not in text
    some = CopiesTested(2, 3, 1, 4, compared=0, training=9, without=0.7, without_low=0.6, without_high=0.8)
    text = words(copies=some)
    assert "5 images are copies of training images (2 identical files, 3 near-duplicates) and are left out; 1" in text
    assert "4 further images are likely copies (copies.csv) and stay in the score; without them it is 70.00 %" in text
    assert "COPIES NOT EXCLUDED: none of the training images could be read" in text


def test_where_copies_are_likely_a_good_score_is_no_test() -> None:
    good = replace(COMBINATION, gap=0.02, gap_low=-0.03, gap_high=0.06)
    for compared, likely, verdict in ((0, 3, "copies likely"), (1000, 3, "holds"), (0, 2, "holds")):
        copies = CopiesTested(likely=likely, compared=compared, training=1000)
        assert verdict_of(replace(ANSWER, combinations=(good,), copies=copies)) == verdict
    worse = replace(ANSWER, copies=CopiesTested(likely=9, training=1000))
    assert verdict_of(worse) == "lower"


def test_quantities_have_names() -> None:
    names = ["colour.mean.r", "colour.sd.b", "file.width", "sharpness.bend", "sharpness.band 3 to 4"]
    assert [words_of_quantity(name) for name in names] == [
        "mean of red", "spread of blue", "width in pixels", "bend of outlines", "noise, band 3 to 4",
    ]  # fmt: skip


def test_what_is_not_known_is_said() -> None:
    images = replace(IMAGES, patients=False, absent=("Pro",))
    text = words(shifts=(), shares=(), recalibration=(), images=images)
    assert "is not known: the bundle holds no measurements" in text
    assert "There is no image of Pro" in text
    assert "The patients of these images are not (all) known" in text
    assert words(combinations=(replace(COMBINATION, value=None, error="singular matrix"),)).startswith(
        "FAILED: e x s x c could not be fitted or has no score here: singular matrix"
    )


def test_the_answer_is_read_as_it_was_written(tmp_path: Path) -> None:
    assert ExternalAnswer.from_json(json.loads(json.dumps(ANSWER.to_json()))) == ANSWER
    for name, text in (("a", json.dumps(ANSWER.to_json())), ("b", "{}"), ("c", "no JSON")):
        (tmp_path / "external" / name).mkdir(parents=True)
        (tmp_path / "external" / name / "answer.json").write_text(text)
    assert external_answers(tmp_path) == {tmp_path / "external" / "a": ANSWER}
    with pytest.raises(ConfigurationError, match="another version"):
        ExternalAnswer.from_json({"schema": 99})

"""Rates in words: of 100 or 1,000, never all of them where some are missed."""

from __future__ import annotations

import math

import pandas as pd
import pytest

from leukobench.reporting.recognition import Recognition, most_frequent_error, of_patients


@pytest.mark.parametrize(
    ("hits", "images", "out_of", "words"),
    [
        (119, 155, 100, "of 100 images about 77 are recognised (70 to 83); the others mostly as B"),
        (501, 504, 1000, "of 1,000 images about 994 are recognised (700 to 830); the others mostly as B"),
        (30, 30, 100, "all were recognised; of 100 new images 70 to 83"),
        (0, 0, 100, "no image was predicted"),
    ],
)
def test_a_rate_is_a_number_of_images(hits: int, images: int, out_of: int, words: str) -> None:
    assert Recognition("A", hits, images, 0.7, 0.83, "B").words(out_of) == words


def test_a_missed_image_is_not_rounded_away() -> None:
    assert Recognition("A", 501, 504, 0.98, 1.0).rounds_to_all(100) is False
    assert Recognition("A", 502, 504, 0.98, 1.0).rounds_to_all(100) is True
    assert Recognition("A", 504, 504, 0.99, 1.0).rounds_to_all(100) is False


def test_an_interval_that_would_not_hold_is_not_stated() -> None:
    assert "(interval not stated: too few groups)" in Recognition("A", 3, 4, math.nan, math.nan).words(100)


def test_patients_are_counted_once() -> None:
    assert of_patients(48, 0.9375, 0.83, 0.987).startswith("Of 100 patients about 94 get the right class (83 to 99)")
    assert of_patients(48, 1.0, 0.93, 1.0).startswith("All 48 patients get the right class")
    assert of_patients(48, math.nan, math.nan, math.nan) == ""


def test_the_most_frequent_error_is_no_correct_prediction() -> None:
    counts = {"label": ["A", "A", "A", "B"], "predicted": ["A", "B", "C", "A"], "count": [9, 1, 2, 0]}
    assert most_frequent_error(pd.DataFrame(counts), "A") == "C"
    assert most_frequent_error(pd.DataFrame(counts), "B") == ""
    assert most_frequent_error(pd.DataFrame(), "A") == ""

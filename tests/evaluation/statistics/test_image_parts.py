"""Parts of the images: classes, pairs, patients, fifths of numbers, values of texts; small ones are left out."""

from __future__ import annotations

import numpy as np
import pytest

from leukobench.evaluation.statistics.image_parts import LABEL, LEAST_IMAGES, PAIR, PATIENT, Predicted, parts


def images(classes: int = 3, **facts: dict[str, np.ndarray]) -> Predicted:
    labels = np.arange(60) % classes
    predicted = np.tile(labels, (2, 1))
    predicted[0, :6] = (labels[:6] + 1) % classes
    patients = np.array([f"p{row // 20}" for row in range(60)])
    names = tuple("abc"[:classes])
    return Predicted(labels, names, predicted, np.arange(60) // 20, np.arange(60), patients, **facts)


def test_errors_are_shares_of_the_repeats() -> None:
    np.testing.assert_array_equal(images().errors, np.where(np.arange(60) < 6, 0.5, 0.0))


def test_classes_pairs_and_patients_are_parts() -> None:
    own = images()
    every = {(one.fact, one.name): one for one in parts(own)}
    assert [key for key in every if key[0] == LABEL] == [(LABEL, name) for name in "abc"]
    assert len([key for key in every if key[0] == PAIR]) == 6
    pair = every[PAIR, "a taken for b"]
    np.testing.assert_array_equal(pair.inside, own.labels == 0)
    np.testing.assert_array_equal(pair.outside, own.labels == 2)
    assert pair.errors[pair.inside].sum() == 1.0  # two images, in one of two repeats
    patient = every[PATIENT, "p1"]
    np.testing.assert_array_equal(patient.inside, np.arange(60) // 20 == 1)
    assert len(np.unique(patient.units)) == 60  # images are the evidence on a patient, patients on all else
    assert len(np.unique(pair.units)) == 3


def test_two_classes_have_no_pairs_beside_themselves() -> None:
    assert {one.fact for one in parts(images(2))} == {LABEL, PATIENT}


def test_numbers_are_cut_into_fifths_and_unknown_ones_left_out() -> None:
    numbers = np.arange(60, dtype=float)
    numbers[:10] = np.nan
    own = [one for one in parts(images(numbers={"age": numbers})) if one.fact == "age"]
    assert [one.name.split(",")[0] for one in own] == [
        "lowest fifth", "second fifth", "middle fifth", "fourth fifth", "highest fifth",
    ]  # fmt: skip
    assert [int(one.inside.sum()) for one in own] == [10] * 5
    assert not any((one.inside | one.outside)[:10].any() for one in own)
    assert own[0].name.endswith("10 to 19")


@pytest.mark.parametrize("numbers", [np.full(60, 7.0), np.full(60, np.nan)])
def test_a_number_that_all_images_share_makes_no_part(numbers: np.ndarray) -> None:
    assert not [one for one in parts(images(numbers={"size": numbers})) if one.fact == "size"]


def test_values_of_texts_are_parts_unless_few_images_have_them() -> None:
    site = np.array(["A"] * 30 + ["B"] * 26 + ["C"] * (LEAST_IMAGES - 1))
    own = [one for one in parts(images(texts={"site": site})) if one.fact == "site"]
    assert [one.name for one in own] == ["A", "B"]
    unknown = np.array(["A"] * 30 + [""] * 30)
    own = [one for one in parts(images(texts={"site": unknown})) if one.fact == "site"]
    assert [(one.name, int(one.outside.sum())) for one in own] == [("A", 30)]


def test_expected_errors_are_those_of_the_classes() -> None:
    own = images(texts={"site": np.where(np.arange(60) % 3 == 1, "B", "A")})
    part = next(one for one in parts(own) if (one.fact, one.name) == ("site", "B"))
    assert own.expected(part) == pytest.approx(own.errors[own.labels == 1].mean())

"""Shapes say what each level of folders means."""

from __future__ import annotations

import pytest

from leukobench.errors import ConfigurationError
from leukobench.images.index import index_images
from leukobench.images.shapes import ShapeLayout

from .trees import write_image


@pytest.fixture
def folder(tmp_path):
    for number, path in enumerate(["s1/a/p1/x/1.png", "s1/b/p1/2.png", "s2/a/3.png", "s2/4.png", "5.png"]):
        write_image(tmp_path / path, number)
    return tmp_path


def test_each_word_is_a_label_a_patient_or_a_column(folder):
    images = index_images(folder, "site/class/patient").images.sort_values("path")
    assert images[["label", "patient", "site"]].to_numpy().tolist() == [
        ["a", "p1", "s1"], ["b", "p1", "s1"], ["a", "", "s2"]
    ]  # fmt: skip
    assert list(index_images(folder, "any/class").images) == ["image_id", "label", "patient", "path"]


def test_images_above_the_class_are_refused(folder):
    assert index_images(folder, "site/class").ledger["reason"].tolist() == 2 * ["not in a class folder"]


@pytest.mark.parametrize(
    "shape",
    ["split/site", "class/class", "patient/group/class", "class/", "/", "Split/class", "row/class", "path/class"],
)
def test_a_shape_without_sense_is_refused(shape):
    with pytest.raises(ConfigurationError, match="what each level of folders means"):
        ShapeLayout(shape)

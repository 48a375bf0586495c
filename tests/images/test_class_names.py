"""Class names that differ in writing alone are said, in folders and in manifests."""

from __future__ import annotations

import pytest

from leukobench.images.class_names import twins
from leukobench.images.index import index_images

from .trees import write_image

TWINS = [
    ("EOSINOPHIL", "Eosinophil"),
    ("Early", "Early "),
    ("Pre B", "Pre  B"),
    ("Pre-B", "Pre_B"),
    ("Leuk\u00e4mie", "Leuka\u0308mie"),
    ("Stra\u00dfe", "STRASSE"),
    ("1", "1.0"),
    ("1", "01"),
    ("\ufb01ne", "fine"),
]


@pytest.mark.parametrize("names", TWINS)
def test_twins_are_said_in_folders_and_manifests(tmp_path, names):
    for number, name in enumerate([*names, "other"]):
        write_image(tmp_path / name / f"{number}.png", number)
    warnings = index_images(tmp_path).warnings
    assert len(warnings) == 1
    assert all(repr(name) in warnings[0] for name in names)
    if names == TWINS[4]:
        assert ascii(names[1]) in warnings[0]  # the two look the same
    table = tmp_path / "list.csv"
    table.write_text("path,label\n" + "".join(f"{name}/{n}.png,{name}\n" for n, name in enumerate([*names, "other"])))
    stripped = len({name.strip() for name in names})
    assert len(index_images(table).warnings) == stripped - 1  # a manifest's labels are without blanks at their ends


def test_other_names_are_no_twins():
    assert twins(["1", "2", "10", "1e1", "Pre", "Pro", "+", "-", "a", "b", "1.5", "15", "nan", ""]) == []

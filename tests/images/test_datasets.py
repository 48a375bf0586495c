"""The list of public sets is whole, and its layouts are those that there are."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml

from leukobench.errors import UnknownNameError
from leukobench.images import datasets
from leukobench.images.datasets import UNKNOWN, PublicSet, public_set, public_sets
from leukobench.images.layouts import get_layout

NAMES = list(public_sets())


@pytest.mark.parametrize("name", NAMES)
def test_every_fact_is_there_and_has_its_type(name: str) -> None:
    stored = yaml.safe_load(Path(datasets.__file__).with_suffix(".yaml").read_text(encoding="utf-8"))[name]
    assert {*stored, "name"} == {field.name for field in fields(PublicSet)}
    one = public_set(name)
    assert all(isinstance(word, str) and word for word in (*one.classes, *one.traps, one.licence, one.patients))
    assert one.classes
    assert one.traps
    for count in (one.images, one.bytes):
        assert (isinstance(count, int) and count > 0) or str(count).startswith(UNKNOWN)
    assert "\N{EM DASH}" not in str(one)


@pytest.mark.parametrize("name", NAMES)
def test_the_layout_is_one_that_the_option_takes(name: str) -> None:
    layout = public_set(name).layout
    assert layout == UNKNOWN or get_layout(layout)


@pytest.mark.parametrize("name", NAMES)
def test_addresses_are_well_formed(name: str) -> None:
    address = urlsplit(public_set(name).url)
    assert address.scheme in ("https", "http")
    assert "." in address.netloc
    assert " " not in address.geturl()
    assert not address.username


def test_a_name_that_is_not_there_is_a_message() -> None:
    with pytest.raises(UnknownNameError, match="did you mean brain-mri"):
        public_set("brain")


@pytest.mark.real
def test_the_size_of_the_images_at_hand_is_right(real_images: Path) -> None:
    files = list(real_images.rglob("*.jpg"))
    assert (len(files), sum(path.stat().st_size for path in files)) == (
        public_set("aria").images,
        public_set("aria").bytes,
    )

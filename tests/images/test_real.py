"""The ALL images (M. Aria et al.), where they are at hand: what is known of them is found again."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from leukobench.images.index import index_images
from leukobench.images.reading import read_image

FOLDER = Path(os.environ.get("LEUKOBENCH_TEST_IMAGES", "absent"))
pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not FOLDER.is_dir(), reason="LEUKOBENCH_TEST_IMAGES names no folder"),
]


@pytest.fixture(scope="module")
def index():
    return index_images(FOLDER)


def test_classes_and_copies_are_the_known_ones(index):
    assert index.layout == "all"
    assert index.counts()["images"].to_dict() == {"Benign": 504, "Early": 985, "Pre": 963, "Pro": 804}
    assert len(index) - index.images["image_id"].nunique() == 40
    assert index.group.max() + 1 == 3216
    assert len(index.conflicts()) == 0
    index.check(5)


def test_images_decode_completely(index):
    assert {read_image(path).shape for path in index.images["path"][::16]} == {(224, 224, 3)}

"""The protocol in words: patients of several labels are named."""

from __future__ import annotations

import pandas as pd

from leukobench.images.index import ImageIndex
from leukobench.reporting.protocol import groups


def index_of(patients: str, labels: str) -> ImageIndex:
    images = pd.DataFrame({"image_id": [f"{row:02}" for row in range(len(patients))], "label": list(labels)})
    images = images.assign(patient=list(patients), path=images["image_id"])
    return ImageIndex(images, pd.DataFrame({"path": [], "reason": []}), "folders", "file names")


def test_patients_of_several_labels_are_named() -> None:
    assert "several labels" not in groups(index_of("ppqqr", "aabbb")).words
    words = groups(index_of("ppqqrr", "abbbab")).words
    assert words.endswith("; 2 of them have images of several labels and are not scored as patients: p, r")
    words = groups(index_of("ppqqrrssttuu", "abbbabababab")).words
    assert words.endswith("5 of them have images of several labels and are not scored as patients: p, r, s, t, u")
    assert groups(index_of("ppqqrrssttuuvv", "ab" * 7)).words.endswith(": p, q, r, s, t and 2 more")
    assert (
        "1 of them has images of several labels and is not scored as a patient: p"
        in groups(index_of("ppqq", "abbb")).words
    )

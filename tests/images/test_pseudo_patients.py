from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn.metrics import adjusted_rand_score

from leukobench.images.pseudo_patients import blocks, stain_clusters


def test_consecutive_numbers_of_a_class_are_a_block() -> None:
    names = ["/a/Pro/WBC-Pro-007.jpg", "/a/Pro/WBC-Pro-009.jpg", "/a/Pro/WBC-Pro-010.jpg", "/a/Early/WBC-Early-009.jpg"]
    images = pd.DataFrame({"label": ["Pro", "Pro", "Pro", "Early"], "path": names})
    first, second, third, other = blocks(images, 10)
    assert first == second
    assert len({first, third, other}) == 3


def test_names_that_count_differently_are_not_mixed() -> None:
    names = ["/a/Sap_013 (1).jpg", "/a/Sap_014 (1).jpg", "/a/picture.jpg"]
    first, second, without = blocks(pd.DataFrame({"label": ["x"] * 3, "path": names}), 10)
    assert first != second
    assert without == ""


def test_stain_clusters_find_the_stains_within_each_class() -> None:
    rng = np.random.default_rng(0)
    stain = np.repeat([0, 1, 2, 0, 1, 2], 20)
    label = np.repeat(["Benign", "Pro"], 60)
    colours = rng.normal(0, 1, (120, 6)) + 30 * stain[:, None]
    keys = stain_clusters(pd.DataFrame({"label": label}), colours, 3)
    assert adjusted_rand_score([f"{a}{b}" for a, b in zip(label, stain, strict=True)], keys) == 1


def test_a_class_with_fewer_images_than_clusters_has_one_each() -> None:
    keys = stain_clusters(pd.DataFrame({"label": ["a", "a", "b"]}), np.arange(18.0).reshape(3, 6), 5)
    assert len(set(keys)) == 3

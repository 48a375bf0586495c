"""Clusters hold the copies of one image."""

from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from leukobench.audit.clusters import clusters_of


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 11), st.integers(0, 11)), max_size=14))
def test_chains_of_pairs_are_one_cluster(pairs: list[tuple[int, int]]) -> None:
    reached = np.eye(12, dtype=bool)
    for a, b in pairs:
        reached[a, b] = reached[b, a] = True
    for _ in range(12):
        reached = reached @ reached
    copies = pd.DataFrame([(f"{a:02d}", f"{b:02d}") for a, b in pairs], columns=["image_id_a", "image_id_b"])
    ids = [f"{number:02d}" for number in range(12)]
    keys = clusters_of(copies, pd.DataFrame({"image_id": ids}))
    paired = {number for pair in pairs for number in pair}
    assert [key != "" for key in keys] == [number in paired for number in range(12)]
    for a in paired:
        assert [keys[a] == keys[b] for b in paired] == [bool(reached[a, b]) for b in paired]

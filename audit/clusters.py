"""Clusters: which images share a group because they are copies of one."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


def clusters_of(copies: pd.DataFrame, images: pd.DataFrame) -> list[str]:
    """Return a key for each row of `images`: copies of one image share it; '' where there is no copy."""
    from scipy.cluster.hierarchy import DisjointSet

    joined: DisjointSet = DisjointSet([*copies["image_id_a"], *copies["image_id_b"]])
    for pair in zip(copies["image_id_a"], copies["image_id_b"], strict=True):
        joined.merge(*pair)
    names = {member: f"copies of {min(subset)}" for subset in joined.subsets() for member in subset}
    return [names.get(image_id, "") for image_id in images["image_id"]]

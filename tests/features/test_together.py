"""One pass over the images for several poolings of one network: the same vectors, each image read once."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from leukobench.features.cache import FeatureCache
from leukobench.features.extraction import compute
from leukobench.features.extractors import make_extractor
from leukobench.features.together import Together, together

POOLINGS = ("average", "multilevel", "max")


def lite(pooling: str, **said: Any) -> Any:
    return make_extractor("efficientnet_lite0", {"pooling": pooling, **said})


@pytest.fixture(scope="module")
def images(smears: Path) -> list[tuple[str, str]]:
    paths = sorted(smears.rglob("*.jpg"))[:9]
    return [(hashlib.sha256(path.read_bytes()).hexdigest(), str(path)) for path in paths]


def filled(folder: Path, extractor: Any, members: list[Any], images: list[tuple[str, str]]) -> list[np.ndarray]:
    caches = [FeatureCache(folder, member.identity) for member in members]
    refused: dict[str, str] = {}
    compute(images, extractor, caches, 2, refused)
    assert not refused
    matrices = []
    for number, cache in enumerate(caches):
        assert cache.fill([name for name, _ in images], folder / f"{number}.npy") == []
        matrices.append(np.load(folder / f"{number}.npy"))
    return matrices


@pytest.mark.slow
def test_the_vectors_are_those_of_each_pooling_alone(images: list[tuple[str, str]], tmp_path: Path) -> None:
    members = [lite(pooling) for pooling in POOLINGS]
    (group,) = together(members)
    joint = filled(tmp_path / "joint", group, members, images)
    for member, vectors in zip(members, joint, strict=True):
        (alone,) = filled(tmp_path / member.pooling, member, [member], images)
        np.testing.assert_allclose(vectors, alone, rtol=1e-5, atol=1e-5)
        names = [
            FeatureCache(tmp_path / folder, member.identity).feature_names() for folder in ("joint", member.pooling)
        ]
        assert names[0] == names[1]


@pytest.mark.slow
def test_each_image_is_read_once(
    images: list[tuple[str, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    members = [lite("average"), lite("max")]
    (group,) = together(members)
    reads: list[int] = []
    read = group.read
    monkeypatch.setattr(group, "read", lambda data: reads.append(len(data)) or read(data))
    filled(tmp_path, group, members, images)
    assert len(reads) == len(images)


def test_only_what_differs_in_the_pooling_alone_goes_together() -> None:
    average, multilevel = lite("average"), lite("multilevel")
    other = [lite("max", weights="random:1"), lite("max", engine="keras"), lite("average", precision="bfloat16")]
    groups = together([average, *other, multilevel])
    assert [group.members for group in groups] == [[average, multilevel]]
    assert isinstance(groups[0], Together)
    assert together([average]) == []
    assert together([average, lite("average")]) == []

"""Extraction by shards on other machines: here in this process, which stands for one."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from leukobench.errors import ClusterError, ExtractionError
from leukobench.features import shards
from leukobench.features.cache import FeatureCache
from leukobench.features.extraction import extract_to
from leukobench.features.extractors import make_extractor
from leukobench.machine import Stop

from ..in_process import Elsewhere


class Dies(Elsewhere):
    """Loses each piece."""

    def map(
        self, work: Callable[..., Any], pieces: Iterable[tuple[Any, ...]], stopped: Any
    ) -> Iterator[tuple[int, Any]]:
        for position, _ in enumerate(pieces):
            while stopped(position, Stop("", "it died")):
                pass
            yield position, None


@pytest.fixture
def images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    monkeypatch.setenv("COUNT_FILE", str(tmp_path / "seen"))
    monkeypatch.setattr(shards, "_LEAST", 3)
    files = []
    for number in range(11):
        path = tmp_path / f"{number}.png"
        Image.fromarray(np.random.default_rng(number).integers(0, 255, (20, 30, 3), np.uint8)).save(path)
        files.append((hashlib.sha256(path.read_bytes()).hexdigest(), str(path)))
    return files


@pytest.mark.parametrize("shares", [True, False])
def test_vectors_are_those_of_this_machine(
    images: list[tuple[str, str]], plugin: str, tmp_path: Path, shares: bool
) -> None:
    colours = make_extractor(f"{plugin}:Colours", {})
    here, there = (FeatureCache(tmp_path / name, colours.identity) for name in ("here", "there"))
    Path(images[4][1]).write_bytes(b"damaged")
    advanced: list[float] = []
    refused = extract_to(tmp_path / "x.npy", colours, images, here, 1)
    cluster = Elsewhere(shares)
    assert extract_to(tmp_path / "y.npy", colours, images, there, 1, advanced.append, cluster) == refused
    assert (tmp_path / "x.npy").read_bytes() == (tmp_path / "y.npy").read_bytes()
    assert sorted(advanced) == [2, 3, 3, 3]
    assert list(refused) == [images[4][0]]


def test_what_only_the_other_machine_cannot_read_ends_the_run_with_its_name(
    images: list[tuple[str, str]], plugin: str, tmp_path: Path
) -> None:
    colours = make_extractor(f"{plugin}:Colours", {})
    cache = FeatureCache(tmp_path / "cache", colours.identity)
    Path(images[4][1]).unlink()
    with pytest.raises(ClusterError, match=r"The machine \S+ of the cluster cannot read .*4\.png"):
        shards.extract_shards(images, colours, [cache], Elsewhere(), lambda image_id, path: True, lambda done: None)


def test_a_shard_that_dies_twice_is_an_error_of_its_extractor(
    images: list[tuple[str, str]], plugin: str, tmp_path: Path
) -> None:
    colours = make_extractor(f"{plugin}:Colours", {})
    cache = FeatureCache(tmp_path / "cache", colours.identity)
    with pytest.raises(ExtractionError, match="3 images could not be extracted: it died"):
        extract_to(tmp_path / "x.npy", colours, images, cache, 1, cluster=Dies())

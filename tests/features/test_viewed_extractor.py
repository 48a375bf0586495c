"""An extractor in views: what it gives of the files of the views, in one pass, under an identity of their own."""

from __future__ import annotations

import contextlib
import hashlib
import io
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from PIL import Image

from leukobench.features.cache import FeatureCache
from leukobench.features.extraction import compute
from leukobench.features.viewed_extractor import ViewedExtractor, viewed_identity
from leukobench.features.views import VIEWS
from leukobench.images.reading import decode


class Means:
    """Mean of each channel, and the height."""

    identity: Mapping[str, str] = MappingProxyType({"name": "means"})
    description = ""
    feature_names = ("r", "g", "b", "height")

    def read(self, data: bytes) -> np.ndarray:
        return decode(data)

    @contextlib.contextmanager
    def open(self, threads: int) -> Iterator[Means]:
        yield self

    def vectors(self, images: Iterable[Any]) -> Iterator[np.ndarray]:
        for image in images:
            yield np.array([*image.mean(axis=(0, 1)), len(image)], np.float32)


def files(folder: Path, count: int, size: int = 50) -> list[tuple[str, str]]:
    listed = []
    for number in range(count):
        stream = io.BytesIO()
        pixels = np.random.default_rng(number).integers(0, 256, (size, size, 3)).astype(np.uint8)
        Image.fromarray(pixels).save(stream, "PNG")
        path = folder / f"{number}.png"
        path.write_bytes(stream.getvalue())
        listed.append((hashlib.sha256(stream.getvalue()).hexdigest(), str(path)))
    return listed


def test_all_views_come_from_one_pass_and_lie_in_caches_of_their_own(tmp_path: Path) -> None:
    images, extractor = files(tmp_path, 5), Means()
    caches = [FeatureCache(tmp_path / "cache", viewed_identity(extractor, view)) for view in VIEWS]
    assert len({cache.folder for cache in caches}) == len(VIEWS)
    compute(images, ViewedExtractor(extractor, VIEWS), caches, 1, {})
    for view, cache in zip(VIEWS, caches, strict=True):
        assert not cache.fill([image for image, _ in images], tmp_path / "own.npy")
        changed = [view.change(decode(Path(path).read_bytes())) for _, path in images]
        expected = [[*one.mean(axis=(0, 1)), len(one)] for one in changed]
        np.testing.assert_allclose(np.load(tmp_path / "own.npy"), expected, rtol=1e-5)


def test_large_images_are_reduced_before_they_are_changed(tmp_path: Path) -> None:
    (_, path), *_ = files(tmp_path, 1, size=2100)
    grey = next(view for view in VIEWS if view.name == "grey")
    (read,) = ViewedExtractor(Means(), [grey]).read(Path(path).read_bytes())
    assert read.shape == (700, 700, 3)

"""An extractor that sees images in counterfactual views: each image is decoded once for all of them."""

from __future__ import annotations

import contextlib
import io
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..images.reading import READS_PIXELS, decode
from .extractor import Extractor, OpenExtractor
from .views import View

SPEAKS_FOR = {"view": ("features.views", "features.viewed_extractor", "features.background", *READS_PIXELS)}
"""Key of the identity -> modules that it speaks for; see `leukobench.features.network_extractor`."""
_LARGEST = 1024
"""Longer images are reduced to between a half of it and all of it before they are changed."""


def viewed_identity(extractor: Extractor, view: View) -> Mapping[str, Any]:
    """What the features of a view depend on."""
    return {**extractor.identity, "view": [view.name, view.version]}


class ViewedExtractor:
    """Reads each image in several views, and gives their vectors one after the other as one.

    Parameters
    ----------
    extractor : Extractor
        Any that decodes the bytes of an image file: it is handed each view as a BMP file.
    views : sequence of View
    """

    def __init__(self, extractor: Extractor, views: Sequence[View]) -> None:
        self._extractor, self._views = extractor, views

    def read(self, data: bytes) -> Any:
        """List of what the extractor reads of each view; see `Extractor.read`."""
        pixels = decode(data, target_size=(_LARGEST // 3, _LARGEST // 3))
        if (longest := max(pixels.shape[:2])) > _LARGEST:
            pixels = np.asarray(Image.fromarray(pixels).reduce(-(-longest // _LARGEST)))
        return [self._extractor.read(_as_file(view.change(pixels))) for view in self._views]

    @contextlib.contextmanager
    def open(self, threads: int) -> Iterator[_Opened]:
        """Load what the extractor needs; see `Extractor.open`."""
        with self._extractor.open(threads) as opened:
            yield _Opened(opened, len(self._views))

    def columns(self, names: Sequence[str]) -> list[slice]:
        """Where the numbers of each view stand."""
        count = len(self._views)
        if count == 1:
            return [slice(None)]
        width = len(names) // count
        return [slice(start, start + width) for start in range(0, count * width, width)]


class _Opened:
    def __init__(self, opened: OpenExtractor, count: int) -> None:
        self._opened, self._count = opened, count

    @property
    def feature_names(self) -> Sequence[str]:
        return [*self._opened.feature_names] * self._count

    def vectors(self, images: Iterable[Any]) -> Iterator[NDArray[np.float32]]:
        vectors = self._opened.vectors(itertools.chain.from_iterable(images))
        while several := list(itertools.islice(vectors, self._count)):
            yield np.concatenate(several)


def _as_file(pixels: NDArray[np.uint8]) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "BMP")
    return stream.getvalue()

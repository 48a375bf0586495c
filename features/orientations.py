"""Orientations: an image's vector averaged over its right-angled turns, since a smear has no upside."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..errors import ConfigurationError

if TYPE_CHECKING:
    from .extractor import OpenExtractor

VIEWS = 8


def check_orientations(orientations: int, name: str, input_size: tuple[int, int]) -> None:
    """Raise a `ConfigurationError` unless the network `name` can average over this number of orientations."""
    height, width = input_size
    possible = orientations in (1, VIEWS) and not isinstance(orientations, bool)
    if not possible or (orientations == VIEWS and height != width):
        raise ConfigurationError(
            f"{name} cannot average over {orientations!r} orientations.",
            expected="1, or 8 for a network with square input",
            received=f"orientations: {orientations!r}, input of {height} x {width} pixels",
            fix="leave `orientations` out, or set it to 8.",
        )


def views(image: NDArray[np.uint8]) -> Iterator[NDArray[np.uint8]]:
    """The eight right-angled orientations of an image of shape (side, side, 3)."""
    for side in (image, image[:, ::-1]):
        for quarter in range(4):
            yield np.ascontiguousarray(np.rot90(side, quarter))


@contextlib.contextmanager
def average_orientations(opened: AbstractContextManager[OpenExtractor]) -> Iterator[OpenExtractor]:
    """An engine whose vectors are the means over the eight orientations of each image."""
    with opened as engine:
        yield _Averaged(engine)


class _Averaged:
    def __init__(self, engine: OpenExtractor) -> None:
        self._engine = engine

    @property
    def feature_names(self) -> Sequence[str]:
        return self._engine.feature_names

    def vectors(self, images: Iterable[NDArray[np.uint8]]) -> Iterator[NDArray[np.float32]]:
        vectors = self._engine.vectors(view for image in images for view in views(image))
        while eight := list(itertools.islice(vectors, VIEWS)):
            yield np.stack(eight).mean(axis=0, dtype=np.float64).astype(np.float32)

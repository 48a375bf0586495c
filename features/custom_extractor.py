"""A user's own object with ``transform(images)`` as an extractor."""

from __future__ import annotations

import contextlib
import functools
import itertools
import sys
import traceback
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.metadata import packages_distributions, version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ConfigurationError, ExtractionError
from ..images.reading import READS_PIXELS, decode, resize
from .network_extractor import DECODING

SPEAKS_FOR = {"decoding": (*READS_PIXELS, "features.custom_extractor")}
_BATCH = 32


class CustomExtractor:
    """A user's object with ``transform(images) -> (n, d)``, where images is a list of (H, W, 3) uint8 RGB arrays.

    An attribute ``input_size = (height, width)`` asks for resized images.
    """

    description = "an extractor of the user's own"
    feature_names: Sequence[str] = ()

    def __init__(self, name: str, transformer: Any, parameters: Mapping[str, Any], source: str) -> None:
        if not hasattr(transformer, "transform"):
            raise ConfigurationError(
                f"The extractor '{name}' cannot extract.",
                expected="an object with transform(images), images a list of uint8 arrays of shape (H, W, 3)",
                received=type(transformer).__name__,
            )
        self.name = name
        self._transformer = transformer
        self.input_size = _checked_size(name, getattr(transformer, "input_size", None))
        self._width = 0
        self.identity: Mapping[str, Any] = {
            "name": name.rpartition(":")[2].rpartition(".")[2],
            "source": source,
            "version": _distribution_version(type(transformer).__module__),
            "parameters": {key: repr(value) for key, value in parameters.items()},
            "input_size": list(self.input_size) if self.input_size else None,
            "decoding": DECODING if self.input_size else "whole; BMP without empty alpha",
        }

    def read(self, data: bytes) -> NDArray[np.uint8]:
        """Pixels, at the size that the object asks for; see `Extractor.read`."""
        image = decode(data, target_size=self.input_size)
        return resize(image, self.input_size) if self.input_size else image

    @contextlib.contextmanager
    def open(self, threads: int) -> Iterator[CustomExtractor]:
        """There is nothing to load."""
        yield self

    def vectors(self, images: Iterable[NDArray[np.uint8]]) -> Iterator[NDArray[np.float32]]:
        """Vectors in batches of 32 images."""
        images = iter(images)
        while batch := list(itertools.islice(images, _BATCH)):
            rows = self._transform(batch)
            width = self._width
            self._width = width or (rows.shape[1] if rows.ndim == 2 else 0)
            if not self._width or rows.shape != (len(batch), self._width):
                raise ExtractionError(
                    f"The extractor '{self.name}' gave numbers of shape {rows.shape} for {len(batch)} images.",
                    expected=f"shape ({len(batch)}, {width or 'd'}): one row of {width or 'd'} numbers an image",
                    received=f"shape {rows.shape}",
                    fix="correct what transform returns, and run the same command again.",
                )
            yield from rows

    def _transform(self, batch: list[NDArray[np.uint8]]) -> NDArray[np.float32]:
        try:
            return np.asarray(self._transformer.transform(batch), dtype=np.float32)
        except Exception as error:
            raise ExtractionError(
                f"The extractor '{self.name}' failed in {self._place(error)}: {type(error).__name__}: {error}.",
                received=f"{len(batch)} images, the first of shape {batch[0].shape}",
                fix="correct it and run the same command again.",
            ) from error

    def _place(self, error: Exception) -> str:
        """File and line in the user's own code, rather than in a library that it calls."""
        file = getattr(sys.modules.get(type(self._transformer).__module__), "__file__", None) or __file__
        frames = traceback.extract_tb(error.__traceback__)
        own = [frame for frame in frames if Path(frame.filename).is_relative_to(Path(file).parent)]
        return f"{(own or frames)[-1].filename}:{(own or frames)[-1].lineno}"


def _checked_size(name: str, size: Any) -> tuple[int, int] | None:
    pair = isinstance(size, tuple | list) and len(size) == 2 and all(isinstance(n, int) and n > 0 for n in size)
    if size is not None and not pair:
        raise ConfigurationError(
            f"The extractor '{name}' has an impossible input_size.", expected="(height, width)", received=repr(size)
        )
    return tuple(size) if size else None


@functools.cache
def _distribution_version(module: str) -> str:
    """Version of the installed package that a module belongs to; to look through all of them takes half a second."""
    owners = packages_distributions().get(module.partition(".")[0], [])
    return version(owners[0]) if owners else ""

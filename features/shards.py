"""Extraction by shards: images are handed out by their paths, and vectors go into the cache where they are computed."""

from __future__ import annotations

import contextlib
import platform
import uuid
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from ..errors import ClusterError, ExtractionError
from ..machine import Executor, Limits, Stop

_LEAST, _MOST, _SHARDS = 16, 256, 4
"""Images of a shard; shards of each worker."""

Images = Sequence[tuple[str, str]]


class Sink(Protocol):
    """Where vectors go: a `leukobench.features.cache.FeatureCache`, or what stands for one."""

    def append(self, ids: Sequence[str], vectors: NDArray[np.float32], names: Sequence[str]) -> None:
        """See `leukobench.features.cache.FeatureCache.append`."""


class Shard(NamedTuple):
    """What became of a shard.

    Attributes
    ----------
    machine : str
        That computed it.
    refused : dict
        image_id -> reason, of images that it could not read.
    parts : list of list of (ids, vectors, names)
        Of each cache, where the machine does not see them.
    """

    machine: str
    refused: dict[str, str]
    parts: list[list[tuple[Sequence[str], NDArray[np.float32], Sequence[str]]]]


def extract_shards(
    images: Images,
    extractor: Any,
    caches: Sequence[Sink],
    cluster: Executor,
    readable: Callable[[str, str], bool],
    advance: Callable[[int], None],
) -> dict[str, str]:
    """Let a cluster extract images and append them to the caches.

    Parameters
    ----------
    images, extractor, caches, advance
        As of `leukobench.features.extraction.compute`.
    cluster : Executor
    readable : callable
        Whether this machine can read an image, of which it gets id and path.

    Returns
    -------
    dict
        image_id -> reason, of each that no machine can read.

    Raises
    ------
    ClusterError
        A machine cannot read what this one can.
    """
    executor = cluster.within(Limits()).for_networks()
    size = min(_MOST, max(_LEAST, -(-len(images) // (_SHARDS * executor.workers))))
    shards = [images[start : start + size] for start in range(0, len(images), size)]
    sinks, key = (caches if executor.shares_cache else None), uuid.uuid4().hex
    pieces = [(shard, extractor, sinks, len(caches), key) for shard in shards]
    lost, refused = set[int](), dict[str, str]()

    def again(position: int, stop: Stop) -> tuple[Any, ...]:
        if position in lost:
            raise ExtractionError(f"{len(shards[position])} images could not be extracted: {stop.words}.")
        lost.add(position)
        return pieces[position]

    for position, result in executor.map(extract_shard, pieces, again):
        shard: Shard = result
        for cache, parts in zip(caches, shard.parts, strict=True):
            for part in parts:
                cache.append(*part)
        for image_id, path in shards[position]:
            if image_id in shard.refused and readable(image_id, path):
                raise _unseen(path, shard)
        refused |= shard.refused
        advance(len(shards[position]))
    return refused


def _unseen(path: str, shard: Shard) -> ClusterError:
    reasons = list(shard.refused.values())
    return ClusterError(
        f"The machine {shard.machine} of the cluster cannot read {path}, which this machine can.",
        expected="images under the same path on every machine",
        received=f"{len(reasons)} images that it cannot read, such as: {reasons[0]}",
        fix="put the images on storage that all machines see, such as a shared folder or s3://.",
    )


def extract_shard(
    images: Images,
    extractor: Any,
    caches: Sequence[Sink] | None,
    count: int,
    key: str,
    begin: Callable[[str], None],
) -> Shard:
    """Extract a shard in this process, with one thread; into the caches, or else to be sent back.

    The network stays open for the next shard of the same `key`.
    """
    from .extraction import compute

    begin("extracting")
    collected, refused = [_Collected() for _ in range(count)], dict[str, str]()
    sinks: Sequence[Sink] = collected if caches is None else caches
    compute(images, _Kept(extractor, key), sinks, 1, refused)
    return Shard(platform.node(), refused, [one.parts for one in collected])


class _Collected:
    """A cache that keeps its parts in memory."""

    def __init__(self) -> None:
        self.parts: list[tuple[Sequence[str], NDArray[np.float32], Sequence[str]]] = []

    def append(self, ids: Sequence[str], vectors: NDArray[np.float32], names: Sequence[str]) -> None:
        """See `Sink`."""
        self.parts.append((ids, vectors, names))


class _Kept:
    """An extractor whose network stays open in this process."""

    reads_in_processes = False
    _open: tuple[str, contextlib.ExitStack, Any] | None = None

    def __init__(self, extractor: Any, key: str) -> None:
        self._extractor, self._key = extractor, key

    def __getattr__(self, name: str) -> Any:
        return getattr(self._extractor, name)

    @contextlib.contextmanager
    def open(self, threads: int) -> Iterator[Any]:
        """What was opened for the shard before, if it is of the same extraction."""
        if _Kept._open is None or _Kept._open[0] != self._key:
            if _Kept._open:
                _Kept._open[1].close()
            stack = contextlib.ExitStack()
            _Kept._open = self._key, stack, stack.enter_context(self._extractor.open(threads))
        yield _Kept._open[2]

"""From image files to cached vectors, as a stream: memory does not grow with the number of images."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from ..errors import StorageError, UnreadableImageError
from ..images.reading import read_file, reading_threads
from ..machine import Executor
from ..processes.executors import Processes
from ..processes.spread import in_order
from .cache import PART_ROWS, FeatureCache
from .embedding_table import EmbeddingTable
from .shards import Sink, extract_shards

if TYPE_CHECKING:
    from .extractor import Extractor
    from .together import Together
    from .viewed_extractor import ViewedExtractor

_ATTEMPTS = 3
_LOOKAHEAD = 64
_PART_S, _PART_SHARE = 5.0, 0.05
"""A part holds what came in this time, or in this share of the time so far: parts are few, and a kill costs little."""
_MANY, _TOGETHER = 256, 16
"""Images that are worth other processes; those of a piece of their work."""

Advance = Callable[[int], None]
Item = TypeVar("Item")
Read = TypeVar("Read")


def extract_to(
    target: Path,
    extractor: Extractor,
    images: Sequence[tuple[str, str]],
    cache: FeatureCache,
    threads: int,
    advance: Advance = lambda done: None,
    cluster: Executor | None = None,
) -> dict[str, str]:
    """Write the vectors of `images` into the ``.npy`` file `target`; compute those that are not cached.

    Parameters
    ----------
    target : Path
        Gets shape (readable images, features), float32, rows in the order of `images` less the refused ones.
    extractor : Extractor
    images : sequence of (image_id, path)
        A repeated id is computed once.
    cache : FeatureCache
    threads : int
        Cores for decoding and for the network.
    advance : callable
        Called with the number of images just finished.
    cluster : Executor, optional
        Other machines, which extract in place of this one.

    Returns
    -------
    dict
        image_id -> reason, for each image that does not decode.
    """
    if isinstance(extractor, EmbeddingTable):
        extractor.write(target, images)
        return {}
    refused: dict[str, str] = {}
    for _ in range(_ATTEMPTS):
        missing = pending(images, cache)
        missing = [(image_id, path) for image_id, path in missing if image_id not in refused]
        compute(missing, extractor, [cache], threads, refused, advance, cluster)
        left = cache.fill([image_id for image_id, _ in images if image_id not in refused], target)
        if not left:
            return refused
    raise StorageError(
        f"{len(left)} vectors are missing from the cache just after they were written.",
        received=f"folder {cache.folder}",
        fix="the disk or another program damages these files: delete the folder, or set LEUKOBENCH_CACHE to another.",
    )


def feature_names(extractor: Extractor) -> list[str]:
    """Names of the features that `extract_to` wrote; empty while nothing was extracted."""
    if isinstance(extractor, EmbeddingTable):
        return list(extractor.feature_names)
    return FeatureCache.shared(extractor.identity).feature_names()


def pending(images: Iterable[tuple[str, str]], cache: FeatureCache) -> list[tuple[str, str]]:
    """Images that are not cached, each id once."""
    cached = cache.image_ids()
    return list({image_id: (image_id, path) for image_id, path in images if image_id not in cached}.values())


def compute(
    images: Sequence[tuple[str, str]],
    extractor: Extractor | Together | ViewedExtractor,
    caches: Sequence[Sink],
    threads: int,
    refused: dict[str, str],
    advance: Advance = lambda done: None,
    cluster: Executor | None = None,
) -> None:
    """Extract `images` and append them to the caches, part by part; refused images are added to `refused`.

    There is one cache, or one for each member of a `Together`.
    """
    if not images:
        return
    if cluster:
        refused |= extract_shards(images, extractor, caches, cluster, partial(_is_readable, extractor), advance)
        return
    accepted: deque[str] = deque()
    if len(images) >= _MANY and getattr(extractor, "reads_in_processes", False):
        read = _read_apart(images, extractor, threads)
    else:
        read = _read_here(images, extractor, threads)
    readable = _accept(read, accepted, refused, advance)
    first = next(readable, None)
    if first is None:
        return
    with extractor.open(threads) as engine:
        vectors = _count(engine.vectors(itertools.chain([first], readable)), advance)
        names = list(engine.feature_names)
        parts = extractor.columns(names) if hasattr(extractor, "columns") else [slice(None)]
        _append_in_parts(vectors, accepted, names, list(zip(caches, parts, strict=True)))


def _append_in_parts(
    vectors: Iterable[NDArray[np.float32]],
    accepted: deque[str],
    names: Sequence[str],
    sinks: Sequence[tuple[Sink, slice]],
) -> None:
    """Write a part when it is full, every few seconds, and on any interruption."""
    chunk: list[NDArray[np.float32]] = []
    first = begun = time.monotonic()

    def flush() -> None:
        if chunk:
            matrix = np.stack(chunk)
            ids = [accepted.popleft() for _ in chunk]
            chunk.clear()
            columns = names or [f"f_{position:04d}" for position in range(matrix.shape[1])]
            for cache, part in sinks:
                cache.append(ids, np.ascontiguousarray(matrix[:, part]), columns[part])

    try:
        for vector in vectors:
            chunk.append(vector)
            now = time.monotonic()
            if len(chunk) == PART_ROWS or now - begun > max(_PART_S, _PART_SHARE * (now - first)):
                flush()
                begun = time.monotonic()
    finally:
        flush()


def _count(vectors: Iterable[NDArray[np.float32]], advance: Advance) -> Iterator[NDArray[np.float32]]:
    for vector in vectors:
        advance(1)
        yield vector


def _accept(
    decoded: Iterable[tuple[tuple[str, str], NDArray[Any] | UnreadableImageError]],
    accepted: deque[str],
    refused: dict[str, str],
    advance: Advance,
) -> Iterator[NDArray[Any]]:
    for (image_id, _), image in decoded:
        if isinstance(image, UnreadableImageError):
            refused[image_id] = image.what
            advance(1)
        else:
            accepted.append(image_id)
            yield image


def read_ahead(items: Iterable[Item], read: Callable[[Item], Read], threads: int) -> Iterator[tuple[Item, Read]]:
    """Yield each item and ``read(item)``, in order; threads read at most `_LOOKAHEAD` items ahead."""
    waiting: deque[tuple[Item, Future[Read]]] = deque()
    with ThreadPoolExecutor(threads, thread_name_prefix="decode") as pool:
        try:
            for item in items:
                waiting.append((item, pool.submit(read, item)))
                if len(waiting) >= _LOOKAHEAD:
                    done, future = waiting.popleft()
                    yield done, future.result()
            while waiting:
                done, future = waiting.popleft()
                yield done, future.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _read_here(
    images: Sequence[tuple[str, str]], extractor: Extractor | Together | ViewedExtractor, cores: int
) -> Iterator[tuple[tuple[str, str], Any]]:
    """In threads of this process; where they measure, with one thread of compiled libraries, as processes do."""
    from threadpoolctl import threadpool_limits

    measures = getattr(extractor, "reads_in_processes", False)
    with threadpool_limits(1) if measures else contextlib.nullcontext():
        yield from read_ahead(images, lambda image: _read(*image, extractor), reading_threads(images[0][1], cores))


def _read_apart(
    images: Sequence[tuple[str, str]], extractor: Extractor | Together | ViewedExtractor, workers: int
) -> Iterator[tuple[tuple[str, str], Any]]:
    """As `read_ahead`, in processes."""
    pieces = [images[start : start + _TOGETHER] for start in range(0, len(images), _TOGETHER)]
    read = in_order(Processes(workers), _read_all, lambda number: (pieces[number], extractor), len(pieces))
    for piece, results in zip(pieces, read, strict=True):
        yield from zip(piece, results, strict=True)


def _read_all(images: Sequence[tuple[str, str]], extractor: Extractor | Together | ViewedExtractor) -> list[Any]:
    if reading_threads(images[0][1], 1) > 1:
        return [read for _, read in _read_here(images, extractor, 1)]
    return [_read(*image, extractor) for image in images]


def _is_readable(extractor: Extractor | Together | ViewedExtractor, image_id: str, path: str) -> bool:
    return not isinstance(_read(image_id, path, extractor), UnreadableImageError)


def _read(
    image_id: str, path: str, extractor: Extractor | Together | ViewedExtractor
) -> NDArray[Any] | UnreadableImageError:
    """Read a file; refuse it if its bytes have changed since it was indexed."""
    try:
        data = read_file(path)
        if hashlib.sha256(data).hexdigest() != image_id:
            return UnreadableImageError("changed since it was indexed")
        return extractor.read(data)
    except UnreadableImageError as error:
        return error

"""The cache folder: sizes, what is damaged, what nothing reads any more, and the removal of that."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ..audit.comparisons import kept_folder
from ..features.cache_files import features_folder, files_below
from ..features.cache_health import CachedExtractor, cached_extractors
from ..networks.openvino_ir import fault_of, networks_folder
from ..remote.path import RemotePath
from ..remote.writing import remove_objects
from ..runs.costs import folder_bytes
from ..storage import TEMPORARY, cache_folder, has_ended

_WITHIN_S = 2.0


@dataclass(frozen=True)
class Unused:
    """Something in the cache that no run of this version reads.

    Attributes
    ----------
    path : Path
    reason : str
    bytes : int
    """

    path: Path
    reason: str
    bytes: int


@dataclass(frozen=True)
class CacheState:
    """What the cache folder holds.

    Attributes
    ----------
    folder : Path
    extractors : list of CachedExtractor
        The largest first.
    sizes : dict
        Part of the cache -> its bytes.
    unused : list of Unused
        What can be deleted: damaged, orphaned, left by killed runs.
    """

    folder: Path
    extractors: list[CachedExtractor]
    sizes: dict[str, int]
    unused: list[Unused]


def look_into_cache(within_s: float = _WITHIN_S) -> CacheState:
    """Look at every file of the cache; what is cached of features is read for `within_s` seconds."""
    folder = cache_folder()
    extractors = cached_extractors(features_folder(), within_s)
    parts = [path for path in folder.iterdir() if path.is_dir()] if folder.is_dir() else []
    sizes = {path.name: folder_bytes(path) for path in sorted(parts)}
    if isinstance(features_folder(), RemotePath):
        sizes[str(features_folder())] = sum(one.bytes for one in extractors)
    unused = [Unused(path, reason, _bytes(path)) for path, reason in _unused(folder, extractors)]
    return CacheState(folder, extractors, sizes, unused)


def clean(state: CacheState) -> int:
    """Delete what is unused; the bytes that this frees."""
    freed = 0
    for one in state.unused:
        with contextlib.suppress(OSError):
            _remove(one.path)
            freed += one.bytes
    return freed


def _unused(folder: Path, extractors: list[CachedExtractor]) -> Iterator[tuple[Path, str]]:
    for one in extractors:
        if one.orphaned:
            yield one.folder, one.orphaned
        else:
            yield from one.damaged.items()
    for network in sorted(networks_folder().glob("[!.]*/")):
        if fault := fault_of(network):
            yield network, fault
    for comparisons in sorted(kept_folder().parent.glob("[!.]*/")):
        if comparisons != kept_folder():
            yield comparisons, "compared by other code"
    for path in sorted(folder.rglob(f"{TEMPORARY}*")):
        if has_ended(path.name):
            yield path, "left by a process that was killed"


def _remove(path: Path) -> None:
    if isinstance(path, RemotePath):
        remove_objects(path)
    elif path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()


def _bytes(path: Path) -> int:
    if isinstance(path, RemotePath):
        return sum(file.size for file in files_below(path.parent) if path in (file.path, *file.path.parents))
    return folder_bytes(path) if path.is_dir() else path.stat().st_size

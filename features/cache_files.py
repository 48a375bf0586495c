"""Files of the feature cache: in a folder of this machine, or in a store of which several are read at a time."""

from __future__ import annotations

import contextlib
import io
import os
import stat
from collections import deque
from collections.abc import Callable, Hashable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

from ..remote.path import RemotePath, any_path, is_url
from ..storage import atomic_path, cache_folder, remove_leftovers, write_text

if TYPE_CHECKING:
    import pyarrow

IDENTITY = "identity.json"
_AT_A_TIME, _BYTES_AHEAD = 8, 2**27
Read = TypeVar("Read")


@dataclass(frozen=True)
class CacheFile:
    """A file of the cache.

    Attributes
    ----------
    path : Path
    size : int
        Bytes.
    state : hashable
        Another one when the file has changed.
    """

    path: Path
    size: int
    state: Hashable

    @property
    def is_part(self) -> bool:
        """Whether it holds features."""
        return self.path.match("part-*.parquet")


def features_folder() -> Path:
    """Where the features of all extractors are: below the cache folder, or in the store that LEUKOBENCH_CACHE names."""
    named = os.environ.get("LEUKOBENCH_CACHE", "")
    return (any_path(named) if is_url(named) else cache_folder()) / "features"


def files_below(folder: Path) -> list[CacheFile]:
    """Every file below a folder, in the order of their names; those that vanish meanwhile are left out.

    Raises
    ------
    StorageError
        An object store does not answer.
    """
    if isinstance(folder, RemotePath):
        from ..remote.listing import list_objects
        from ..remote.writing import no_bucket

        try:
            objects = list_objects(folder)
        except FileNotFoundError as error:
            raise no_bucket(folder, error) from error
        listed = [(cast("Path", folder / name), stored) for name, stored in objects.entries()]
        return [CacheFile(path, stored.size, (str(path), stored.key)) for path, stored in listed]
    files = []
    for path in sorted(folder.rglob("*")):
        with contextlib.suppress(FileNotFoundError):
            status = path.stat()
            if stat.S_ISREG(status.st_mode):
                files.append(CacheFile(path, status.st_size, (str(path), status.st_mtime_ns, status.st_size)))
    return files


def source_of(file: CacheFile, all_of_it: bool) -> Any:
    """What pyarrow reads the file from; of an object in a store only the bytes that it asks for, if not `all_of_it`."""
    if not isinstance(file.path, RemotePath):
        return file.path
    from ..remote.objects import ObjectFile, read_object

    return io.BytesIO(read_object(file.path, size=file.size)) if all_of_it else ObjectFile(file.path, file.size)


def in_turn(
    files: Iterable[CacheFile], read: Callable[[CacheFile], Read]
) -> Iterator[tuple[CacheFile, Callable[[], Read]]]:
    """Yield each file with a call that gives ``read(file)``; of a store several are read ahead, of bounded size."""
    waiting: deque[tuple[CacheFile, Future[Read]]] = deque()
    with contextlib.ExitStack() as stack:
        pool: ThreadPoolExecutor | None = None
        for file in files:
            if not isinstance(file.path, RemotePath):
                yield file, lambda file=file: read(file)  # type: ignore[misc]
                continue
            if pool is None:
                pool = ThreadPoolExecutor(_AT_A_TIME, thread_name_prefix="cache")
                stack.callback(pool.shutdown, wait=False, cancel_futures=True)
            while waiting and sum(one.size for one, _ in waiting) + file.size > _BYTES_AHEAD:
                done, future = waiting.popleft()
                yield done, future.result
            waiting.append((file, pool.submit(read, file)))
        while waiting:
            done, future = waiting.popleft()
            yield done, future.result


def write_identity(folder: Path, text: str) -> None:
    """Write what the features in this folder depend on, where it is not there yet."""
    if (folder / IDENTITY).exists():
        return
    if isinstance(folder, RemotePath):
        from ..remote.writing import write_object

        write_object(folder / IDENTITY, text.encode())
    else:
        write_text(folder / IDENTITY, text)
        remove_leftovers(folder)


def write_parquet(target: Path, table: pyarrow.Table, **options: Any) -> None:
    """Write a table so that readers see either nothing or all of it.

    Raises
    ------
    StorageError
    """
    import pyarrow.parquet as pq

    if isinstance(target, RemotePath):
        from ..remote.writing import write_object

        stream = io.BytesIO()
        pq.write_table(table, stream, **options)
        write_object(target, stream.getbuffer())
    else:
        with atomic_path(target) as temporary:
            pq.write_table(table, temporary, **options)


def set_aside(path: Path) -> None:
    """Rename a file to ``*.damaged``; another process may have done so."""
    target = path.with_name(path.name + ".damaged")
    with contextlib.suppress(FileNotFoundError):
        if isinstance(path, RemotePath):
            from ..remote.writing import move_object

            move_object(path, cast("RemotePath", target))
        else:
            path.replace(target)

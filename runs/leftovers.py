"""Leftovers: what a killed run left in the cache and in shared memory, removed by the next run."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from ..storage import TEMPORARY, cache_folder, has_ended, process_table, remove_leftovers

_STARTED = "started"
_SHARED_MEMORY = Path("/dev/shm")
_OWNER = re.compile(r"(?:sem\.loky-|joblib_memmapping_folder_)(\d{1,9})[-_].+")


@contextlib.contextmanager
def cleared_leftovers() -> Iterator[None]:
    """Remove what killed runs left, and note this one, so that the next can do so if it is killed.

    Only what processes of leukobench left, which were noted in the cache folder, is removed from shared memory: it may
    be that of other containers, too, whose processes cannot be seen.
    """
    remove_leftovers(cache_folder(), deep=True)
    started = cache_folder() / _STARTED
    own = started / f"{process_table()}.{os.getpid()}"
    with contextlib.suppress(OSError):
        _clear_shared_memory(started)
    with contextlib.suppress(OSError):
        started.mkdir(parents=True, exist_ok=True)
        own.touch()
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            own.unlink()


def _clear_shared_memory(started: Path) -> None:
    noted = {path.suffix[1:]: path for path in started.glob(f"{process_table()}.*")}
    ended = {number: path for number, path in noted.items() if has_ended(f"{TEMPORARY}{path.name}-")}
    for path in _SHARED_MEMORY.iterdir() if ended and _SHARED_MEMORY.is_dir() else ():
        owner = _OWNER.fullmatch(path.name)
        if owner and owner[1] in ended:
            with contextlib.suppress(OSError):
                shutil.rmtree(path) if path.is_dir() else path.unlink()
    for path in ended.values():
        path.unlink(missing_ok=True)

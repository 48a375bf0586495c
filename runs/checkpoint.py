"""Checkpoints: the folder of a run is copied elsewhere while it works, and another machine goes on from there."""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
import platform
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from ..errors import LeukobenchError, StorageError
from ..remote.path import RemotePath
from ..remote.writing import remove_objects, write_object
from ..storage import HELD, TEMPORARY, atomic_path, file_digest

MANIFEST = "checkpoint.json"
"""File of a checkpoint that lists all others; what it does not list, or lists otherwise, is not taken."""
_STATE, _LOG = "state.json", "run.log"
_NOT_COPIED = (".lock", f".lock{HELD}", ".dask-", TEMPORARY)
_NOT_COPIED_FOLDERS = ("features",)
_FORMAT, _EVERY_S, _THREADS = 1, 60.0, 8
_log = logging.getLogger(__name__)


@dataclass
class Checkpoint:
    """The copy of a run's folder.

    Attributes
    ----------
    folder : Path
        Of the run.
    target : Path
        Where the copy is: in an object store, or in a folder that other machines see.
    """

    folder: Path
    target: Path
    _copied: dict[str, str] = field(default_factory=dict)
    _seen: dict[str, tuple[int, int]] = field(default_factory=dict)
    _finished: int = 0

    def fetch(self) -> str:
        """Take from the copy what is missing here, and say so; all of it where it was finished later than this run.

        Raises
        ------
        StorageError
        """
        if (manifest := _manifest(self.target)) is None:
            return ""
        self._copied, finished, here = dict(manifest["files"]), int(manifest["finished"]), self._finished_here()
        if here and here >= finished:
            return f"The run in {self.folder} is finished, and no older than {self.target}: it is kept."
        names = [name for name in self._copied if finished or not (self.folder / name).exists()]
        names = [name for name in names if name != _LOG or not (self.folder / name).exists()]
        damaged = self._take([name for name in names if name != _STATE])
        if _STATE in names and not damaged:  # the last one, so that a fetch that was killed finished nothing
            self._take([_STATE])
            os.utime(self.folder / _STATE, ns=(finished, finished))
        if not names:
            return f"The run in {self.folder} has all that {self.target} has: it is kept."
        left_out = f"; {len(damaged)} others are not as they were written" if damaged else ""
        state, taken = "finished" if finished else "unfinished", len(names) - len(damaged)
        return f"{taken:,} files of the {state} run of {manifest['machine']} were taken from {self.target}{left_out}."

    @contextlib.contextmanager
    def kept_up(self) -> Iterator[None]:
        """Copy what is new every minute, and at the end.

        Raises
        ------
        StorageError
            At the end; before that it is a warning, and tried again.
        """
        stopped = threading.Event()
        copying = threading.Thread(target=self._copy_again, args=(stopped,), name="checkpoint", daemon=True)
        copying.start()
        try:
            yield
        except BaseException:
            self._stop(stopped, copying)
            self._try_to_copy()
            raise
        self._stop(stopped, copying)
        self.copy()

    def copy(self) -> int:
        """Copy what has changed; how many files that are.

        Raises
        ------
        StorageError
        """
        states = dict(self._states())
        changed = [name for name, state in states.items() if self._seen.get(name) != state]
        with ThreadPoolExecutor(_THREADS) as pool:
            written = sum(pool.map(self._copy_file, changed))
        gone = sorted(self._copied.keys() - states.keys())
        finished = self._finished_here()
        if not (written or gone or finished != self._finished):
            return 0
        for name in gone:
            del self._copied[name]
        facts = {"format": _FORMAT, "machine": platform.node(), "finished": finished, "files": self._copied}
        _write(self.target / MANIFEST, json.dumps(facts, indent=1, sort_keys=True).encode())
        for name in gone:
            _remove(self.target / name)
        self._seen, self._finished = states, finished
        return written

    def _copy_file(self, name: str) -> int:
        try:
            data = (self.folder / name).read_bytes()
        except FileNotFoundError:  # a record that another one replaced
            return 0
        digest = hashlib.sha256(data).hexdigest()
        if self._copied.get(name) == digest:
            return 0
        _write(self.target / name, data)
        self._copied[name] = digest
        return 1

    def _copy_again(self, stopped: threading.Event) -> None:
        while not stopped.wait(_EVERY_S):
            self._try_to_copy()

    def _try_to_copy(self) -> None:
        try:
            self.copy()
        except (LeukobenchError, OSError) as error:
            _log.warning("The checkpoint in %s could not be written, and is tried again: %s", self.target, error)

    def _stop(self, stopped: threading.Event, copying: threading.Thread) -> None:
        stopped.set()
        copying.join()

    def _states(self) -> Iterator[tuple[str, tuple[int, int]]]:
        for path in sorted(self.folder.rglob("*")):
            name = path.relative_to(self.folder).as_posix()
            if path.name.startswith(_NOT_COPIED) or name.partition("/")[0] in _NOT_COPIED_FOLDERS:
                continue
            with contextlib.suppress(FileNotFoundError):
                status = path.stat()
                if path.is_file():
                    yield name, (status.st_mtime_ns, status.st_size)

    def _finished_here(self) -> int:
        """When the run here was finished, in nanoseconds since 1970; 0 where it is not."""
        with contextlib.suppress(FileNotFoundError):
            return (self.folder / _STATE).stat().st_mtime_ns
        return 0

    def _take(self, names: list[str]) -> list[str]:
        """Copy files here; those that are not as the manifest says are left out, and returned."""
        with ThreadPoolExecutor(_THREADS) as pool:
            return [name for name, whole in zip(names, pool.map(self._take_file, names), strict=True) if not whole]

    def _take_file(self, name: str) -> bool:
        own = self.folder / name
        if own.is_file() and file_digest(own) == self._copied[name]:
            return True
        try:
            data = (self.target / name).read_bytes()
        except FileNotFoundError:
            return False
        if hashlib.sha256(data).hexdigest() != self._copied[name]:
            return False
        with atomic_path(own) as temporary:
            temporary.write_bytes(data)
        return True


@contextlib.contextmanager
def fetched(folder: Path, place: Path | None) -> Iterator[tuple[Checkpoint, str] | None]:
    """The checkpoint below `place`, from which was taken what is missing in the run's folder; and words on that."""
    checkpoint = Checkpoint(folder, place / folder.name) if place else None
    yield (checkpoint, checkpoint.fetch()) if checkpoint else None


@contextlib.contextmanager
def kept_up(checkpoint: tuple[Checkpoint, str] | None) -> Iterator[None]:
    """Log what was taken, and copy what is new while the block runs; nothing without a checkpoint."""
    if checkpoint is None:
        yield
        return
    if checkpoint[1]:
        _log.warning("%s", checkpoint[1])
    with checkpoint[0].kept_up():
        yield


def _manifest(target: Path) -> Mapping[str, Any] | None:
    try:
        manifest = json.loads((target / MANIFEST).read_bytes())
        names = [PurePosixPath(name) for name in manifest["files"]]
        if manifest["format"] == _FORMAT and not any(name.is_absolute() or ".." in name.parts for name in names):
            return dict(manifest)
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError):
        pass
    fix = "name another place with --checkpoint, or delete that one."
    raise StorageError(f"The checkpoint in {target} cannot be read.", received=MANIFEST, fix=fix)


def _write(target: Path, data: bytes) -> None:
    if isinstance(target, RemotePath):
        write_object(target, data)
    else:
        with atomic_path(target) as temporary:
            temporary.write_bytes(data)


def _remove(path: Path) -> None:
    if isinstance(path, RemotePath):
        remove_objects(path)
    else:
        path.unlink(missing_ok=True)

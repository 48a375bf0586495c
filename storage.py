"""Safe file access: atomic writes, digests, locks, and the cache folder."""

from __future__ import annotations

import contextlib
import errno
import functools
import json
import os
import re
import shutil
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import BusyError, ConfigurationError, StorageError

if TYPE_CHECKING:
    import filelock
    import pandas as pd

TEMPORARY = ".part-"
"""Prefix of the names of unfinished files."""
OUTPUT_MARKER = ".leukobench"
"""Name of the file that marks a folder of results, so that its pictures are not taken for data."""
HELD = ".held"
"""Ending of a file that stands for a lock where the file system has none."""
_OWNER = re.compile(re.escape(TEMPORARY) + r"([0-9a-f]{8})\.(\d{1,9})-")
_FORMULA = re.compile("'*[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
_NUMBER = re.compile(r"[+-]\d+(\.\d*)?([eE][+-]?\d+)?", re.ASCII)
_NO_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP}
_FULL, _LITTLE = {errno.ENOSPC, errno.EDQUOT}, 1 << 20
_CACHE_FIX = "set LEUKOBENCH_CACHE (or XDG_CACHE_HOME) to a folder that you may write to."


def user_path(path: str | Path) -> Path:
    """`path` with the user's home folder in place of ``~``.

    Raises
    ------
    ConfigurationError
        There is no such home folder, or the path is a URL.
    """
    if "://" in str(path):
        fix = "name a folder of this machine; images, the feature cache and --checkpoint may be elsewhere."
        raise ConfigurationError("A path names no file of this machine.", received=str(path), fix=fix)
    try:
        return Path(path).expanduser()
    except RuntimeError as error:
        fix = "write the folder's name in place of ~."
        raise ConfigurationError(f"The path {path} is invalid.", received=f"{error}", fix=fix) from error


def cache_folder() -> Path:
    """Cache folder: ``$LEUKOBENCH_CACHE``, else ``leukobench`` in the user's cache folder; it can be deleted safely.

    Where the variable names an object store, the features alone are there.

    Raises
    ------
    StorageError
        The user has no home folder.
    """
    named = os.environ.get("LEUKOBENCH_CACHE")
    if named and "://" not in named:
        return user_path(named)
    try:
        return user_path(os.environ.get("XDG_CACHE_HOME") or "~/.cache") / "leukobench"
    except ConfigurationError as error:
        received = "no LEUKOBENCH_CACHE and no home folder"
        raise StorageError("There is no folder for the cache.", received=received, fix=_CACHE_FIX) from error


@contextlib.contextmanager
def atomic_path(target: Path) -> Iterator[Path]:
    """Yield a temporary path beside `target`; on success it is flushed to disk and renamed to `target`.

    A reader sees either the whole old file or the whole new one, even if the writer is killed.

    Raises
    ------
    StorageError
        The disk is full or the folder cannot be written.
    """
    temporary = temporary_path(target)
    try:
        with storage_errors(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            yield temporary
            with temporary.open("rb") as written:
                os.fsync(written.fileno())
            fault_point("rename", target)
            temporary.replace(target)
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def temporary_path(target: Path) -> Path:
    """A new path beside `target`, of the same ending; `remove_leftovers` knows it."""
    import uuid  # with hashlib, a twentieth of what `leukobench --help` may take

    owner = f"{process_table()}.{os.getpid()}"
    return target.with_name(f"{TEMPORARY}{owner}-{uuid.uuid4().hex}-{target.name[-32:]}")  # no longer than names may be


@functools.cache
def process_table() -> str:
    """Eight letters for the machine since its start, and the container, in which this process has its number."""
    import hashlib
    import platform

    facts = [platform.node()]
    with contextlib.suppress(OSError):  # elsewhere than on Linux
        facts += [Path("/proc/sys/kernel/random/boot_id").read_text(), os.readlink("/proc/self/ns/pid")]
    return hashlib.sha256("".join(facts).encode()).hexdigest()[:8]


@contextlib.contextmanager
def storage_errors(target: Path) -> Iterator[None]:
    """Turn an `OSError` while writing `target` into a `StorageError` with a fix."""
    try:
        fault_point("write", target)
        yield
        fault_point("flush", target)
    except OSError as error:
        raise _storage_error(target, error) from error


def fault_point(moment: str, target: Path) -> None:
    """Where every write passes: `benchmarks/faults.py` lets it fail here, or ends the process; else nothing happens."""
    if watcher := sys.modules.get("leukobench_faults"):
        watcher.reached(moment, target)


def write_text(target: Path, text: str) -> None:
    """Write `text` as UTF-8, atomically."""
    with atomic_path(target) as temporary:
        temporary.write_text(text, encoding="utf-8")


def mark_output(folder: Path) -> None:
    """Make a folder for results and mark it, unless it holds other files already, which may be the user's.

    Raises
    ------
    StorageError
        It cannot be written.
    """
    with storage_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        others = {path.name for path in folder.iterdir()} - {OUTPUT_MARKER, ".lock", f".lock{HELD}", "run.log"}
    if not others:
        write_text(folder / OUTPUT_MARKER, "Written by leukobench, which skips this folder when it looks for images.\n")


def file_name(stem: str, ending: str = "", longest: int = 240) -> str:
    """``stem + ending``, the stem cut where that has more than `longest` bytes: file systems allow about 255."""
    name, room = os.fsencode(stem), longest - len(os.fsencode(ending))
    return (stem if len(name) <= room else name[:room].decode("utf-8", "ignore")) + ending


def defused(text: str) -> str:
    """`text` for a CSV that people open: an apostrophe precedes what a spreadsheet would run as a formula."""
    return f"'{text}" if _is_formula(text) else text


def restored(text: str) -> str:
    """The text that `defused` was given; every reader of CSV files calls it."""
    return text[1:] if text.startswith("'") and _is_formula(text[1:]) else text


def _is_formula(text: str) -> bool:
    return bool(_FORMULA.match(text)) and not _NUMBER.fullmatch(text)


def csv_text(table: pd.DataFrame) -> str:
    """The table as CSV, with every text, and every name of a column, `defused`."""
    safe = table.map(lambda value: defused(value) if isinstance(value, str) else value)
    return str(safe.rename(columns=defused).to_csv(index=False))


def write_table(target: Path, table: pd.DataFrame) -> None:
    """Write a table atomically, as parquet or, under any other ending, as CSV; see `csv_text`."""
    if target.suffix.lower() != ".parquet":
        return write_text(target, csv_text(table))
    with atomic_path(target) as temporary:
        table.to_parquet(temporary, index=False)


def remove_leftovers(folder: Path, older_than_s: float = 86_400.0, deep: bool = False) -> None:
    """Delete unfinished files in `folder`, or anywhere below it: of killed processes, or after `older_than_s` seconds.

    Whether a process of another machine or container still works cannot be known, only how old its file is.
    """
    import time

    for path in (folder.rglob if deep else folder.glob)(f"{TEMPORARY}*"):
        with contextlib.suppress(OSError):
            if has_ended(path.name) or time.time() - path.stat().st_mtime > older_than_s:
                shutil.rmtree(path) if path.is_dir() else path.unlink()


def has_ended(name: str) -> bool:
    """Whether the process that made the unfinished file is known to have ended, be it unnoticed (a zombie)."""
    import psutil

    owner = _OWNER.match(name)
    try:
        pid = int(owner[2]) if owner and owner[1] == process_table() else os.getpid()
        return bool(psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


def digest(value: Any) -> str:
    """SHA-256 (hex) of a JSON-like value; equal values give equal digests whatever the order of their keys."""
    import hashlib

    text = json.dumps(_text_keys(value), sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def _text_keys(value: Any) -> Any:
    """Return `value` with every key as text that shows its type, since JSON cannot sort keys of several types."""
    if isinstance(value, Mapping):
        return {key if isinstance(key, str) else repr(key): _text_keys(item) for key, item in value.items()}
    return [_text_keys(item) for item in value] if isinstance(value, list | tuple) else value


def file_digest(path: Path) -> str:
    """SHA-256 (hex) of a file's bytes, read in blocks."""
    import hashlib

    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def checksum(*parts: Any) -> bytes:
    """SHA-256 (hex) of the bytes of several parts, such as arrays, and of how long each is."""
    import hashlib

    whole = hashlib.sha256()
    for part in parts:
        view = memoryview(part).cast("B") if len(part) else b""
        whole.update(len(view).to_bytes(8, "little"))
        whole.update(view)
    return whole.hexdigest().encode()


@contextlib.contextmanager
def lock(path: Path, doing: str, timeout_s: float = 0.0) -> Iterator[None]:
    """Hold the lock file `path`; the operating system releases it when the process ends.

    Raises
    ------
    BusyError
        Another process still holds it after `timeout_s` seconds.
    """
    import filelock

    with storage_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            held = _acquired(path, timeout_s)
        except filelock.Timeout as error:
            fix = "wait for it to finish, or use another run name; delete that file if no such process is left."
            raise BusyError(f"Another process is {doing}.", received=f"lock file {error.lock_file}", fix=fix) from error
    try:
        yield
    finally:
        held.release()


def _acquired(path: Path, timeout_s: float) -> filelock.BaseFileLock:
    """The lock; where the file system has none, a file beside it that exists while it is held."""
    import filelock

    # Of the operating system, and no other: `path` itself stays behind, so its existence says nothing.
    held: filelock.BaseFileLock = filelock.FileLock(path, timeout=timeout_s, fallback_to_soft=False)
    try:
        held.acquire()
    except (OSError, NotImplementedError) as error:
        if isinstance(error, OSError) and error.errno not in _NO_LOCKS:
            raise
        held = filelock.SoftFileLock(path.with_name(f"{path.name}{HELD}"), timeout=timeout_s)
        held.acquire()
    return held


def _storage_error(target: Path, error: OSError) -> StorageError:
    unsaid = error.errno is None  # as of NumPy, which could write only a part
    if error.errno in _FULL or (unsaid and shutil.disk_usage(target.parent).free < _LITTLE):
        fix = "free some space and run the same command again: finished work is kept."
        return StorageError(f"The disk is full: {target} could not be written.", received=str(error), fix=fix)
    fix = "check that the folder exists and that you have permission to write to it."
    with contextlib.suppress(StorageError, ConfigurationError):  # of one without a home folder
        fix = _CACHE_FIX if target.is_relative_to(cache_folder()) else fix
    return StorageError(f"{target} could not be written.", received=str(error), fix=fix)

"""Safe file access: atomic writes, digests, locks, and the cache folder."""

from __future__ import annotations

import contextlib
import errno
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from .errors import BusyError, StorageError

TEMPORARY = ".part-"
"""Prefix of the names of unfinished files."""
OUTPUT_MARKER = ".leukobench"
"""Name of the file that marks a folder of results, so that its pictures are not taken for data."""


def cache_folder() -> Path:
    """Cache folder: ``$LEUKOBENCH_CACHE``, else ``leukobench`` in the user's cache folder; it can be deleted safely."""
    named = os.environ.get("LEUKOBENCH_CACHE")
    if named:
        return Path(named).expanduser()
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "leukobench"


@contextlib.contextmanager
def atomic_path(target: Path) -> Iterator[Path]:
    """Yield a temporary path beside `target`; on success it is flushed to disk and renamed to `target`.

    A reader sees either the whole old file or the whole new one, even if the writer is killed.

    Raises
    ------
    StorageError
        The disk is full or the folder cannot be written.
    """
    import uuid  # with hashlib, a twentieth of what `leukobench --help` may take

    temporary = target.with_name(f"{TEMPORARY}{uuid.uuid4().hex}-{target.name}")
    try:
        with storage_errors(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            yield temporary
            with temporary.open("rb") as written:
                os.fsync(written.fileno())
            temporary.replace(target)
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def storage_errors(target: Path) -> Iterator[None]:
    """Turn an `OSError` while writing `target` into a `StorageError` with a fix."""
    try:
        yield
    except OSError as error:
        raise _storage_error(target, error) from error


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
        others = {path.name for path in folder.iterdir()} - {OUTPUT_MARKER, ".lock", "run.log"}
    if not others:
        write_text(folder / OUTPUT_MARKER, "Written by leukobench, which skips this folder when it looks for images.\n")


def remove_leftovers(folder: Path, older_than_s: float = 86_400.0) -> None:
    """Delete what killed writers left in `folder` more than `older_than_s` seconds ago."""
    import shutil
    import time

    for path in folder.glob(f"{TEMPORARY}*"):
        with contextlib.suppress(OSError):
            if time.time() - path.stat().st_mtime > older_than_s:
                shutil.rmtree(path) if path.is_dir() else path.unlink()


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


@contextlib.contextmanager
def lock(path: Path, doing: str, timeout_s: float = 0.0) -> Iterator[None]:
    """Hold the lock file `path`; the operating system releases it when the process ends.

    Raises
    ------
    BusyError
        Another process still holds it after `timeout_s` seconds.
    """
    import filelock

    held = filelock.FileLock(path, timeout=timeout_s)
    with storage_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            held.acquire()
        except filelock.Timeout as error:
            raise BusyError(
                f"Another process is {doing}.",
                received=f"lock file {path}",
                fix="wait for it to finish, or use another run name.",
            ) from error
    try:
        yield
    finally:
        held.release()


def _storage_error(target: Path, error: OSError) -> StorageError:
    if error.errno == errno.ENOSPC:
        fix = "free some space and run the same command again: finished work is kept."
        return StorageError(f"The disk is full: {target} could not be written.", received=str(error), fix=fix)
    fix = "check that the folder exists and that you have permission to write to it."
    return StorageError(f"{target} could not be written.", received=str(error), fix=fix)

"""Identification: each file by the SHA-256 of its bytes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import UnreadableImageError
from ..machine import cores
from ..remote.path import absolute_path, is_url
from ..storage import file_digest
from .files import Row
from .limits import MAX_BYTES, TOO_LARGE, refusal
from .reading import read_file

if TYPE_CHECKING:
    from ..remote.listing import Objects, Stored
    from ..remote.remembered import Remembered

_EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
_BATCH = 32  # files a thread takes at a time; handing out single ones would cost more than hashing them


def identify(
    folder: Path,
    rows: list[Row],
    progress: Callable[[int, int], None] | None = None,
    objects: Sequence[Objects] = (),
) -> tuple[list[Row], list[str], list[tuple[str, str]]]:
    """Return the rows whose file can be read, their SHA-256, and path and reason of the others.

    Of the `objects` of a store, versions that were read before are not read again.
    """
    used, digests, refused = [], [], []
    for done, (row, (image_id, reason)) in enumerate(zip(rows, _digests(folder, rows, objects), strict=True), 1):
        if reason:
            refused.append((row.path, reason))
        else:
            used.append(row)
            digests.append(image_id)
        if progress:
            progress(done, len(rows))
    return used, digests, refused


def _digests(folder: Path, rows: list[Row], objects: Sequence[Objects]) -> Iterator[tuple[str, str]]:
    """Yield digest and refusal of each file; a slow disk or store answers several requests at a time."""
    batches = [rows[start : start + _BATCH] for start in range(0, len(rows), _BATCH)]
    with _Identified(objects) as identified, ThreadPoolExecutor(identified.threads) as pool:
        work = pool.map(lambda batch: [identified.get(absolute_path(folder, row.path)) for row in batch], batches)
        try:
            for results in work:
                yield from results
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


class _Identified:
    """Digest or refusal of each file, by what the listings of object stores say where there are any."""

    def __init__(self, objects: Sequence[Objects]) -> None:
        self._objects = objects
        self._remembered: list[Remembered] = []
        self.threads = min(32, 4 + cores())

    def __enter__(self) -> _Identified:
        if self._objects:
            from ..remote.objects import THREADS
            from ..remote.remembered import Remembered

            self.threads = max(self.threads, THREADS)
            self._remembered = [Remembered(one.folder) for one in self._objects]
        return self

    def __exit__(self, *_: object) -> None:
        for remembered in self._remembered:  # after an interruption, too: the next run goes on from there
            remembered.save()

    def get(self, path: str) -> tuple[str, str]:
        if not is_url(path):
            return image_id_of(path)
        for objects, remembered in zip(self._objects, self._remembered, strict=True):
            if stored := objects.get(path):
                return _of_object(path, stored, remembered)
        return "", "cannot be opened: No such file or directory"


def _of_object(path: str, stored: Stored, remembered: Remembered) -> tuple[str, str]:
    if stored.size > MAX_BYTES or not stored.size:
        return "", TOO_LARGE if stored.size else "empty file"
    if stored.key and (image_id := remembered.get(stored.key)):
        return image_id, ""
    image_id, reason = image_id_of(path)
    if stored.key and not reason:
        remembered.add(stored.key, image_id)
    return image_id, reason


def image_id_of(path: str) -> tuple[str, str]:
    """SHA-256 (hex) of the bytes of a file, or why it cannot be read as an image."""
    try:
        if is_url(path):
            return hashlib.sha256(read_file(path)).hexdigest(), ""
        if reason := refusal(path):
            return "", reason
        image_id = file_digest(Path(path))
    except UnreadableImageError as error:
        return "", error.what
    except OSError as error:
        return "", f"cannot be opened: {error.strerror}"
    return image_id, "empty file" if image_id == _EMPTY else ""

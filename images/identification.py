"""Identification: each file by the SHA-256 of its bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from ..machine import cores
from ..storage import file_digest
from .files import Row
from .limits import refusal

_EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
_BATCH = 32  # files a thread takes at a time; handing out single ones would cost more than hashing them


def identify(
    folder: Path, rows: list[Row], progress: Callable[[int, int], None] | None = None
) -> tuple[list[Row], list[str], list[tuple[str, str]]]:
    """Return the rows whose file can be read, their SHA-256, and path and reason of the others."""
    used, digests, refused = [], [], []
    for done, (row, (image_id, reason)) in enumerate(zip(rows, _digests(folder, rows), strict=True), 1):
        if reason:
            refused.append((row.path, reason))
        else:
            used.append(row)
            digests.append(image_id)
        if progress:
            progress(done, len(rows))
    return used, digests, refused


def _digests(folder: Path, rows: list[Row]) -> Iterator[tuple[str, str]]:
    """Yield digest and refusal of each file; a slow disk answers several requests at a time."""
    batches = [rows[start : start + _BATCH] for start in range(0, len(rows), _BATCH)]
    with ThreadPoolExecutor(min(32, 4 + cores())) as pool:
        for results in pool.map(lambda batch: [_digest_or_reason(folder / row.path) for row in batch], batches):
            yield from results


def _digest_or_reason(path: Path) -> tuple[str, str]:
    try:
        if reason := refusal(path):
            return "", reason
        image_id = file_digest(path)
    except OSError as error:
        return "", f"cannot be opened: {error.strerror}"
    return image_id, "empty file" if image_id == _EMPTY else ""

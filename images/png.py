"""PNG files chunk by chunk: whole by their checksums, or without what only describes their pixels."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from ..errors import UnreadableImageError

_START = 8
_MAX_CHUNKS = 50_000  # libpng puts 8 kB into each
_PIXELS = frozenset({b"IDAT", b"fdAT", b"fcTL", b"acTL"})
_NEEDED = frozenset({b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND", b"eXIf", b"acTL", b"fcTL", b"fdAT"})


def verify_png(data: bytes) -> None:
    """Walk the chunks to the end: Pillow verifies only the header's checksums, and does not notice a missing end.

    Raises
    ------
    UnreadableImageError
        A checksum is wrong, the end is missing, or there are so many chunks that to read them would take seconds.
    """
    kind = b""
    for number, (begin, end) in enumerate(_chunks(data)):
        if number == _MAX_CHUNKS:
            raise UnreadableImageError(f"PNG file of more than {_MAX_CHUNKS:,} chunks")
        kind = data[begin + 4 : begin + 8]
        if zlib.crc32(data[begin + 4 : end - 4]) != int.from_bytes(data[end - 4 : end]):
            raise UnreadableImageError("PNG file that is damaged: a checksum is wrong")
    if kind != b"IEND":
        raise UnreadableImageError("PNG file that is truncated: its end is missing")


def without_description(data: bytes) -> bytes:
    """The file without the chunks that neither hold nor order its pixels, such as texts and colour profiles."""
    kept = [data[begin:end] for begin, end in _chunks(data) if data[begin + 4 : begin + 8] in _NEEDED]
    return data[:_START] + b"".join(kept)


def without_pixels(data: bytes) -> bytes:
    """The file without its pixels: what describes them is read at once, also where it follows them."""
    kept = [data[begin:end] for begin, end in _chunks(data) if data[begin + 4 : begin + 8] not in _PIXELS]
    return data[:_START] + b"".join(kept)


def _chunks(data: bytes) -> Iterator[tuple[int, int]]:
    """Begin and end of each chunk, up to the first IEND or to one that is cut."""
    begin, kind = _START, b""
    while begin + 12 <= len(data) and kind != b"IEND":
        end = begin + 12 + int.from_bytes(data[begin : begin + 4])
        if end > len(data):
            return
        kind = data[begin + 4 : begin + 8]
        yield begin, end
        begin = end

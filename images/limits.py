"""Limits: files that are refused by name, kind, size and header, before they fill the memory or take minutes."""

from __future__ import annotations

import io
import os
import re
import stat
from collections.abc import Iterator
from pathlib import PurePath
from typing import Any

from PIL import TiffImagePlugin

from ..errors import UnreadableImageError

MAX_PIXELS = 50_000_000
"""An image with more pixels is refused: a small file could fill the memory (a decompression bomb)."""
MAX_BYTES = 512 * 2**20
"""A larger file is refused before it is read."""
TOO_LARGE = f"larger than {MAX_BYTES // 2**20} MB, as whole-slide images are"
SLIDES = frozenset(
    {".bif", ".czi", ".isyntax", ".kfb", ".mrxs", ".ndpi", ".scn", ".sdpc", ".svs", ".svslide", ".tmap", ".vms", ".vmu",
     ".vsi"}
)  # fmt: skip
"""Extensions, in lower case, of whole-slide images."""
_FIX_JPEG = "save the image again, as a usual JPEG or PNG."
FIX = "cut the image into fields or scale it down."

_MAX_SIDE = 65_535  # the longest of a JPEG
_MAX_RATIO = 200
_MAX_SEGMENTS, _SHORT_FILE = 20_000, 200_000
_MAX_SCANS = 100  # progressive files of cameras and optimisers have 10 to 40
_MAX_DECODED = 1_000_000_000  # pixels times scans: each scan visits them all
_COEFFICIENTS = 64
_SOS, _END, _LONGEST_SOS = b"\xff\xda", b"\xd9", 16
_MARKER = re.compile(rb"\xff+([^\x00\x01\xff\xd0-\xd7])")
_WIDTH, _LENGTH, _TILE_WIDTH, _SUB_PAGES, _KIND_OF_PAGE = 256, 257, 322, 330, 254
_SMALLER = 1  # bit of the kind of a page
_BIG = 43  # third byte of a BigTIFF
_KINDS = {
    stat.S_ISCHR: "device",
    stat.S_ISBLK: "device",
    stat.S_ISFIFO: "named pipe",
    stat.S_ISSOCK: "socket",
    stat.S_ISDIR: "folder",
}


def slide_refusal(path: str | os.PathLike[str]) -> str:
    """The refusal of a file whose name has the extension of a whole-slide image; '' for other files."""
    suffix = PurePath(path).suffix.lower()
    return f"whole-slide image ({suffix}): cut it into fields" if suffix in SLIDES else ""


def refusal(path: str | os.PathLike[str]) -> str:
    """Why the file cannot be read as an image, by its name, kind and size alone; '' if it may be one.

    Raises
    ------
    OSError
        There is no such file, or its folder cannot be searched.
    """
    if reason := slide_refusal(path):
        return reason
    status = os.stat(path)
    if not stat.S_ISREG(status.st_mode):
        return f"not a regular file: {kind_of(status.st_mode)}"
    return TOO_LARGE if status.st_size > MAX_BYTES else ""


def kind_of(mode: int) -> str:
    """What a path is that is no regular file, by its mode: such as ``"device"``."""
    return next((words for test, words in _KINDS.items() if test(mode)), "of an unknown kind")


def check_size(size: tuple[int, int], max_pixels: int) -> None:
    """Refuse an image that is too large or too narrow, by its width and height.

    Raises
    ------
    UnreadableImageError
    """
    short, long = sorted(size)
    if short * long > max_pixels:
        reason = f"too large: {{}}, more than {max_pixels:,}"
    elif long > _MAX_SIDE:
        reason = f"too long: {{}}, a side of more than {_MAX_SIDE:,}"
    elif long > _MAX_RATIO * short:
        reason = f"too narrow: {{}}, one side more than {_MAX_RATIO} times the other"
    else:
        return
    raise UnreadableImageError(reason.format(f"{size[0]} x {size[1]} pixels"), fix=FIX)


def check_segments(data: bytes) -> None:
    """Refuse a JPEG of so many segments before its first scan that reading its header would take seconds.

    Raises
    ------
    UnreadableImageError
    """
    if len(data) < _SHORT_FILE:
        return
    position = 2
    for _ in range(_MAX_SEGMENTS):
        marker = data[position : position + 2]
        if marker == _SOS or marker[:1] != b"\xff":
            return
        position += 1 if marker == b"\xff\xff" else 2 + int.from_bytes(data[position + 2 : position + 4])
    raise UnreadableImageError(f"JPEG file of more than {_MAX_SEGMENTS:,} segments", fix=_FIX_JPEG)


def check_scans(image: Any, data: bytes) -> None:
    """Refuse a JPEG, opened and not yet loaded, of so many scans that decoding would take ten times as long as usual.

    Raises
    ------
    UnreadableImageError
    """
    if not image.info.get("progressive") and _first_scan_is_all(image, data):
        return
    most = min(_MAX_SCANS, _MAX_DECODED // max(1, image.width * image.height))
    if data.count(_SOS) > most and (scans := _scans(data)) > most:
        raise UnreadableImageError(f"JPEG file of {scans:,} scans, more than {most}", fix=_FIX_JPEG)


def lacks_scans(image: Any, data: bytes) -> bool:
    """Whether a progressive JPEG has no final scan for some coefficients: what was cut there comes out blurred."""
    final: dict[int, set[int]] = {}
    for header in _scan_headers(data):
        colours = header[1 : 1 + 2 * header[0] : 2]
        first, last, bits = header[1 + 2 * len(colours) :][:3]
        if bits & 15 == 0:
            for colour in colours:
                final.setdefault(colour, set()).update(range(first, last + 1))
    return len(final) < image.layers or any(len(coefficients) < _COEFFICIENTS for coefficients in final.values())


def webp_size(data: bytes) -> tuple[int, int] | None:
    """Width and height of a WebP file by its first 30 bytes: Pillow makes room for the pixels when it opens it."""
    kind, body = data[12:16], data[20:30]
    if kind == b"VP8X":
        return 1 + int.from_bytes(body[4:7], "little"), 1 + int.from_bytes(body[7:10], "little")
    if kind == b"VP8L":
        bits = int.from_bytes(body[1:5], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if kind == b"VP8 ":
        return int.from_bytes(body[6:8], "little") & 0x3FFF, int.from_bytes(body[8:10], "little") & 0x3FFF
    return None


def is_slide(data: bytes) -> bool:
    """Whether a TIFF file that was refused holds one picture in several sizes, or in more tiles than may be decoded.

    Its header is read anew, since Pillow opens no file of a compression that it does not know.
    """
    try:
        stream = io.BytesIO(data)
        page = TiffImagePlugin.ImageFileDirectory_v2(stream.read(16 if data[2] == _BIG else 8))
        _load(page, stream)
        tiled, several = _TILE_WIDTH in page, page.next != 0 or _SUB_PAGES in page
        if not several:
            return tiled and int(page[_WIDTH]) * int(page[_LENGTH]) > MAX_PIXELS
        if not tiled:
            _load(page, stream)
        return tiled or bool(page.get(_KIND_OF_PAGE, 0) & _SMALLER)
    except Exception:  # as many kinds as foreign bytes can raise
        return False


def _load(page: TiffImagePlugin.ImageFileDirectory_v2, stream: io.BytesIO) -> None:
    stream.seek(page.next)
    page.load(stream)


def _first_scan_is_all(image: Any, data: bytes) -> bool:
    """Whether the first scan, behind which Pillow stopped reading, has every colour: then no other is decoded."""
    end = image.fp.tell()
    begin = data.rfind(_SOS, max(0, end - _LONGEST_SOS), end)
    return begin >= 0 and data[begin + len(_SOS) + 2] == image.layers


def _scans(data: bytes) -> int:
    return sum(1 for _ in _scan_headers(data))


def _scan_headers(data: bytes) -> Iterator[bytes]:
    """Headers of the scans of the first picture, by its markers: a thumbnail within a segment has scans of its own."""
    position = 2
    while (marker := _MARKER.search(data, position)) and marker[1] != _END:
        position = marker.end() + int.from_bytes(data[marker.end() : marker.end() + 2])
        if marker[1] == _SOS[1:]:
            yield data[marker.end() + 2 : position]

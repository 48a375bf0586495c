"""Files that nobody should send: random bytes, truncated ones, bombs, polyglots, wrong extensions."""

from __future__ import annotations

import io
import random
import struct
import zlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from PIL import Image

_ENDINGS = ("png", "jpg", "tif", "webp", "bmp", "exe", "html", "svg", "zip", "")
_NAMES = (
    "../../etc/passwd",
    "<img src=x onerror=alert(1)>",
    "a" * 180,
    "=cmd|' /C calc'!A0",
    "%00",
    "![x](http://a.b/c)",
    "<td><img src=x>",
    "\u202egnp",
)


def hostile_files(count: int, good: Path, seed: int) -> Iterator[tuple[str, bytes, bool]]:
    """Yield `count` files: name, bytes, and whether they are a whole image all the same."""
    chance = random.Random(seed)
    image = Image.open(good).convert("RGB")
    makers = (_random, _truncated, _bomb, _polyglot, _misnamed)
    for number in range(count):
        data, whole = makers[number % len(makers)](chance, image)
        ending = chance.choice(_ENDINGS)
        yield f"{number}-{chance.choice(_NAMES).replace('/', '_')}.{ending}", data, whole


def saved(image: Image.Image, kind: str) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind)
    return stream.getvalue()


def _random(chance: random.Random, image: Image.Image) -> tuple[bytes, bool]:
    start = chance.choice((b"", b"\xff\xd8\xff\xe0", b"\x89PNG\r\n\x1a\n", b"II*\0", b"RIFF\x24\0\0\0WEBP", b"BM"))
    return start + chance.randbytes(chance.randrange(20_000)), False


def _truncated(chance: random.Random, image: Image.Image) -> tuple[bytes, bool]:
    whole = saved(image, chance.choice(("JPEG", "PNG", "WEBP", "TIFF", "BMP")))
    return whole[: int(len(whole) * chance.uniform(0.05, 0.9))], False


@cache
def _bombs() -> tuple[tuple[bytes, bool], ...]:
    """Small files that claim to be large, or are; and whether they are whole images."""
    return (
        (png(60_000, 60_000, b"\0" * 1_000), False),
        (png(12_000, 12_000, b"\0" * (1_501 * 12_000)), False),
        (png(7_000, 7_000, b"\0" * 1_000), False),
        (png(7_000, 7_000, b"\0" * (876 * 7_000)), True),  # just within the limit of pixels
        (png(8, 8, b"\0" * 20_000_000), True),  # what is beyond the last row does no harm
        (png(8, 8, b"\0" * 72, chunk(b"zTXt", b"a\0\0" + zlib.compress(b" " * 30_000_000))), True),  # a text not read
        (b"II*\0\x08\0\0\0\x02\0" + struct.pack("<HHII", 256, 4, 1, 2**31) * 2, False),
    )


def _bomb(chance: random.Random, image: Image.Image) -> tuple[bytes, bool]:
    return chance.choices(_bombs(), weights=(9, 9, 9, 1, 9, 9, 9))[0]


def _polyglot(chance: random.Random, image: Image.Image) -> tuple[bytes, bool]:
    script = b"<script>alert(1)</script>"
    return chance.choice((
        b"GIF89a/*" + script + b"*/=1;",
        b"%PDF-1.4\n" + saved(image, "JPEG"),
        b"PK\x03\x04" + saved(image, "PNG"),
        b"\xff\xd8\xff\xe0" + script * 50,
        b'<svg xmlns="http://www.w3.org/2000/svg">' + script + b"</svg>",
    )), False  # fmt: skip


def _misnamed(chance: random.Random, image: Image.Image) -> tuple[bytes, bool]:
    if chance.random() < 0.5:
        return b"Dear Sir or Madam", False
    return saved(image, chance.choice(("JPEG", "PNG", "WEBP"))), True


def png(width: int, height: int, rows: bytes, *others: bytes) -> bytes:
    """A 1-bit PNG that claims to be so large and holds these rows."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(others) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

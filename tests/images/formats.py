"""Image files of every format and mode, built in memory for the decoding tests."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
from PIL import Image

PHOTOMETRIC = 262


def picture(height: int = 40, width: int = 52) -> np.ndarray:
    """Smooth, asymmetric RGB test picture, so that lossy formats stay close and every flip or shift shows."""
    y, x = np.mgrid[0:height, 0:width]
    red = 20 + 200 * x / width
    green = 30 + 180 * y / height
    blue = 120 + 60 * np.sin(x / 9) * np.cos(y / 7)
    return np.stack([red, green, blue], axis=-1).round().astype(np.uint8)


def encode(image: Image.Image | np.ndarray, kind: str, **options: object) -> bytes:
    if isinstance(image, np.ndarray):
        image = Image.fromarray(image)
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def tiff(
    strips: list[bytes],
    shape: tuple[int, int],
    bits: tuple[int, ...] = (8, 8, 8),
    compression: int = 1,
    photometric: int = 2,
    sample_format: int = 1,
    order: str = "<",
) -> bytes:
    """A TIFF whose directory comes first, so that a cut hits the pixels, and of kinds that Pillow cannot write."""
    height, width = shape
    values: dict[int, tuple[str, list[int]]] = {
        256: ("I", [width]),
        257: ("I", [height]),
        258: ("H", list(bits)),
        259: ("H", [compression]),
        PHOTOMETRIC: ("H", [photometric]),
        273: ("I", [0] * len(strips)),
        277: ("H", [len(bits)]),
        278: ("I", [-(-height // len(strips))]),
        279: ("I", [len(strip) for strip in strips]),
        339: ("H", [sample_format] * len(bits)),
    }
    tail = 8 + 2 + 12 * len(values) + 4
    data = tail + sum(size for size in (struct.calcsize(f"{len(v)}{t}") for t, v in values.values()) if size > 4)
    values[273] = ("I", [data + sum(map(len, strips[:number])) for number in range(len(strips))])
    directory, extra = struct.pack(f"{order}H", len(values)), b""
    for tag, (kind, numbers) in values.items():
        raw = struct.pack(f"{order}{len(numbers)}{kind}", *numbers)
        directory += struct.pack(f"{order}HHI", tag, 3 if kind == "H" else 4, len(numbers))
        directory += raw.ljust(4, b"\0") if len(raw) <= 4 else struct.pack(f"{order}I", tail + len(extra))
        extra += raw if len(raw) > 4 else b""
    header = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}I", 8)
    return header + directory + struct.pack(f"{order}I", 0) + extra + b"".join(strips)


def png16(samples: np.ndarray, colour_type: int) -> bytes:
    """A 16-bit PNG of grey (0), RGB (2), grey and alpha (4) or RGBA (6) samples; Pillow writes only grey."""
    height, width = samples.shape[:2]
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in samples)
    header = struct.pack(">IIBBBBB", width, height, 16, colour_type, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def oriented(pixels: np.ndarray, kind: str, orientation: int) -> bytes:
    """`pixels` stored so that a viewer that applies the EXIF orientation shows them upright."""
    undo = {
        1: None,
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }[orientation]
    stored = Image.fromarray(pixels)
    stored = stored if undo is None else stored.transpose(undo)
    exif = Image.Exif()
    exif[0x0112] = orientation
    return encode(stored, kind, exif=exif, **({"lossless": True} if kind == "WEBP" else {}))

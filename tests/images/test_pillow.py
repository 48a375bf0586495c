"""Pillow and libtiff say nothing that does not name the file."""

from __future__ import annotations

import struct
import subprocess
import sys

from .formats import encode, picture

DECODE = """
import sys
from leukobench.errors import UnreadableImageError
from leukobench.images.decoding import decode
data = sys.stdin.buffer.read()
try:
    decode(data)
except UnreadableImageError as error:
    print(error.what)
"""


def damaged_tiff() -> bytes:
    """A file of which libtiff itself complains: a compressed strip that is cut."""
    values = {256: 100, 257: 100, 258: 8, 259: 8, 262: 1, 273: 200, 277: 1, 278: 100, 279: 2**31}
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in sorted(values.items()))
    return (b"II*\0" + struct.pack("<IH", 8, len(values)) + entries).ljust(200, b"\0") + b"x\x9c"


def decode_apart(data: bytes, *options: str) -> tuple[str, str]:
    done = subprocess.run([sys.executable, *options, "-c", DECODE], input=data, capture_output=True, check=True)
    return done.stdout.decode(), done.stderr.decode()


def test_nothing_is_said_of_a_damaged_file_but_its_refusal() -> None:
    reason, noise = decode_apart(damaged_tiff())
    assert reason.startswith("TIFF file that does not decode completely")
    assert noise == ""


def test_warnings_as_errors_refuse_no_image() -> None:
    exif = b"Exif\0\0II*\0\x08\0\0\0\x05\0" + b"\x12\x01\x03\0\xff\0\0\0\xff\xff\0\0"
    assert decode_apart(encode(picture(), "JPEG", exif=exif), "-W", "error") == ("", "")

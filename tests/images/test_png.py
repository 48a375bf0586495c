"""Chunks that only describe the pixels may be illegible; those that hold or order them may not."""

from __future__ import annotations

import zlib

import numpy as np
import pytest

from leukobench.errors import UnreadableImageError
from leukobench.images.decoding import decode
from leukobench.images.facts import file_facts
from leukobench.images.png import verify_png, without_description

from .formats import chunk, encode, oriented, picture

RGB = picture()
PNG = encode(RGB, "PNG")
ILLEGIBLE = {
    "eXIf": b"\0\x08\0\x02\x01\x12\0\x03",
    "pHYs": b"\0",
    "gAMA": b"",
    "cHRM": b"\1",
    "iCCP": b"profile\0\0" + b"no deflated bytes",
    "tEXt": b"\xff" * 9,
    "zTXt": b"text\0\0" + zlib.compress(bytes(3_000_000)),
    "iTXt": b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(bytes(3_000_000)),
    "sRGB": b"",
    "tRNX": b"of nobody",
}


def with_chunk(data: bytes, name: str, body: bytes, end: bool) -> bytes:
    position = len(data) - 12 if end else 33
    return data[:position] + chunk(name.encode(), body) + data[position:]


@pytest.mark.parametrize("name", ILLEGIBLE)
@pytest.mark.parametrize("end", [False, True])
def test_illegible_metadata_leave_the_pixels_as_they_are(name: str, end: bool) -> None:
    data = with_chunk(PNG, name, ILLEGIBLE[name], end)
    np.testing.assert_array_equal(decode(data), RGB)
    assert file_facts(data)["width"] == RGB.shape[1]


def test_the_orientation_counts_although_other_metadata_are_illegible() -> None:
    data = with_chunk(oriented(RGB, "PNG", 6), "zTXt", ILLEGIBLE["zTXt"], end=False)
    np.testing.assert_array_equal(decode(data), RGB)


def test_what_describes_the_pixels_is_left_out_and_nothing_else() -> None:
    assert without_description(with_chunk(PNG, "tEXt", b"a\0b", end=True)) == PNG
    assert without_description(PNG + b"behind the end") == PNG


def test_a_wrong_checksum_and_a_missing_end_are_refused() -> None:
    verify_png(PNG)
    with pytest.raises(UnreadableImageError, match="checksum"):
        verify_png(PNG[:40] + b"?" + PNG[41:])
    for cut in (PNG[:-1], PNG[:-12], PNG[:8]):
        with pytest.raises(UnreadableImageError, match="truncated"):
            verify_png(cut)

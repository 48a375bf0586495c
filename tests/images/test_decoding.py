"""Every format and mode becomes 8-bit RGB as documented, or is refused with a reason."""

from __future__ import annotations

import struct
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFile

from leukobench.errors import ConfigurationError, UnreadableImageError
from leukobench.images.decoding import decode
from leukobench.images.reading import read_image, read_resized, resize

from .formats import chunk, encode, oriented, picture, png16, tiff

RGB = picture()
GREY = RGB[..., 0]
GREY_RGB = np.repeat(GREY[..., None], 3, axis=-1)
ALPHA = np.dstack([RGB, np.where(GREY > 100, 255, 0)]).astype(np.uint8)
ON_WHITE = np.where(ALPHA[..., 3:] == 255, RGB, 255).astype(np.uint8)
GREY_ALPHA = np.dstack([GREY, ALPHA[..., 3]])
GREY_ON_WHITE = np.where(GREY_ALPHA[..., 1:] == 255, GREY_RGB, 255).astype(np.uint8)
BLACK_AND_WHITE = np.where(GREY_RGB > 127, 255, 0).astype(np.uint8)
PALETTE = Image.fromarray(RGB).quantize(32)
DEEP = GREY.astype(np.uint16) * 257
SHAPE = GREY.shape


def packed_12_bits(values: np.ndarray) -> bytes:
    first, second = values.astype(np.uint16).reshape(-1, 2).T
    return np.stack([first >> 4, (first & 15) << 4 | second >> 8, second & 255], axis=-1).astype(np.uint8).tobytes()


def alpha_palette() -> bytes:
    return encode(PALETTE, "PNG", transparency=bytes([0] * 16 + [255] * 16))


def cmyk_jpeg() -> bytes:
    """CMYK as Adobe writes it: Pillow inverts the inks on writing and reading alike."""
    return encode(Image.fromarray(RGB).convert("CMYK"), "JPEG", quality=98, subsampling=0)


EXACT = {
    "png rgb": (encode(RGB, "PNG"), RGB),
    "png grey": (encode(GREY, "PNG"), GREY_RGB),
    "png 1 bit": (encode(Image.fromarray(GREY).point(lambda v: 255 * (v > 127), "1"), "PNG"), BLACK_AND_WHITE),
    "png palette": (encode(PALETTE, "PNG"), np.asarray(PALETTE.convert("RGB"))),
    "png rgba": (encode(ALPHA, "PNG"), ON_WHITE),
    "png grey alpha": (encode(GREY_ALPHA, "PNG"), GREY_ON_WHITE),
    "png 16 grey": (encode(DEEP, "PNG"), GREY_RGB),
    "png 16 grey, 8 bits shifted": (encode(GREY.astype(np.uint16) << 8, "PNG"), GREY_RGB),
    "png 16 rgb": (png16(RGB.astype(np.uint16) * 257, 2), RGB),
    "png 16 grey alpha": (png16(GREY_ALPHA.astype(np.uint16) * 257, 4), GREY_ON_WHITE),
    "png 16 rgba": (png16(ALPHA.astype(np.uint16) * 257, 6), ON_WHITE),
    "bmp rgb": (encode(RGB, "BMP"), RGB),
    "bmp grey": (encode(GREY, "BMP"), GREY_RGB),
    "bmp palette": (encode(PALETTE, "BMP"), np.asarray(PALETTE.convert("RGB"))),
    "webp lossless": (encode(RGB, "WEBP", lossless=True), RGB),
    "webp lossless alpha": (encode(ALPHA, "WEBP", lossless=True, exact=True), ON_WHITE),
    "tiff rgb": (encode(RGB, "TIFF"), RGB),
    "tiff lzw": (encode(RGB, "TIFF", compression="tiff_lzw"), RGB),
    "tiff deflate": (encode(RGB, "TIFF", compression="tiff_adobe_deflate"), RGB),
    "tiff packbits": (encode(RGB, "TIFF", compression="packbits"), RGB),
    "tiff grey": (encode(GREY, "TIFF"), GREY_RGB),
    "tiff palette": (encode(PALETTE, "TIFF"), np.asarray(PALETTE.convert("RGB"))),
    "tiff rgba": (encode(ALPHA, "TIFF"), ON_WHITE),
    "tiff 16 grey": (encode(DEEP, "TIFF"), GREY_RGB),
    "tiff 16 grey big-endian": (tiff([DEEP.astype(">u2").tobytes()], SHAPE, (16,), 1, 1, order=">"), GREY_RGB),
    "tiff 16 grey deflate": (encode(DEEP, "TIFF", compression="tiff_adobe_deflate"), GREY_RGB),
    "tiff 16 grey, white is 0": (tiff([(65535 - DEEP).astype("<u2").tobytes()], SHAPE, (16,), 1, 0), GREY_RGB),
    "tiff 8 grey, white is 0": (tiff([(255 - GREY).tobytes()], SHAPE, (8,), 1, 0), GREY_RGB),
    "tiff 16 rgb": (tiff([(RGB.astype("<u2") * 257).tobytes()], SHAPE, (16, 16, 16)), RGB),
    "tiff 16 rgb big-endian": (tiff([(RGB * 257.0).astype(">u2").tobytes()], SHAPE, (16, 16, 16), order=">"), RGB),
    "tiff 16 rgb deflate": (tiff([zlib.compress((RGB * 257.0).astype("<u2").tobytes())], SHAPE, (16,) * 3, 8), RGB),
    "tiff 12 grey": (tiff([packed_12_bits(GREY.astype(np.uint16) << 4)], SHAPE, (12,), 1, 1), GREY_RGB),
    "tiff cmyk": (encode(Image.fromarray(RGB).convert("CMYK"), "TIFF"), RGB),
}
CLOSE = {
    "jpeg": (encode(RGB, "JPEG", quality=98, subsampling=0), RGB),
    "jpeg progressive": (encode(RGB, "JPEG", quality=98, progressive=True), RGB),
    "jpeg grey": (encode(GREY, "JPEG", quality=98), GREY_RGB),
    "jpeg cmyk": (cmyk_jpeg(), RGB),
    "webp": (encode(RGB, "WEBP", quality=98), RGB),
    "tiff jpeg": (encode(RGB, "TIFF", compression="jpeg", quality=98), RGB),
}


@pytest.mark.parametrize("name", EXACT)
def test_lossless_files_come_back_exactly(name):
    data, expected = EXACT[name]
    pixels = decode(data)
    assert (pixels.dtype, pixels.shape) == (np.uint8, expected.shape)
    np.testing.assert_array_equal(pixels, expected)


@pytest.mark.parametrize("name", CLOSE)
def test_lossy_files_come_back_closely(name):
    data, expected = CLOSE[name]
    pixels = decode(data)
    assert (pixels.dtype, pixels.shape) == (np.uint8, expected.shape)
    assert np.abs(pixels.astype(int) - expected).mean() < 6


def test_a_bmp_whose_alpha_is_0_everywhere_has_none() -> None:
    clear = encode(np.dstack([RGB, np.zeros(SHAPE, np.uint8)]), "BMP")
    masks = struct.pack("<IIII", 255 << 16, 255 << 8, 255, 255 << 24)  # a version-4 header says where alpha is
    longer = clear[:10] + struct.pack("<II", 122, 108) + clear[18:30] + struct.pack("<I", 3) + clear[34:54] + masks
    np.testing.assert_array_equal(decode(longer + bytes(52) + clear[54:]), RGB)


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "WEBP"])
def test_an_image_that_is_transparent_everywhere_is_refused(kind: str) -> None:
    clear = np.dstack([RGB, np.zeros(SHAPE, np.uint8)])
    with pytest.raises(UnreadableImageError, match="transparent everywhere"):
        decode(encode(clear, kind, **({"lossless": True, "exact": True} if kind == "WEBP" else {})))


def test_palette_transparency_is_laid_on_white():
    clear = np.asarray(PALETTE) < 16
    expected = np.where(clear[..., None], 255, np.asarray(PALETTE.convert("RGB")))
    np.testing.assert_array_equal(decode(alpha_palette()), expected)


def test_a_transparent_grey_value_is_laid_on_white():
    for data in (encode(GREY, "PNG", transparency=100), encode(DEEP, "PNG", transparency=100 * 257)):
        np.testing.assert_array_equal(decode(data), np.where(GREY_RGB == 100, 255, GREY_RGB))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["PNG", "TIFF", "WEBP", "JPEG"])
def test_orientation_is_applied(kind, orientation):
    pixels = decode(oriented(RGB, kind, orientation)).astype(int)
    assert pixels.shape == RGB.shape
    assert np.abs(pixels - RGB).mean() < (6 if kind == "JPEG" else 1e-9)


def test_orientation_of_16_bit_grey_is_applied():
    np.testing.assert_array_equal(decode(oriented(DEEP, "TIFF", 6)), GREY_RGB)
    np.testing.assert_array_equal(decode(oriented(DEEP, "PNG", 8)), GREY_RGB)


def test_of_a_jpeg_with_further_pictures_the_main_one_is_taken():
    several = encode(RGB, "MPO", save_all=True, append_images=[Image.fromarray(RGB[::-1])])
    np.testing.assert_array_equal(decode(several), decode(encode(RGB, "JPEG")))


REFUSED = {
    "empty file": b"",
    "not a JPEG": b"GIF89a and so on",
    "JPEG file whose header": b"\xff\xd8\xff" + b"\0" * 40,
    "BMP file": b"BM this is a letter",
    "mode F": tiff([GREY.astype("<f4").tobytes()], SHAPE, (32,), 1, 1, sample_format=3),
    "mode I ": tiff([GREY.astype("<i4").tobytes()], SHAPE, (32,), 1, 1),
    "mode LAB": encode(Image.fromarray(RGB).convert("LAB"), "TIFF"),
    "several pages or frames": encode(RGB, "TIFF", save_all=True, append_images=[Image.fromarray(RGB)]),
    "WEBP file with several": encode(RGB, "WEBP", save_all=True, append_images=[Image.fromarray(RGB[::-1])]),
    "PNG file with several": encode(RGB, "PNG", save_all=True, append_images=[Image.fromarray(RGB[::-1])]),
    "uses 12 bits at most": encode(GREY.astype(np.uint16) << 4, "PNG"),
    "12 bits": png16(RGB.astype(np.uint16) << 4, 2),
    "header is damaged or of a kind": tiff([RGB.tobytes()], SHAPE, (8, 8, 8), sample_format=6),
}


@pytest.mark.parametrize("reason", REFUSED)
def test_what_cannot_be_right_is_refused(reason):
    with pytest.raises(UnreadableImageError, match=reason):
        decode(REFUSED[reason])


def test_too_many_pixels_are_refused_before_they_are_decoded():
    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    bomb = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"\0") + chunk(b"IEND", b"")
    with pytest.raises(UnreadableImageError, match="too large"):
        decode(bomb)
    with pytest.raises(UnreadableImageError, match="too large: 52 x 40 pixels, more than 2,000"):
        decode(encode(RGB, "PNG"), max_pixels=2000)


CUT = {
    "jpeg": encode(RGB, "JPEG"),
    "jpeg progressive": encode(RGB, "JPEG", progressive=True),
    "jpeg restarts": encode(RGB, "JPEG", restart_marker_blocks=2),
    "jpeg grey": encode(GREY, "JPEG"),
    "jpeg cmyk": cmyk_jpeg(),
    "png": encode(RGB, "PNG"),
    "png palette": encode(PALETTE, "PNG"),
    "bmp": encode(RGB, "BMP"),
    "bmp palette": encode(PALETTE, "BMP"),
    "webp": encode(RGB, "WEBP"),
    "webp lossless": encode(RGB, "WEBP", lossless=True),
    "tiff": encode(RGB, "TIFF"),
    "tiff strips": tiff([row.tobytes() for row in RGB], SHAPE),
    "tiff lzw": encode(RGB, "TIFF", compression="tiff_lzw"),
    "tiff deflate": tiff([zlib.compress(part.tobytes()) for part in np.split(RGB, 5)], SHAPE, compression=8),
    "tiff 16 grey": tiff([DEEP.tobytes()], SHAPE, (16,), 1, 1),
}


@pytest.mark.filterwarnings("ignore")  # Pillow warns of cut TIFF directories; a user's run does not stop there
@pytest.mark.parametrize("name", CUT)
@settings(deadline=None)
@given(share=st.floats(0, 1, exclude_max=True))
def test_a_file_cut_anywhere_is_refused_or_whole(name, share):
    data = CUT[name]
    try:
        pixels = decode(data[: int(len(data) * share)])
    except UnreadableImageError:
        return
    np.testing.assert_array_equal(pixels, decode(data))


@settings(deadline=None)
@given(share=st.floats(0.5, 0.97))
def test_a_cut_jpeg_with_a_new_end_marker_is_refused(share):
    noise = np.random.default_rng(0).integers(0, 255, (64, 72, 3), dtype=np.uint8)
    data = encode(noise, "JPEG", quality=90)
    with pytest.raises(UnreadableImageError):
        decode(data[: int(len(data) * share)] + b"\xff\xd9")


@pytest.mark.parametrize("grey", [126, 127, 128, 129])
def test_a_grey_jpeg_is_not_mistaken_for_a_cut_one(grey):
    assert np.ptp(decode(encode(np.full((50, 41, 3), grey, np.uint8), "JPEG"))) == 0


def test_bytes_after_the_end_do_no_harm():
    for name in ("jpeg", "png", "bmp", "tiff"):
        np.testing.assert_array_equal(decode(CUT[name] + b"\0garbage" * 9), decode(CUT[name]))


@settings(deadline=None)
@given(position=st.floats(0, 1, exclude_max=True))
def test_a_changed_byte_in_a_png_is_refused(position):
    data = bytearray(CUT["png"])
    data[int(len(data) * position)] ^= 0x55
    with pytest.raises(UnreadableImageError):
        decode(bytes(data))


@pytest.mark.filterwarnings("ignore")
@settings(deadline=None)
@given(
    head=st.sampled_from([b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"BM", b"II*\0", b"RIFF0000WEBP"]),
    tail=st.binary(),
)
def test_nothing_but_a_refusal_comes_of_garbage(head, tail):
    with pytest.raises(UnreadableImageError):
        decode(head + tail)


def test_pillow_must_not_fill_up_truncated_images(monkeypatch):
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    with pytest.raises(ConfigurationError, match="truncated"):
        decode(CUT["jpeg"])


def test_threads_decode_the_same_pixels():
    data = CUT["jpeg"]
    with ThreadPoolExecutor(4) as pool:
        assert all(np.array_equal(pixels, decode(data)) for pixels in pool.map(decode, [data] * 64))


def test_reading_names_the_file(tmp_path: Path):
    path = tmp_path / "cut.png"
    path.write_bytes(CUT["png"][:-30])
    for reads in (read_image, lambda path: read_resized(path, (8, 8))):
        with pytest.raises(UnreadableImageError, match="truncated") as caught:
            reads(path)
        assert caught.value.received == str(path)
    with pytest.raises(UnreadableImageError, match="No such file"):
        read_image(tmp_path / "absent.png")


def test_resizing_averages_and_keeps_the_same_size_untouched(tmp_path: Path):
    path = tmp_path / "image.png"
    checks = np.kron(np.indices((20, 20)).sum(axis=0) % 2, np.ones((1, 1))).astype(np.uint8) * 255
    path.write_bytes(encode(checks, "PNG"))
    assert set(np.unique(read_resized(path, (20, 20)))) == {0, 255}
    small = read_resized(path, (5, 4))
    assert small.shape == (5, 4, 3)
    assert small.min() > 100
    assert small.max() < 155
    assert set(np.unique(read_resized(path, (5, 4), "nearest"))) <= {0, 255}


def test_an_unknown_interpolation_is_refused():
    with pytest.raises(ConfigurationError, match="bilinear"):
        resize(RGB, (8, 8), "cubical")

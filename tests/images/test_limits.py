"""Files that would fill the memory, or take minutes, are refused by name, kind, size and header."""

from __future__ import annotations

import io
import os
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from leukobench.errors import ImagesError, UnreadableImageError
from leukobench.features.deep_features import DeepFeatures
from leukobench.images.decoding import decode
from leukobench.images.index import index_images
from leukobench.images.limits import MAX_BYTES, SLIDES, refusal
from leukobench.images.reading import read_file, read_image
from leukobench.serving.image_input import image_bytes

from .formats import chunk, encode, picture
from .trees import write_image

RGB = picture()
PROGRESSIVE = encode(Image.new("RGB", (52, 40), (200, 90, 150)), "JPEG", progressive=True)


def png_header(width: int, height: int) -> bytes:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", b"\0") + chunk(b"IEND", b"")


def repeated_scan(data: bytes, times: int) -> bytes:
    last = data.rfind(b"\xff\xda")
    return data[:-2] + data[last:-2] * times + data[-2:]


def pyramid(**options: object) -> bytes:
    """Two pages, the second half as large and marked as such, as slide scanners write them."""
    stream = io.BytesIO()
    small = Image.fromarray(RGB[::2, ::2].copy())
    small.encoderinfo = {"tiffinfo": {254: 1}}
    Image.fromarray(RGB).save(stream, "TIFF", save_all=True, append_images=[small], **options)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("size", "reason"),
    [
        ((1, 49_999_999), "too long: 1 x 49999999 pixels"),
        ((70_000, 700), "too long: 70000 x 700 pixels"),
        ((30_000, 149), "too narrow: 30000 x 149 pixels"),
        ((8_000, 8_000), "too large: 8000 x 8000 pixels, more than 50,000,000"),
        ((60_000, 60_000), "too large: more than 50,000,000 pixels"),
    ],
)
def test_sides_are_read_from_the_header(size: tuple[int, int], reason: str) -> None:
    with pytest.raises(UnreadableImageError, match=reason):
        decode(png_header(*size))


@pytest.mark.parametrize("lossless", [True, False])
def test_a_webp_is_judged_before_pillow_makes_room_for_its_pixels(lossless: bool) -> None:
    data = bytearray(encode(RGB, "WEBP", lossless=lossless))
    data[21:25] = struct.pack("<I", 16_382 | 16_382 << 14) if lossless else data[21:25]
    data[26:30] = data[26:30] if lossless else struct.pack("<HH", 16_383, 16_383)
    with pytest.raises(UnreadableImageError, match="too large: 16383 x 16383"):
        decode(bytes(data))
    extended = b"RIFF" + struct.pack("<I", 30) + b"WEBPVP8X" + struct.pack("<II", 10, 0) + b"\xff\x7f\0" * 2
    with pytest.raises(UnreadableImageError, match="too large: 32768 x 32768"):
        decode(extended)


def test_a_jpeg_of_thousands_of_scans_is_refused_and_a_few_are_taken() -> None:
    np.testing.assert_array_equal(decode(repeated_scan(PROGRESSIVE, 20)), decode(PROGRESSIVE))
    with pytest.raises(UnreadableImageError, match="JPEG file of 3,010 scans, more than 100"):
        decode(repeated_scan(PROGRESSIVE, 3_000))
    large = encode(Image.new("RGB", (5_000, 5_000)), "JPEG", progressive=True)
    with pytest.raises(UnreadableImageError, match="JPEG file of 60 scans, more than 40"):
        decode(repeated_scan(large, 50))


@pytest.mark.parametrize("segment", [b"\xff\xfe\0\2", b"\xff\xef\0\2", b"\xff"])
def test_a_header_of_endless_segments_is_refused(segment: bytes) -> None:
    jpeg = encode(RGB, "JPEG")
    with pytest.raises(UnreadableImageError, match="more than 20,000 segments"):
        decode(jpeg[:2] + segment * 200_000 + jpeg[2:])
    padded = jpeg[:2] + b"\xff\xef\xff\xff".ljust(65_537, b"\0") * 4 + segment * 99 + jpeg[2:]
    np.testing.assert_array_equal(decode(padded), decode(jpeg))


def test_a_png_of_endless_chunks_is_refused() -> None:
    png = encode(RGB, "PNG")
    with pytest.raises(UnreadableImageError, match="more than 50,000 chunks"):
        decode(png[:33] + chunk(b"abCd", b"") * 60_000 + png[33:])


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_a_progressive_jpeg_is_whole_with_its_last_scan_alone(mode: str) -> None:
    whole = encode(Image.fromarray(RGB).convert(mode), "JPEG", progressive=True, subsampling=0)
    assert decode(whole).shape == RGB.shape
    begins = [place for place in range(len(whole)) if whole[place : place + 2] == b"\xff\xda"][1:]
    assert len(begins) > 4
    for begin in begins:  # the table of a scan stands before it, which is no matter at the end of a file
        with pytest.raises(UnreadableImageError, match="its last scans are missing"):
            decode(whole[:begin] + b"\xff\xd9")


def test_what_only_looks_like_a_scan_does_not_count() -> None:
    hidden = b"\xff\xee" + struct.pack(">H", 1002) + b"\xff\xda" * 500
    np.testing.assert_array_equal(decode(PROGRESSIVE[:2] + hidden + PROGRESSIVE[2:]), decode(PROGRESSIVE))


def test_a_pyramid_is_named_as_a_whole_slide_image() -> None:
    with pytest.raises(UnreadableImageError, match="whole-slide image"):
        decode(pyramid())
    with pytest.raises(UnreadableImageError, match="several pages"):
        decode(encode(RGB, "TIFF", save_all=True, append_images=[Image.fromarray(RGB)]))


@pytest.mark.parametrize("tags", [{322: 16, 323: 16, 330: 8}, {322: 256, 323: 256, 256: 90_000, 257: 70_000}])
@pytest.mark.parametrize("compression", [1, 33_003])
def test_tiles_in_several_sizes_or_without_end_are_a_whole_slide_image(tags: dict[int, int], compression: int) -> None:
    values = {256: 52, 257: 40, 258: 8, 259: compression, 262: 1, 277: 1, 324: 8, 325: 9} | tags
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in sorted(values.items()))
    data = b"II*\0" + struct.pack("<IH", 8, len(values)) + entries + bytes(4)
    with pytest.raises(UnreadableImageError, match="whole-slide image"):
        decode(data)


def test_a_slide_is_known_by_its_name(tmp_path: Path) -> None:
    assert {".svs", ".ndpi", ".mrxs"} <= SLIDES
    write_image(tmp_path / "a" / "0.png", 0)
    path = tmp_path / "a" / "Slide 1.MRXS"
    path.write_bytes(encode(RGB, "JPEG"))  # as 3DHISTECH writes it: a picture that says to open the slide elsewhere
    ledger = index_images(tmp_path).ledger
    assert ledger["reason"].tolist() == ["whole-slide image (.mrxs): cut it into fields"]
    for read in (read_file, read_image, image_bytes):
        with pytest.raises(UnreadableImageError, match="whole-slide image"):
            read(path)


def test_a_huge_file_is_refused_before_it_is_read(tmp_path: Path) -> None:
    write_image(tmp_path / "a" / "0.png", 0)
    path = tmp_path / "a" / "1.tif"
    path.write_bytes(b"II*\0")
    os.truncate(path, 9 * 2**30)
    assert path.stat().st_size > MAX_BYTES
    reason = "larger than 512 MB, as whole-slide images are"
    assert index_images(tmp_path).ledger["reason"].tolist() == [reason]
    for read in (read_file, read_image, image_bytes, lambda path: DeepFeatures().fit_transform([path])):
        with pytest.raises(UnreadableImageError, match=reason):
            read(path)


def test_what_is_no_regular_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "zero.png").symlink_to("/dev/zero")
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "folder.png").mkdir()
    assert refusal(tmp_path / "zero.png") == "not a regular file: device"
    assert refusal(tmp_path / "pipe.png") == "not a regular file: named pipe"
    assert refusal(tmp_path / "folder.png") == "not a regular file: folder"
    for name in ("zero.png", "pipe.png"):
        with pytest.raises(UnreadableImageError, match="not a regular file"):
            read_image(tmp_path / name)
    write_image(tmp_path / "a" / "0.png", 0)
    (tmp_path / "a" / "zero.png").symlink_to("/dev/zero")
    (tmp_path / "a" / "gone.png").symlink_to("nowhere.png")
    reasons = index_images(tmp_path).ledger
    named = dict(zip(reasons["path"].map(lambda path: Path(path).name), reasons["reason"], strict=True))
    assert named["zero.png"] == "not a regular file: device"
    assert named["gone.png"] == "broken symbolic link"


def test_no_table_of_the_folder_waits_for_a_pipe_or_reads_without_end(tmp_path: Path) -> None:
    for label in "ab":
        write_image(tmp_path / label / "0.png", ord(label))
    os.mkfifo(tmp_path / "manifest.csv")
    (tmp_path / "labels.csv").symlink_to("/dev/zero")
    (tmp_path / "endless.csv").touch()
    os.truncate(tmp_path / "endless.csv", 9 * 2**30)
    assert index_images(tmp_path).classes() == ["a", "b"]
    (tmp_path / "manifest.csv").unlink()
    (tmp_path / "endless.csv").rename(tmp_path / "manifest.csv")
    with pytest.raises(ImagesError, match="at most 512 MB"):
        index_images(tmp_path)


def test_a_row_of_a_manifest_that_names_a_pipe_is_no_absent_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "0.png")
    (tmp_path / "list.csv").write_text("path,label\n0.png,a\n")
    with pytest.raises(ImagesError, match=r"0\.png is no regular file"):
        index_images(tmp_path / "list.csv")

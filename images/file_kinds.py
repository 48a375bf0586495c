"""File kinds: what a file is that is called like an image and is none, by its first bytes."""

from __future__ import annotations

_SIGNATURES = {
    b"version https://git-lfs.github.com/spec/": "a Git LFS pointer: get the files with `git lfs pull`",
    b"/annex/objects/": "a git-annex pointer: get the files with `git annex get`",
    b"PK\x03\x04": "a ZIP archive: unpack it",
    b"Rar!": "a RAR archive: unpack it",
    b"7z\xbc\xaf\x27\x1c": "a 7z archive: unpack it",
    b"\x1f\x8b": "a gzip archive: unpack it",
    b"BZh": "a bzip2 archive: unpack it",
    b"\xfd7zXZ": "an xz archive: unpack it",
    b"%PDF": "a PDF document",
    b"%!PS": "a PostScript document",
    b"GIF8": "a GIF: convert it to PNG",
    b"8BPS": "a Photoshop document: export it as PNG",
    b"\x00\x00\x00\x0cjP": "a JPEG 2000 image: convert it to PNG",
    b"\x00\x00\x00\x0cJXL": "a JPEG XL image: convert it to PNG",
    b"\xff\x0a": "a JPEG XL image: convert it to PNG",
    b"\x93NUMPY": "a NumPy array: save it as PNG",
    b"\x89HDF": "an HDF5 file",
    b"\x00\x00\x01\x00": "an icon",
    b"ZISRAWFILE": "a whole-slide image (CZI): cut it into fields",
    b"MATLAB": "a MATLAB file: save its pixels as PNG",
    b"{": "JSON or other text",
    b"[": "JSON or other text",
}
_READ = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"BM", b"II*\0", b"MM\0*", b"II+\0", b"MM\0+", b"RIFF")
_BOXES = {b"heic", b"heix", b"mif1", b"msf1", b"hevc", b"avif", b"avis"}
_PAGES = (b"<!doctype html", b"<html", b"<head", b"<body")
_SAMPLE = 512


def kind_of_file(data: bytes) -> str:
    """Return what the bytes of a file are, in words that say what to do; '' where they do not show it."""
    text = data[:_SAMPLE].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if text.startswith(_PAGES) or b"<html" in text:
        return "an HTML page, such as the error message of a download"
    if text.startswith((b"<?xml", b"<svg")):
        return "XML, such as an SVG drawing: export it as PNG"
    if data[4:8] == b"ftyp":
        return "a HEIC or AVIF image: convert it to PNG" if data[8:12] in _BOXES else "a video"
    if data[128:132] == b"DICM":
        return "a DICOM file: export its pixels as PNG"
    if data[257:262] == b"ustar":
        return "a tar archive: unpack it"
    known = next((kind for signature, kind in _SIGNATURES.items() if data.startswith(signature)), "")
    return known or _plain(data[:_SAMPLE])


def is_readable(data: bytes) -> bool:
    """Whether these first bytes are those of a picture of a format that is read."""
    return data.startswith(_READ)


def is_picture(data: bytes) -> bool:
    """Whether these first bytes are those of a picture, of a kind that can be read or converted."""
    return is_readable(data) or ("PNG" in (kind := kind_of_file(data)) and not kind.startswith("XML"))


def _plain(data: bytes) -> str:
    if not data.strip(b"\0"):
        return "nothing but zero bytes, as an interrupted copy leaves behind"
    try:
        text = data.decode("ascii")
    except UnicodeDecodeError:
        return ""
    return "plain text" if all(sign.isprintable() or sign.isspace() for sign in text) else ""
